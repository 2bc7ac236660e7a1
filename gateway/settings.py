"""Settings, read once from the environment; an unusable value stops the program with the variable's name."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import LocalFileError

__all__ = ["Settings", "read_settings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``state`` is the folder of the checkpoint store: outside of every home, never restored.

    ``private_webhooks`` lets webhooks lead into private networks, and to plain http.
    """

    state: Path
    private_webhooks: bool = False


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings.

    Raises:
        LocalFileError: names the variable and what it should be.
    """
    return Settings(state=_state(environment), private_webhooks=_private_webhooks(environment))


def _private_webhooks(environment: Mapping[str, str]) -> bool:
    chosen = environment.get("TANQIAO_PRIVATE_WEBHOOKS", "refuse")
    if chosen not in ("allow", "refuse"):
        raise LocalFileError(
            f"TANQIAO_PRIVATE_WEBHOOKS is {chosen!r}, expected allow or refuse",
            remedy="unset it, unless the endpoints of platforms are in a private network",
        )
    return chosen == "allow"


def _state(environment: Mapping[str, str]) -> Path:
    chosen = environment.get("TANQIAO_STATE")
    if chosen is None:
        base = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
        return Path(base) / "tanqiao"
    if not Path(chosen).is_absolute():
        raise LocalFileError(
            f"TANQIAO_STATE is {chosen!r}, expected an absolute path",
            remedy="set it to a folder outside of the home",
        )
    return Path(chosen)
