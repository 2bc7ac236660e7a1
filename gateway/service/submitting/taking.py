"""Take submissions: each becomes an operation, kept before it is answered, once however often it is sent."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from gateway.errors import MalformedDocument, Refused
from gateway.ports import Clock, NewOperation, Operation, OperationKind, Operations
from gateway.service.access.rules import own
from gateway.service.acts.scheme import Scheme
from gateway.service.each import each_of, go_on
from gateway.service.moments import instant_text

__all__ = ["ROWS_MAX", "Busy", "IdempotencyConflict", "RowsSent", "Submitting", "require_objects"]

ROWS_MAX: Final = 10_000  # of one request; more is a file
WAITING_MAX: Final = 5_000  # operations that may wait: about as many as are done in ten seconds
_BLANK: Final = b" \t\r"
KEY: Final = re.compile(r"[\x21-\x7e]{1,128}")


class IdempotencyConflict(Refused):
    """An idempotency key comes again with other content."""

    code = "idempotency-conflict"
    remedy = "use a new key for another submission; the same key repeats the first one's answer"


class RowsSent(NamedTuple):
    """Rows that a platform has sent under a key, each a JSON object in one line, to be converted together.

    ``trace`` names the span of the request, as W3C ``traceparent``; empty where there is none.
    """

    platform: str
    key: str
    mapping: str
    rows: Sequence[bytes]
    trace: str = ""


class Busy(Refused):
    """More submissions wait than can be done soon."""

    code = "busy"
    remedy = "send it again later, with the same idempotency key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitting:
    """Takes submissions of platforms.

    ``scheme`` gives the scheme of a mapping's id, ``waiting`` how many operations waited lately;
    ``require_open`` raises while this gateway takes nothing, such as when its witnesses are gone; ``trace``
    names the span of the request that is being answered.
    """

    operations: Operations
    scheme: Callable[[str], Scheme]
    waiting: Callable[[], int]
    clock: Clock
    random_bytes: Callable[[int], bytes]
    require_open: Callable[[], None]
    trace: Callable[[], str] = str

    def submit_rows(self, sent: Sequence[RowsSent]) -> list[Operation | Exception]:
        """Take what several requests have sent, each as if it came alone, or return why not in its place.

        - Refused: the mapping is another platform's, or reads another form than JSON.
        - IdempotencyConflict: the key was used for something else.

        Raises:
            Busy: too much is waiting.
        """
        self.require_room()
        new = each_of(self._new_rows)(sent)
        return go_on(new, self._keep_all)

    def _new_rows(self, sent: RowsSent) -> NewOperation:
        """Return rows as the operation that takes them, if they can be taken."""
        platform, key, mapping, rows, trace = sent
        scheme = self._own_scheme(platform, mapping)
        kind = scheme.programs[-1].source.format.kind
        if kind != "ndjson":
            raise Refused(
                f"mapping {mapping} reads files in the form {kind}, not rows in JSON",
                field="/mapping",
                remedy="upload a file: POST /v1/files",
            )
        if not 1 <= len(rows) <= ROWS_MAX:
            raise Refused(
                f"expected 1 to {ROWS_MAX} acts, got {len(rows)}",
                field="/acts",
                remedy="send several requests, or upload a file: POST /v1/files",
            )
        content = b"".join(row + b"\n" for row in rows)
        require_objects(rows, content)
        described = hashlib.sha256(b"rows\x00" + mapping.encode() + b"\x00" + content)
        return NewOperation(
            id=self.new_id(),
            kind=OperationKind.ROWS,
            platform=platform,
            key=_key(key),
            content_sha256=described.digest(),
            mapping=mapping,
            adapter=scheme.programs[-1].source.adapter,
            name="",
            rows=len(rows),
            content=content,
            created=instant_text(self.clock.now()),
            trace=trace,
        )

    def submit_file(
        self, platform: str, key: str, *, operation_id: str, sha256: bytes, mapping: str, name: str
    ) -> Operation:
        """Take a file that waits already under the operation's id."""
        scheme = self._own_scheme(platform, mapping)
        described = hashlib.sha256(
            b"file\x00" + mapping.encode() + b"\x00" + name.encode() + b"\x00" + sha256
        )
        return self._keep(
            NewOperation(
                id=operation_id,
                kind=OperationKind.FILE,
                platform=platform,
                key=_key(key),
                content_sha256=described.digest(),
                mapping=mapping,
                adapter=scheme.programs[-1].source.adapter,
                name=name,
                rows=0,
                content=None,
                created=instant_text(self.clock.now()),
                trace=self.trace(),
            )
        )

    def submit_order(
        self, platform: str, key: str, *, kind: OperationKind, content: bytes, same: bytes
    ) -> Operation:
        """Take an order; ``same`` is what a repetition of it has in common with it, without its content.

        Raises:
            IdempotencyConflict: the key was used for something else.
        """
        return self._keep(
            NewOperation(
                id=self.new_id(),
                kind=kind,
                platform=platform,
                key=_key(key),
                content_sha256=hashlib.sha256(kind.encode() + b"\x00" + same).digest(),
                mapping="",
                adapter="",
                name="",
                rows=0,
                content=content,
                created=instant_text(self.clock.now()),
                trace=self.trace(),
            )
        )

    def new_id(self) -> str:
        """Return an id for an operation."""
        return self.random_bytes(16).hex()

    def require_room(self) -> None:
        """Refuse while too much is waiting, or while nothing is taken at all."""
        self.require_open()
        if self.waiting() >= WAITING_MAX:
            raise Busy(f"{WAITING_MAX} submissions are waiting to be converted")

    def require_own(self, platform: str, mapping: str) -> None:
        """Refuse a mapping that is not the platform's."""
        self._own_scheme(platform, mapping)

    def own(self, platform: str, operation_id: str) -> Operation:
        """Return an operation of a platform.

        Raises:
            NotFound: there is none, or it is another's: nobody learns which.
        """
        found = self.operations.operation(operation_id)
        return own(found, platform, what="operation")

    def _own_scheme(self, platform: str, mapping: str) -> Scheme:
        scheme = self.scheme(mapping)
        return own(scheme, platform, what="mapping of this platform")

    def _keep(self, new: NewOperation) -> Operation:
        kept = self.operations.receive(new)
        if conflict := _conflict(new, kept):
            raise conflict
        return kept

    def _keep_all(self, new: Sequence[NewOperation]) -> list[Operation | Exception]:
        return [
            one if isinstance(one, Exception) else _conflict(sent, one) or one
            for sent, one in zip(new, self.operations.receive_all(new), strict=True)
        ]


def _conflict(new: NewOperation, kept: Operation) -> IdempotencyConflict | None:
    if kept.content_sha256 == new.content_sha256:
        return None
    return IdempotencyConflict(
        f"this key was used for operation {kept.id}, whose content or mapping is another",
        field="Idempotency-Key",
    )


def require_objects(rows: Sequence[bytes], content: bytes) -> None:
    """Refuse rows that could not stand in one document with those of other requests.

    Raises:
        MalformedDocument: names the first that is no text, or no JSON object.
    """
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start)
        raise MalformedDocument("an act is not text in UTF-8", field=f"/acts/{number}") from error
    odd = next((number for number, row in enumerate(rows) if not row.lstrip(_BLANK).startswith(b"{")), None)
    if odd is not None:
        raise MalformedDocument(
            "expected each act as a JSON object", field=f"/acts/{odd}", remedy="see openapi/gateway.yaml"
        )


def _key(text: str) -> str:
    if not KEY.fullmatch(text):
        raise Refused(
            "expected in Idempotency-Key 1 to 128 visible ASCII characters",
            field="Idempotency-Key",
            remedy="make a random one for each submission, and keep it to repeat the request",
        )
    return text
