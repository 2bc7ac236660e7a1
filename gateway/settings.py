"""Settings, read once from the environment; an unusable value stops the program with the variable's name."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

from gateway.errors import LocalFileError

__all__ = ["IdentitySettings", "ServiceSettings", "Settings", "read_settings"]

LEVELS: Final = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """What one worker of a service may use, and what it says: docs/reference/settings.md."""

    log_level: str = "info"
    metrics: bool = False
    connections: int = 10_000
    requests: int = 4000
    document_mib: int = 8  # 10,000 acts of 800 bytes
    file_mib: int = 8 * 1024
    held_mib: int = 256
    head_seconds: int = 20
    idle_seconds: int = 20
    body_seconds: int = 60
    drain_seconds: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentitySettings:
    """The OpenID Connect provider of the operators; each of ``roles`` is a name and what it is here."""

    issuer: str
    audience: str
    client: str = ""
    claim: str = "roles"
    roles: tuple[tuple[str, ...], ...] = ()
    private: bool = False


REQUESTS_PER_MINUTE: Final = 60_000  # a thousand a second: no platform needs more, a loop gone wild does
ALARM: Final = timedelta(minutes=1)
STOP: Final = timedelta(hours=1)
_POSTGRES: Final = ("postgresql://", "postgresql+psycopg://")
_REDIS: Final = ("redis://", "rediss://", "unix://")
_ROLE: Final = re.compile(r"([^=;]*[^=;\s])\s*=\s*([^=;]+)")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment says. Addresses are empty where nothing is set; docs/reference/settings.md.

    ``state`` is the folder of the checkpoint store: outside of every home, never restored;
    ``state_named`` tells whether the environment names it. A quorum of witnesses that is missing for
    ``witness_alarm`` is an alarm; for ``witness_stop``, nothing more is taken. ``private_webhooks`` lets
    webhooks lead into private networks, and to plain http. ``central_day_mg`` is the coordinator's limit of
    what all transfers together move in a day, in recognised mg; None: there is none.
    """

    state: Path
    state_named: bool = False
    database: str = ""
    checkpoints: str = ""
    redis: str = ""
    requests_per_minute: int = REQUESTS_PER_MINUTE
    witness_alarm: timedelta = ALARM
    witness_stop: timedelta = STOP
    private_webhooks: bool = False
    central_day_mg: int | None = None
    identity: IdentitySettings | None = None
    service: ServiceSettings = field(default_factory=ServiceSettings)


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings.

    Raises:
        LocalFileError: names the variable and what it should be.
    """
    return Settings(
        state=_state(environment),
        state_named="TANQIAO_STATE" in environment,
        database=_address(environment, "TANQIAO_DATABASE", starts=_POSTGRES),
        checkpoints=_address(environment, "TANQIAO_CHECKPOINTS", starts=_POSTGRES),
        redis=_address(environment, "TANQIAO_REDIS", starts=_REDIS),
        requests_per_minute=_count(
            environment, "TANQIAO_REQUESTS_PER_MINUTE", usual=REQUESTS_PER_MINUTE, most=999_999_999
        ),
        witness_alarm=_seconds(environment, "TANQIAO_WITNESS_ALARM_SECONDS", usual=ALARM),
        witness_stop=_seconds(environment, "TANQIAO_WITNESS_STOP_SECONDS", usual=STOP),
        private_webhooks=_choice(
            environment, "TANQIAO_PRIVATE_WEBHOOKS", choices=("allow", "refuse"), usual="refuse"
        )
        == "allow",
        central_day_mg=_count(
            environment, "TANQIAO_CENTRAL_DAY_MG", usual=None, least=0, most=9_999_999_999_999_999
        ),
        identity=_identity(environment),
        service=_service(environment),
    )


def _identity(environment: Mapping[str, str]) -> IdentitySettings | None:
    issuer = environment.get("TANQIAO_OIDC_ISSUER", "")
    audience = environment.get("TANQIAO_OIDC_AUDIENCE", "")
    client = environment.get("TANQIAO_OIDC_CLIENT_ID", "")
    if not issuer:
        return None
    if not audience or audience == client:
        raise LocalFileError(
            f"TANQIAO_OIDC_AUDIENCE is {audience!r}, expected the provider's name of this gateway",
            remedy="set it, to another name than the client's: what is for the client is not for here",
        )
    written = environment.get("TANQIAO_OIDC_ROLES", "")
    roles = [_ROLE.fullmatch(one.strip()) for one in written.split(";") if one.strip()]
    if not roles or None in roles:
        raise LocalFileError(
            f"TANQIAO_OIDC_ROLES is {written!r}, expected NAME=ROLE entries with semicolons between them",
            remedy="write desk=coordinator; audit=auditor,PLATFORM,FIRST-DAY,LAST-DAY,UNTIL-DAY",
        )
    private = _choice(environment, "TANQIAO_OIDC_PRIVATE", choices=("allow", "refuse"), usual="refuse")
    return IdentitySettings(
        issuer=issuer,
        audience=audience,
        client=client,
        claim=environment.get("TANQIAO_OIDC_ROLES_CLAIM") or "roles",
        roles=tuple((one[1], *re.split(r"\s*,\s*", one[2])) for one in roles if one),
        private=private == "allow",
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


def _service(environment: Mapping[str, str]) -> ServiceSettings:
    usual = ServiceSettings()
    return ServiceSettings(
        log_level=_choice(environment, "TANQIAO_LOG_LEVEL", choices=LEVELS, usual=usual.log_level),
        metrics=_choice(environment, "TANQIAO_METRICS", choices=("on", "off"), usual="off") == "on",
        connections=_count(environment, "TANQIAO_CONNECTIONS_MAX", usual=usual.connections, most=1_000_000),
        requests=_count(environment, "TANQIAO_REQUESTS_MAX", usual=usual.requests, most=1_000_000),
        document_mib=_count(environment, "TANQIAO_DOCUMENT_MIB", usual=usual.document_mib, most=1024),
        file_mib=_count(environment, "TANQIAO_FILE_MIB", usual=usual.file_mib, most=1 << 20),
        held_mib=_count(environment, "TANQIAO_HELD_MIB", usual=usual.held_mib, most=1 << 20),
        head_seconds=_count(environment, "TANQIAO_HEAD_SECONDS", usual=usual.head_seconds, most=3600),
        idle_seconds=_count(environment, "TANQIAO_IDLE_SECONDS", usual=usual.idle_seconds, most=3600),
        drain_seconds=_count(environment, "TANQIAO_DRAIN_SECONDS", usual=usual.drain_seconds, most=300),
        body_seconds=_count(environment, "TANQIAO_BODY_SECONDS", usual=usual.body_seconds, most=3600),
    )


def _choice(environment: Mapping[str, str], name: str, *, choices: tuple[str, ...], usual: str) -> str:
    chosen = environment.get(name, usual)
    if chosen not in choices:
        raise LocalFileError(
            f"{name} is {chosen!r}, expected {' or '.join(choices)}",
            remedy="set it to one of these, or unset it",
        )
    return chosen


def _count(environment: Mapping[str, str], name: str, *, usual: T, most: int, least: int = 1) -> int | T:
    text = environment.get(name)
    if text is None:
        return usual
    figures = text.isascii() and text.isdigit() and len(text) <= len(str(most))
    if not (figures and least <= int(text) <= most):
        raise LocalFileError(
            f"{name} is {text!r}, expected a whole number from {least} to {most}",
            remedy="set it to such a number, or unset it",
        )
    return int(text)


def _seconds(environment: Mapping[str, str], name: str, *, usual: timedelta) -> timedelta:
    seconds = usual // timedelta(seconds=1)
    return timedelta(seconds=_count(environment, name, usual=seconds, most=999_999_999))


def _address(environment: Mapping[str, str], name: str, *, starts: tuple[str, ...]) -> str:
    """Return an address, which is never shown: it may hold a password."""
    address = environment.get(name, "")
    if address and not address.startswith(starts):
        raise LocalFileError(
            f"{name} is no address of the kind it should be", remedy=f"begin it with {' or '.join(starts)}"
        )
    return address
