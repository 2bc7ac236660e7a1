"""Write files of what platforms have to do, and take files of what they did.

A file carries what is owed, again and again until it is answered, as the outbox does; so a lost file costs
time and nothing else. Its rows are answers like any others that come later (``answering``): files may come
twice and in any order. A manifest beside a file, signed by whoever wrote it, says whose it is, its number
and its digest.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from itertools import chain, islice, pairwise
from typing import Final, NamedTuple

from gateway.contract import ANSWER_COLUMNS, CorridorForm, lines_of
from gateway.errors import GatewayError, IntegrityBroken, MalformedDocument, Refused
from gateway.model.canonical import Json, canonical_bytes, digest
from gateway.model.shape import Shape
from gateway.model.source import Place, RefusedRow, SourceFormat, SourceRow
from gateway.model.strict import read_strict_object
from gateway.ports import (
    CarriedFile,
    CarriedFiles,
    Clock,
    Heading,
    OutboxTask,
    PlatformMessage,
    Platforms,
    Way,
)
from gateway.service.access.onboarding import NotAdmitted
from gateway.service.each import tried
from gateway.service.moments import instant_text
from gateway.service.transfers.answering import Answering, LateAnswer, Noted, read_answer, require_dialect
from gateway.service.transfers.carrying import Owed
from gateway.signing import Signer, seal, verify_parties

__all__ = ["Carrying", "FileAltered", "FileConflict", "RowRefused", "Taken", "Written", "said_in"]

MESSAGES_MAX: Final = 50_000  # of one file; the next begins with the others
LINES_MAX: Final = 200_000  # likewise, for a message has a line for each of up to 100 lots
TOGETHER: Final = 500  # rows that are taken in one transaction
NAMED: Final = 20  # refused rows that are kept in memory
MANIFEST_BYTES_MAX: Final = 64 * 1024
FILE_TYPE: Final = "tanqiao/corridor-file/1"
CSV: Final = SourceFormat(kind="csv")
_ABOUT: Final = {"holds": "hold", "credits": "credit", "decisions": "decision"}


class FileAltered(IntegrityBroken):
    """A file is not the one that its manifest was signed for; nothing of it was taken."""

    code = "corridor-file-altered"
    remedy = "get file and manifest again from whoever wrote them, unchanged"


class FileConflict(Refused):
    """Another file of this number was taken before."""

    code = "corridor-file-conflict"
    remedy = "have the platform give each file a number of its own, one after the other"


class Written(NamedTuple):
    """A file for a platform: its number, its bytes, its signed manifest, and how many messages it has."""

    sequence: int
    content: bytes
    manifest: bytes
    messages: int


class RowRefused(NamedTuple):
    """A row from which nothing was taken, and why."""

    row: int
    code: str
    detail: str
    remedy: str


@dataclass(slots=True, kw_only=True)
class Taken:
    """What became of a file: how many of its rows were news, or known already, or refused.

    ``named``: the first rows that were refused, and why; ``missing``: numbers of files that have not come,
    the first and the last of each run of them.
    """

    platform: str
    sequence: int
    repeated: bool = False
    news: int = 0
    known: int = 0
    refused: int = 0
    named: list[RowRefused] = field(default_factory=list)
    missing: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrying:
    """Writes and takes files; joined by ``gateway.app``. ``form`` gives how a platform's are written."""

    issuer: str
    answering: Answering
    files: CarriedFiles
    platforms: Platforms
    form: Callable[[str], CorridorForm]
    shape: Shape
    signers: Sequence[Signer]
    clock: Clock

    def write(self, platform: str) -> Written | None:
        """Write a file of what is owed to a platform; None where that is nothing.

        Raises:
            OtherDialect: no files are carried to this platform.
        """
        form, owed = self._form(platform), self._owed(platform)
        first = next(owed, None)
        if first is None:
            return None
        rows = _Rows(chain([first], owed))
        content = form.render(rows, source=CSV)
        self.answering.carrier.outbox.carried(rows.told)
        made = instant_text(self.clock.now())
        sequence = self.files.write(platform, digest=digest(content), moment=made)
        body: dict[str, Json] = {
            "type": FILE_TYPE,
            "from": self.issuer,
            "to": platform,
            "sequence": sequence,
            "digest": digest(content),
            "made": made,
        }
        return Written(sequence, content, seal(body, self.signers), len(rows.told))

    def take(
        self, content: bytes, manifest: bytes, *, refused: Callable[[RowRefused], object] = bool
    ) -> Taken:
        """Take a file of answers; good rows go on, and the same file again changes nothing.

        1. whose it is  2. that it is that  3. its number  4. its rows  5. keep that it was taken

        ``refused`` is told each row from which nothing is taken.

        Raises:
            MalformedDocument, SignatureInvalid: the manifest is none, or not by a key of the platform.
            FileAltered: the file is another than the manifest's.
            FileConflict: another file had this number.
            OtherDialect, NotAdmitted: the platform sends no files, or may not.
        """
        file = self._signed(manifest)
        if digest(content) != file.digest:
            raise FileAltered(f"file {file.sequence} of {file.platform} is not that of its manifest")
        before = {one.sequence: one.digest for one in self.files.of(file.platform, Heading.IN)}
        if before.get(file.sequence, file.digest) != file.digest:
            raise _conflict(file)
        taken = Taken(platform=file.platform, sequence=file.sequence, repeated=file.sequence in before)
        rows = self._rows(content, file)
        while some := list(islice(rows, TOGETHER)):
            for one in self._take_rows(some, taken):
                refused(one)
        if not self.files.take(file):
            raise _conflict(file)
        taken.missing = _gaps([*before, file.sequence])
        return taken

    def _form(self, platform: str) -> CorridorForm:
        require_dialect(self.answering.dialects, platform, way=Way.FILE)
        return self.form(self.answering.dialects.of(platform).form)

    def _owed(self, platform: str) -> Iterator[Owed]:
        """Yield what is owed to a platform; what is no more is forgotten."""
        carrier = self.answering.carrier
        waiting = iter(carrier.outbox.waiting(platform, limit=MESSAGES_MAX))
        while tasks := list(islice(waiting, TOGETHER)):
            some = carrier.owed(tasks)
            past = set(tasks) - {one.task for one in some}
            if past:
                carrier.outbox.end(sorted(past))
            yield from some

    def _signed(self, manifest: bytes) -> CarriedFile:
        envelope = read_strict_object(manifest, MANIFEST_BYTES_MAX)
        self.shape.require(envelope, "manifest")
        stated = envelope["body"]
        if not isinstance(stated, dict) or stated["to"] != self.issuer:
            raise MalformedDocument(f"the file is not for {self.issuer}", field="/body/to")
        platform = self.platforms.platform(str(stated["from"]))
        if platform is None or platform.suspended:
            raise NotAdmitted(f"{stated['from']} is no platform here, or suspended")
        keys = {key.id: key.public for key in self.platforms.keys(platform.id) if key.revoked is None}
        verify_parties(envelope, keys.get)
        number, moment = int(str(stated["sequence"])), instant_text(self.clock.now())
        return CarriedFile(platform.id, Heading.IN, number, str(stated["digest"]), moment)

    def _rows(self, content: bytes, file: CarriedFile) -> Iterator[tuple[int, LateAnswer | RowRefused]]:
        form = self._form(file.platform)
        name = f"file {file.sequence} of {file.platform}"
        for number, row in enumerate(form.rows(BytesIO(content), name, source=CSV), 1):
            if isinstance(row, RefusedRow):
                remedy = "have the row written anew"
                yield number, RowRefused(number, str(row.code), row.detail, remedy)
                continue
            fields: dict[str, Json] = {
                name: row.fields[name] for name in ANSWER_COLUMNS if row.fields.get(name)
            }
            answer = tried(partial(read_answer, fields))
            yield number, answer if isinstance(answer, LateAnswer) else _refused(number, answer)

    def _take_rows(
        self, rows: Sequence[tuple[int, LateAnswer | RowRefused]], taken: Taken
    ) -> list[RowRefused]:
        """Take some rows and count them; returns those from which nothing was taken."""
        refused: list[RowRefused] = []
        answers = [one for _, one in rows if isinstance(one, LateAnswer)]
        noted = iter(self.answering.take_all(answers, sender=taken.platform))
        for number, one in rows:
            outcome = next(noted) if isinstance(one, LateAnswer) else one
            if isinstance(outcome, Noted):
                taken.news += outcome.is_news
                taken.known += not outcome.is_news
            else:
                refused.append(outcome if isinstance(outcome, RowRefused) else _refused(number, outcome))
        taken.refused += len(refused)
        taken.named += refused[: NAMED - len(taken.named)]
        return refused


class _Rows:
    """The rows of a file, made while it is written, so that messages are not all in memory.

    ``told``: the messages they were made from, up to as many as a file may have lines.
    """

    def __init__(self, owed: Iterator[Owed]) -> None:
        self.told: list[OutboxTask] = []
        self._owed = owed

    def __iter__(self) -> Iterator[SourceRow]:
        number = 0
        for one in self._owed:
            self.told.append(one.task)
            for line in _lines(one):
                number += 1
                yield SourceRow(Place("", number), line)
            if number >= LINES_MAX:
                return


def said_in(message: PlatformMessage) -> dict[str, Json]:
    """Return what a message says: of a decision its body, for its signatures may differ."""
    document = message.document()
    body = document.get("body", document)
    return body if isinstance(body, dict) else document


def _lines(owed: Owed) -> Iterator[dict[str, str]]:
    message = owed.message
    name = digest(canonical_bytes(said_in(message)))
    return lines_of(_ABOUT[message.resource], message.document(), digest=name)


def _refused(number: int, error: GatewayError) -> RowRefused:
    return RowRefused(number, error.code, str(error), error.remedy)


def _conflict(file: CarriedFile) -> FileConflict:
    return FileConflict(f"{file.platform} has sent another file {file.sequence}", field="/sequence")


def _gaps(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Return which numbers are missing from 1 to the highest, as runs."""
    known = sorted({0, *numbers})
    return [(one + 1, other - 1) for one, other in pairwise(known) if other - one > 1]
