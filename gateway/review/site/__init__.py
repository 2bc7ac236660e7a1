"""A static site of pages on which people read mappings: prose, sources, tests, lineage, disparity."""

from gateway.review.site.pages import Site, pages

__all__ = ["Site", "pages"]
