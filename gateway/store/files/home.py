"""The home folder: what is where, who may write to it, and what was decided when it was made."""

import json
import re
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Literal

from gateway.errors import LocalFileError
from gateway.model.visible import safe_line
from gateway.store.files.durable import remove_folder, sync_folder, write_durably
from gateway.store.files.locking import locked
from gateway.store.files.set_aside import still_erased

__all__ = ["Home", "HomeFacts", "Profile"]

FORMAT = 1
Profile = Literal["default", "test", "production"]
_PERSON_KEY = re.compile(r"person-[1-9][0-9]*")
_RECORD_KEY = re.compile(r"record(-[1-9][0-9]*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeFacts:
    """What `init` fixed for good. ``origin`` names the log; ``issuer`` stands in every record.

    ``database`` is the address of the PostgreSQL database, without a password; empty: the home's own file.
    """

    origin: str
    issuer: str
    profile: Profile
    created: str
    database: str = ""
    format: int = FORMAT


class Home:
    """Paths of one home; docs/reference/home.md says what each file is for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.database = root / "tanqiao.db"
        self.keys = root / "keys"
        self.policy = root / "trust" / "policy"
        self.key_ring = root / "trust" / "keys.json"
        self.maintainers = root / "trust" / "maintainers.json"
        self.log = root / "log"
        self.staging = root / "staging"
        self.records = root / "records"
        self.erasing = root / "erasing"
        self.findings = root / "findings"
        self.reversals = root / "reversals"
        self.spool = root / "spool"
        self.witnesses = root / "witnesses"
        self._quarantine = root / "quarantine"
        self._facts = root / "home.json"
        self._unfinished = root / "unfinished"

    @property
    def set_aside_folders(self) -> tuple[Path, ...]:
        """Return the folders of rows that were set aside: whoever erases a person looks into all of them."""
        return (self._quarantine,)

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
        self._unfinished.unlink(missing_ok=True)

    def writer(self) -> str:
        """Name those whom the home's file lock keeps apart: they share a kernel and a folder."""
        boot = Path("/proc/sys/kernel/random/boot_id")
        kernel = boot.read_text(encoding="ascii").strip() if boot.exists() else ""
        found = (self.root / "lock").stat()
        return f"{socket.gethostname()}/{kernel}/{found.st_dev}:{found.st_ino}"

    def exists(self) -> bool:
        """Tell whether there is a finished home here."""
        return self._facts.exists()

    def begin_making(self) -> None:
        """Mark the folder as a home in the making; what a killed `init` has left there is swept away.

        Raises:
            LocalFileError: there is something else in the folder; nothing of it was touched.
        """
        if self.exists():
            raise LocalFileError(f"{self.root} is a home already", remedy="use it, or name another folder")
        found = [path for path in self.root.iterdir() if path.name != "lock"]
        if found and not self._unfinished.exists():
            raise LocalFileError(f"{self.root} is not empty", remedy="name an empty or a new folder")
        self._unfinished.touch()
        sync_folder(self.root)
        for path in found:
            if path != self._unfinished:
                remove_folder(path) if path.is_dir() else path.unlink()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the home for writing: one process at a time, released by the system however it ends.

        Raises:
            HomeBusy: another process writes to this home.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with locked(self.root / "lock", told=f"another process is writing to {self.root}"):
            yield

    def record_keys(self) -> list[Path]:
        """Return the files of the record keys; what a kill has left half written is none."""
        return sorted(path for path in self.keys.glob("record*") if _RECORD_KEY.fullmatch(path.name))

    def next_record_key(self) -> Path:
        """Return a free place for one more record key."""
        taken = {path.name for path in self.record_keys()}
        return self.keys / next(name for n in count(2) if (name := f"record-{n}") not in taken)

    def person_keys(self) -> list[Path]:
        """Return the files of the keys of persons' pseudonyms, the newest epoch first."""
        found = [path for path in self.keys.glob("person-*") if _PERSON_KEY.fullmatch(path.name)]
        return sorted(found, key=lambda path: int(path.name.partition("-")[2]), reverse=True)

    def next_person_key(self) -> Path:
        """Return the place of the key of a new epoch."""
        return self.keys / f"person-{len(self.person_keys()) + 1}"

    def scratch(self) -> Path:
        """Return an empty folder for temporary files, on the home's disk; only the writer calls this."""
        folder = self.root / "tmp"
        remove_folder(folder)
        folder.mkdir(mode=0o700)
        return folder

    def lines(self, submission: str) -> Iterator[bytes]:
        """Return the rows that a submission has set aside, one JSON object each."""
        for path in sorted((self._quarantine / submission).glob("part-*.ndjson")):
            yield from path.read_bytes().splitlines()

    def set_aside(self, submission: str, part: int, *, lines: Iterable[bytes]) -> None:
        """Write the rejected rows of one part durably, replacing what a killed run has left.

        Rows of this part that were erased stay erased.
        """
        path = self._quarantine / submission / f"part-{part:06d}.ndjson"
        text = "".join(safe_line(line.decode()) + "\n" for line in still_erased(path, lines))
        write_durably(path, text.encode(), mode=0o600)
