"""What is in force between platforms: agreements and pauses, as the signed documents say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from gateway.catalog import Timeline
from gateway.errors import MalformedDocument
from gateway.model.canonical import Json
from gateway.model.shape import Shape
from gateway.model.strict import read_strict_object
from gateway.ports import CorridorDocument, CorridorDocuments, CorridorKind
from gateway.recognition import Agreement, agreement_of, day_of
from gateway.service.moments import instant_text

__all__ = [
    "DOCUMENT_BYTES_MAX",
    "AgreementBook",
    "Body",
    "Pause",
    "body_of",
    "corridor_body",
    "read_corridor_document",
]

DOCUMENT_BYTES_MAX: Final = 64 * 1024  # 200 kinds of act and 200 mappings are 40 KiB
Body = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause that has not been ended by hand."""

    digest: str
    by: str
    reason: str
    until: str


@dataclass(frozen=True, slots=True)
class AgreementBook:
    """What is in force between platforms."""

    corridors: CorridorDocuments

    def versions(self, source: str, destination: str) -> list[Agreement]:
        """Return all agreements of a corridor, also those that do not stand in the log yet."""
        documents = self.corridors.of(source, destination)
        return [_agreement(one) for one in documents if one.kind is CorridorKind.AGREEMENT]

    def in_force(self, source: str, destination: str, *, now: datetime) -> Agreement | None:
        """Return the agreement that is in force at a moment."""
        return _in_force(self.corridors.of(source, destination), now=now)

    def pauses(self, source: str, destination: str, *, now: datetime) -> list[Pause]:
        """Return the pauses of a corridor that hold at a moment."""
        return _pauses(self.corridors.of(source, destination), now=now)

    def standing(
        self, source: str, destination: str, *, now: datetime
    ) -> tuple[Agreement | None, list[Pause]]:
        """Return the agreement that is in force at a moment, and the pauses that hold, looked up once."""
        documents = self.corridors.of(source, destination)
        return _in_force(documents, now=now), _pauses(documents, now=now)


def read_corridor_document(data: bytes, shape: Shape) -> tuple[dict[str, Json], Body]:
    """Read a signed document of a corridor; returns the envelope and its body, both of the right form."""
    envelope = read_strict_object(data, DOCUMENT_BYTES_MAX)
    shape.require(envelope, "agreement")
    body = envelope["body"]
    if not isinstance(body, dict):
        raise MalformedDocument("an envelope has a body")
    return envelope, body


def _in_force(documents: Sequence[CorridorDocument], *, now: datetime) -> Agreement | None:
    logged = [
        _agreement(one)
        for one in documents
        if one.kind is CorridorKind.AGREEMENT and one.position is not None
    ]
    return Timeline(logged).on(day_of(now).toordinal())


def _pauses(documents: Sequence[CorridorDocument], *, now: datetime) -> list[Pause]:
    bodies = [(one, corridor_body(one)) for one in documents if one.kind is not CorridorKind.AGREEMENT]
    ended = {str(body["pause"]) for one, body in bodies if one.kind is CorridorKind.RESUME}
    return [
        Pause(one.digest, str(body["by"]), str(body["reason"]), str(body["until"]))
        for one, body in bodies
        if one.kind is CorridorKind.PAUSE
        and one.digest not in ended
        and instant_text(now) < str(body["until"])
    ]


@lru_cache(maxsize=256)  # a document never changes; one that is put in the log is another
def _agreement(document: CorridorDocument) -> Agreement:
    return agreement_of(corridor_body(document), document.digest)


def corridor_body(document: CorridorDocument) -> Body:
    """Return the body of a kept document."""
    return body_of(read_strict_object(document.document, DOCUMENT_BYTES_MAX))


def body_of(envelope: Body) -> Body:
    """Return the body of an envelope."""
    body = envelope["body"]
    if not isinstance(body, dict):
        raise MalformedDocument("an envelope has a body")
    return body
