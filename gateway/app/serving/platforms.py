"""Join the parts of admitting platforms."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.app.base.home import SystemClock, open_home
from gateway.app.transfers.corridor_files import corridor_form
from gateway.errors import MalformedDocument, NotFound
from gateway.ports import Way, read_dialect
from gateway.service.access.onboarding import invite_platform
from gateway.store.ledger.moves import SqlAddresses, SqlDialects
from gateway.store.serving.platforms import SqlPlatforms

__all__ = ["call_at", "invite", "platforms", "speak", "suspend"]


@contextmanager
def _platforms(root: Path) -> Iterator[SqlPlatforms]:
    with open_home(root) as opened:
        yield SqlPlatforms(opened.database)


def invite(root: Path, platform: str) -> dict[str, str]:
    """Invite a platform; returns the code, which is kept nowhere, and until when it holds."""
    code = secrets.token_urlsafe(24)
    with _platforms(root) as kept:
        expires = invite_platform(platform, kept, code=code, now=SystemClock().now())
    return {"platform": platform, "code": code, "expires": expires}


def platforms(root: Path) -> list[dict[str, object]]:
    """Return the platforms, each with the ids of its keys in force."""
    with open_home(root) as opened:
        kept, dialects = SqlPlatforms(opened.database), SqlDialects(opened.database)
        return [
            {
                "platform": one.id,
                "dialect": str(dialects.of(one.id)),
                "suspended": one.suspended,
                "created": one.created,
                "keys": [key.id for key in kept.keys(one.id) if key.revoked is None],
            }
            for one in kept.platforms()
        ]


def speak(root: Path, platform: str, *, dialect: str) -> dict[str, object]:
    """Speak a dialect with a platform from now on.

    Raises:
        UsageError: there is no such dialect, or no such adapter that writes files.
        NotFound: there is no such platform.
    """
    spoken = read_dialect(dialect)
    if spoken.way is Way.FILE:
        corridor_form(spoken.form)
    with open_home(root) as opened:
        _require_known(SqlPlatforms(opened.database), platform)
        SqlDialects(opened.database).put(platform, spoken)
    return {"platform": platform, "dialect": str(spoken)}


def call_at(root: Path, platform: str, *, url: str) -> dict[str, object]:
    """Have a platform called at an address from now on.

    Raises:
        MalformedDocument: this is no address of http or https.
        NotFound: there is no such platform.
    """
    if not url.startswith(("https://", "http://")) or len(url) > 200:
        raise MalformedDocument(
            f"expected an address such as https://city.example, found {url!r}",
            field="url",
            remedy="begin it with https://, or with http:// where TANQIAO_PRIVATE_WEBHOOKS is allow",
        )
    with open_home(root) as opened:
        _require_known(SqlPlatforms(opened.database), platform)
        SqlAddresses(opened.database).put(platform, url.rstrip("/"))
    return {"platform": platform, "url": url.rstrip("/")}


def _require_known(kept: SqlPlatforms, platform: str) -> None:
    if kept.platform(platform) is None:
        raise NotFound(f"there is no platform {platform}", remedy="tanqiao platform list shows them")


def suspend(root: Path, platform: str, *, reason: str) -> None:
    """Keep a platform out for a reason, or let it in again with an empty one.

    Raises:
        NotFound: there is no such platform.
    """
    with _platforms(root) as kept:
        _require_known(kept, platform)
        kept.suspend(platform, reason)
