"""Join the parts of operators' tokens."""

import secrets
from pathlib import Path

from gateway.app.base.home import SystemClock, open_home
from gateway.service.access.operating import PREFIX, Grant, issue_token, revoke_token
from gateway.store.serving.operators import SqlOperators

__all__ = ["Grant", "new_token", "revoke", "tokens"]


def new_token(root: Path, role: str, *, grant: Grant, days: int) -> dict[str, object]:
    """Make a token; returns it, which is kept nowhere, and what it is good for."""
    secret = secrets.token_urlsafe(32)
    with open_home(root) as opened:
        now = SystemClock().now()
        made = issue_token(
            role, SqlOperators(opened.database), grant=grant, days=days, now=now, secret=secret
        )
    return {"token": PREFIX + secret, **made._asdict()}


def tokens(root: Path) -> list[dict[str, object]]:
    """Return what is known of all tokens; not the tokens."""
    with open_home(root) as opened:
        return [one._asdict() for one in SqlOperators(opened.database).operators()]


def revoke(root: Path, name: str) -> None:
    """End a token at once."""
    with open_home(root) as opened:
        revoke_token(name, SqlOperators(opened.database), now=SystemClock().now())
