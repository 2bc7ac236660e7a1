"""Settings, read once from the environment; an unusable value stops the program with the variable's name."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from gateway.errors import LocalFileError

__all__ = ["Settings", "read_settings"]

ALARM: Final = timedelta(minutes=1)
STOP: Final = timedelta(hours=1)
_WHOLE: Final = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment decides.

    ``state`` is the folder of the checkpoint store: outside of every home, never restored. A quorum of
    witnesses that is missing for ``witness_alarm`` is an alarm; for ``witness_stop``, nothing more is taken.
    """

    state: Path
    witness_alarm: timedelta = ALARM
    witness_stop: timedelta = STOP


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings.

    Raises:
        LocalFileError: names the variable and what it should be.
    """
    return Settings(
        state=_state(environment),
        witness_alarm=_seconds(environment, "TANQIAO_WITNESS_ALARM_SECONDS", default=ALARM),
        witness_stop=_seconds(environment, "TANQIAO_WITNESS_STOP_SECONDS", default=STOP),
    )


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


def _seconds(environment: Mapping[str, str], name: str, *, default: timedelta) -> timedelta:
    chosen = environment.get(name)
    if chosen is None:
        return default
    if not _WHOLE.fullmatch(chosen):
        raise LocalFileError(
            f"{name} is {chosen!r}, expected whole seconds",
            remedy="set it to a number of seconds, such as 3600",
        )
    return timedelta(seconds=int(chosen))
