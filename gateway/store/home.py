"""The home folder: what is where, who may write to it, and what was decided when it was made."""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from gateway.errors import HomeBusy, LocalFileError
from gateway.store.durable import remove_folder, write_durably

__all__ = ["Home", "HomeFacts"]

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeFacts:
    """What `init` fixed for good. ``origin`` names the log; ``issuer`` stands in every record."""

    origin: str
    issuer: str
    profile: Literal["default", "test"]
    created: str
    format: int = FORMAT


class Home:
    """Paths of one home; docs/reference/home.md says what each file is for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.database = root / "tanqiao.db"
        self.keys = root / "keys"
        self.policy = root / "trust" / "policy"
        self.key_ring = root / "trust" / "keys.json"
        self.log = root / "log"
        self.staging = root / "staging"
        self.records = root / "records"
        self._quarantine = root / "quarantine"
        self._facts = root / "home.json"

    def facts(self) -> HomeFacts:
        """Read what was decided at `init`.

        Raises:
            LocalFileError: there is no home here, or it is of a newer format.
        """
        try:
            facts = HomeFacts(**json.loads(self._facts.read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            raise LocalFileError(
                f"{self.root} is not a home", remedy=f"make one with: tanqiao init --home {self.root}"
            ) from error
        except (ValueError, TypeError) as error:
            raise LocalFileError(f"{self._facts} cannot be read: {error}") from error
        if facts.format != FORMAT:
            raise LocalFileError(
                f"{self.root} has format {facts.format}, this version reads {FORMAT}",
                remedy="use the version of tanqiao that made this home, or a newer one",
            )
        return facts

    def write_facts(self, facts: HomeFacts) -> None:
        """Finish the making of a home; a home without this file is not one."""
        write_durably(self._facts, json.dumps(asdict(facts), indent=1, sort_keys=True).encode() + b"\n")

    def exists(self) -> bool:
        """Tell whether there is a finished home here."""
        return self._facts.exists()

    def require_empty(self) -> None:
        """Refuse to make a home where something is already; leftovers of a killed `init` are swept away."""
        if self.exists():
            raise LocalFileError(f"{self.root} is a home already", remedy="use it, or name another folder")
        ours = {
            "tanqiao.db",
            "keys",
            "trust",
            "log",
            "staging",
            "lock",
            "tmp",
            "tanqiao.db-wal",
            "tanqiao.db-shm",
        }
        found = {path.name for path in self.root.iterdir()} if self.root.exists() else set()
        if found - ours:
            raise LocalFileError(f"{self.root} is not empty", remedy="name an empty or a new folder")
        for name in found - {"lock"}:
            path = self.root / name
            remove_folder(path) if path.is_dir() else path.unlink()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the home for writing: one process at a time, released by the system however it ends.

        Raises:
            HomeBusy: another process writes to this home.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise HomeBusy(f"another process is writing to {self.root}") from error
        try:
            yield
        finally:
            os.close(descriptor)

    def scratch(self) -> Path:
        """Return an empty folder for temporary files, on the home's disk; only the writer calls this."""
        folder = self.root / "tmp"
        remove_folder(folder)
        folder.mkdir(mode=0o700)
        return folder

    def set_aside(self, submission: str, part: int, *, lines: Iterable[bytes]) -> None:
        """Write the rejected rows of one part durably, replacing what a killed run has left."""
        path = self._quarantine / submission / f"part-{part:06d}.ndjson"
        write_durably(path, b"".join(line + b"\n" for line in lines), mode=0o600)
