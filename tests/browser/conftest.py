"""The fixture of opening pages."""

from tests.browser.opener import page_opener

__all__ = ["page_opener"]
