"""Work through a file of what the city has to do, and write what it did: no request comes in or goes out."""

import hmac
from collections.abc import Iterator
from io import BytesIO
from itertools import groupby
from typing import Any, Final, NamedTuple

from gateway.contract import ANSWER_COLUMNS, CommonForm, document_of
from gateway.errors import MalformedDocument
from gateway.model.canonical import canonical_bytes, digest
from gateway.model.source import Place, SourceFormat, SourceRow
from gateway.sandbox.city.deciding import NEWEST
from gateway.sandbox.city.desk import KINDS
from gateway.sandbox.city.parts import CityParts
from gateway.sandbox.city.work import moment_text
from gateway.signing import seal, verify_envelope

__all__ = ["FileAnswered", "answer_file"]

_RESOURCES: Final = {"hold": "holds", "credit": "credits", "decision": "decisions"}
_FORMAT: Final = SourceFormat(kind="csv")
_SEQUENCE: Final = "files answered"
Json = dict[str, Any]
Line = dict[str, str]


class FileAnswered(NamedTuple):
    """What a city did, as a file with its manifest."""

    manifest: bytes
    content: bytes


def answer_file(parts: CityParts, content: bytes, *, envelope: Json) -> FileAnswered:
    """Do what a file says, if the gateway has signed its manifest; again, it says the same."""
    body: Json = dict(verify_envelope(envelope, parts.ring(), position=NEWEST))
    if body["to"] != parts.desk.city.platform or not hmac.compare_digest(body["digest"], digest(content)):
        raise MalformedDocument("the manifest is not that of a file for this city", field="/manifest")
    lines = list(_done(parts, content))
    rows = [SourceRow(Place("", number), line) for number, line in enumerate(lines, 1)]
    made = CommonForm().render(rows, source=_FORMAT)
    stated: Json = {
        "type": body["type"],
        "from": body["to"],
        "to": body["from"],
        "sequence": parts.desk.book.count(_SEQUENCE),
        "digest": digest(made),
        "made": moment_text(parts.clock.now()),
    }
    return FileAnswered(seal(stated, [parts.signer]), made)


def _done(parts: CityParts, content: bytes) -> Iterator[Line]:
    """Do what each message of a file says, and yield what came of it."""
    rows = CommonForm().rows(BytesIO(content), "", source=_FORMAT)
    for _, group in groupby(rows, key=lambda row: (row.fields["about"], row.fields["transfer"])):
        lines = [dict(row.fields) for row in group]
        about, document = lines[0]["about"], document_of(lines)
        resource = _RESOURCES[about]
        said = document["body"] if KINDS[resource].key == "transfer" else document
        code = ""
        if digest(canonical_bytes(said)) != lines[0]["digest"]:
            code = "malformed-document"
        else:
            reply = parts.desk.take(
                resource,
                canonical_bytes(document),
                now=parts.clock.now(),
                defects=parts.board.defects(f"/v1/{resource}"),
            )
            code = reply.problem_code
        answer = (lines[0]["transfer"], about, lines[0]["digest"], "refused" if code else "done", code)
        yield dict(zip(ANSWER_COLUMNS, answer, strict=True))
