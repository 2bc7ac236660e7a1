"""Look a home over: what is wrong, and what to do about it.

Nothing is changed but what any writing command changes: it finishes what a killed one has left.
"""

import os
import re
import shutil
import sqlite3
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Final, NamedTuple

from gateway.app.base.clock import SystemClock
from gateway.app.base.home import OpenHome, checkpoint_store, lies_inside, open_home
from gateway.app.serving.identity import identity_gate
from gateway.errors import GatewayError, HomeBusy, MalformedDocument, Unreachable
from gateway.peers import ProviderKeys
from gateway.settings import Settings, read_settings
from gateway.signing import read_key_set
from gateway.store.files.home import Home
from gateway.store.serving.operations import SqlOperations
from gateway.store.sql.group_commit import GroupCommit

__all__ = ["Finding", "doctor"]

SPARE_BYTES: Final = 1 << 30  # a day of a large city is some hundred MiB
AHEAD_SECONDS: Final = 5.0
UPLOAD_SECONDS: Final = 24 * 3600
PYTHON: Final = (3, 11)
_NAME: Final = re.compile(r"^[A-Za-z0-9._-]+")  # of a requirement, before its extras, versions and markers
_SYNCHRONIZED: Final = Path("/run/systemd/timesync/synchronized")


class Finding(NamedTuple):
    """What one check found. ``state`` is ok, unknown or wrong; what is wrong has a remedy."""

    check: str
    state: str
    found: str
    remedy: str = ""


class _Wrong(Exception):
    def __init__(self, found: str, remedy: str) -> None:
        super().__init__(found)
        self.remedy = remedy


class _Unknown(Exception):
    pass


@dataclass(frozen=True, slots=True)
class _Patient:
    home: Home
    settings: Settings


def doctor(root: Path) -> list[Finding]:
    """Run every check.

    Raises:
        LocalFileError: there is no home here.
    """
    patient = _Patient(Home(root), read_settings())
    patient.home.facts()
    return [_finding(name, check, patient=patient) for name, check in _CHECKS.items()]


def _finding(name: str, check: Callable[[_Patient], str], *, patient: _Patient) -> Finding:
    try:
        return Finding(name, "ok", check(patient))
    except _Unknown as unknown:
        return Finding(name, "unknown", str(unknown))
    except _Wrong as wrong:
        return Finding(name, "wrong", str(wrong), wrong.remedy)
    except HomeBusy as busy:
        return Finding(name, "unknown", str(busy), busy.remedy)
    except GatewayError as error:
        return Finding(name, "wrong", str(error), error.remedy)
    except OSError as error:
        return Finding(name, "wrong", f"{error.filename}: {error.strerror}", "mend what stands in its way")


def _python(_: _Patient) -> str:
    if sys.version_info < PYTHON:
        raise _Wrong(f"Python {sys.version.split()[0]}", "use Python 3.11 or newer")
    return f"Python {sys.version.split()[0]}"


def _libraries(_: _Patient) -> str:
    names = [_NAME.findall(entry)[0] for entry in requires("tanqiao") or []]
    found, missing = [], []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        raise _Wrong(f"missing: {', '.join(missing)}", "install tanqiao again")
    return ", ".join(found)


def _keys(patient: _Patient) -> str:
    folder = patient.home.keys
    files = sorted(path for path in folder.iterdir() if path.is_file())
    for path in (folder, *files):
        found = path.stat()
        if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO) and path != folder:
            raise _Wrong(f"{path} can be read by others", f"chmod 600 {path}")
        if found.st_mode & stat.S_IWOTH:
            raise _Wrong(f"{path} can be written by everybody", f"chmod 700 {path}")
        if found.st_uid != os.geteuid():
            raise _Wrong(f"{path} belongs to user {found.st_uid}", "run this as the user that serves")
    missing = {"log", "record", "http", "index"} - {path.name for path in files}
    if missing:
        raise _Wrong(f"{folder} has no {', '.join(sorted(missing))}", "put the files back from their copy")
    return f"{len(files)} files, readable by their owner alone"


def _checkpoints(patient: _Patient) -> str:
    state, facts = patient.settings.state, patient.home.facts()
    if lies_inside(state, patient.home.root):
        raise _Wrong(
            f"the checkpoint store {state} lies inside of the home",
            "move it out and set TANQIAO_STATE: a backup of the home must not put it back",
        )
    stored = checkpoint_store(facts, patient.settings).latest(facts.origin)
    if stored is None or not stored.note:
        raise _Wrong(
            f"{state} knows no checkpoint of {facts.origin}",
            "set TANQIAO_STATE as it was when this home was made",
        )
    return f"{state}, log entries: {stored.size}"


def _clock(patient: _Patient) -> str:
    now = time.time()
    files = [patient.home.database, patient.home.log / "checkpoint"]
    ahead = max((path.stat().st_mtime - now for path in files if path.exists()), default=0.0)
    if ahead > AHEAD_SECONDS:
        raise _Wrong(
            f"files of the home are {ahead:.0f} seconds ahead of this clock", "set the clock, by NTP at best"
        )
    if not _SYNCHRONIZED.exists():
        raise _Unknown("not behind the home's files; whether NTP keeps it cannot be told here")
    return "synchronized by NTP"


def _disk(patient: _Patient) -> str:
    free = shutil.disk_usage(patient.home.root).free
    if free < SPARE_BYTES:
        raise _Wrong(f"{free >> 20} MiB are free", "make room: from 1 GiB on a day of a city finds place")
    return f"{free >> 20} MiB are free"


def _database(patient: _Patient) -> str:
    address = f"{patient.home.database.resolve().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA quick_check")]
            orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.DatabaseError as error:
        found, orphans = [str(error)], []
    harm = [line for line in found if line != "ok"] + ["rows without what they refer to"] * bool(orphans)
    if harm:
        raise _Wrong(
            f"the database is damaged: {harm[0]}",
            "stop serving, keep a copy, put back a backup; the checkpoint store tells if it is the newest",
        )
    return "quick_check and foreign_key_check pass"


def _log(patient: _Patient) -> str:
    with open_home(patient.home.root, writing=True) as opened:
        return f"recovers at {opened.log.size} entries"


def _pins(patient: _Patient) -> str:
    with open_home(patient.home.root) as opened:
        opened.trust.require_pinned()
    return "policy and keys are the pinned ones"


def _spool(patient: _Patient) -> str:
    with open_home(patient.home.root) as opened:
        left = sorted(_left_over(opened))
    if left:
        raise _Wrong(
            f"{len(left)} files that no submission waits for: {', '.join(left[:3])}",
            f"delete them from {patient.home.spool}: they hold rows of persons",
        )
    return "empty, or waited for"


def _left_over(opened: OpenHome) -> Iterator[str]:
    folder = opened.home.spool
    with GroupCommit(opened.database) as writes:
        operations = SqlOperations(opened.database, writes)
        working = {spool.name for spool in operations.spooled()}
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.suffix == ".half":
                if time.time() - path.stat().st_mtime > UPLOAD_SECONDS:
                    yield path.name
                continue
            operation = operations.operation(path.name)
            if path.name not in working and (operation is None or operation.result):
                yield path.name


def _identity_provider(patient: _Patient) -> str:
    """Ask as the service does when a token comes: the discovery document, and from there the keys."""
    settings = patient.settings.identity
    if settings is None:
        return "none is set: operators come with tokens of this home"
    identity_gate(settings, SystemClock())  # refuses settings that do not fit together
    try:
        keys = read_key_set(ProviderKeys(settings.issuer, private=settings.private)())
    except Unreachable as error:
        raise _Wrong(f"{settings.issuer}: {error}", error.remedy) from error
    except MalformedDocument as error:
        raise _Wrong(f"{settings.issuer}: {error}", "have it sign by RSA of 2048 bits, EC or OKP") from error
    return f"{settings.issuer} answers by that name; keys that verify tokens: {len(keys)}"


_CHECKS: Final[dict[str, Callable[[_Patient], str]]] = {
    "python": _python,
    "libraries": _libraries,
    "keys": _keys,
    "checkpoint store": _checkpoints,
    "clock": _clock,
    "disk": _disk,
    "database": _database,
    "log": _log,
    "pins": _pins,
    "spool": _spool,
    "identity provider": _identity_provider,
}
