"""Ids as they stand in addresses: what is no id names nothing, and is never repeated in an answer."""

import re
from typing import Final

from gateway.errors import NotFound

__all__ = ["require_digest_name", "require_id", "require_key_id", "require_link_id"]

_ID: Final = re.compile(r"[0-9a-f]{32}")
_KEY_ID: Final = re.compile(r"http-[0-9a-f]{32}")
_DIGEST: Final = re.compile(r"(sha256:)?[0-9a-f]{64}")
_LINK_ID: Final = re.compile(r"[0-9a-f]{64}")


def require_id(text: str, what: str) -> None:
    """Refuse what cannot be the id of a record, an operation or a webhook."""
    _require(_ID, text, what=what)


def require_key_id(text: str) -> None:
    """Refuse what cannot be the id of a key for requests."""
    _require(_KEY_ID, text, what="key")


def require_digest_name(text: str) -> None:
    """Refuse what cannot be the digest of a mapping."""
    _require(_DIGEST, text, what="mapping")


def require_link_id(text: str) -> None:
    """Refuse what cannot be the id of a link."""
    _require(_LINK_ID, text, what="link")


def _require(form: re.Pattern[str], text: str, *, what: str) -> None:
    if not form.fullmatch(text):
        raise NotFound(f"there is no such {what}: this is not how its ids are written")
