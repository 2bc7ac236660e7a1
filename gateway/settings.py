"""Settings, read once from the environment; an unusable value stops the program with the variable's name."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import LocalFileError

__all__ = ["Settings", "read_settings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``state`` is the folder of the checkpoint store: outside of every home, never restored."""

    state: Path


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings.

    Raises:
        LocalFileError: names the variable and what it should be.
    """
    chosen = environment.get("TANQIAO_STATE")
    if chosen is None:
        base = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
        return Settings(state=Path(base) / "tanqiao")
    if not Path(chosen).is_absolute():
        raise LocalFileError(
            f"TANQIAO_STATE is {chosen!r}, expected an absolute path",
            remedy="set it to a folder outside of the home",
        )
    return Settings(state=Path(chosen))
