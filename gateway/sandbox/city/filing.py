"""Work through a file of what the city has to do, and write what it did: no request comes in or goes out."""

import base64
import hmac
from collections.abc import Iterator
from io import BytesIO
from itertools import groupby
from typing import Any, Final

from gateway.contract import ANSWER_COLUMNS, CommonForm, document_of
from gateway.errors import MalformedDocument
from gateway.model.canonical import canonical_bytes, digest
from gateway.model.source import Place, SourceFormat, SourceRow
from gateway.model.strict import read_strict_object
from gateway.sandbox.city.deciding import NEWEST
from gateway.sandbox.city.desk import KINDS
from gateway.sandbox.city.parts import CityParts
from gateway.sandbox.city.work import moment_text
from gateway.signing import seal, verify_envelope

__all__ = ["answer_file"]

_RESOURCES: Final = {"hold": "holds", "credit": "credits", "decision": "decisions"}
_FORMAT: Final = SourceFormat(kind="csv")
_SEQUENCE: Final = "files answered"
Json = dict[str, Any]
Line = dict[str, str]


def answer_file(parts: CityParts, content: bytes, *, envelope: Json) -> Json:
    """Do what a file says, if the gateway has signed its manifest; returns the city's file and manifest."""
    body: Json = dict(verify_envelope(envelope, parts.ring(), position=NEWEST))
    if body["to"] != parts.desk.city.platform or not hmac.compare_digest(body["digest"], digest(content)):
        raise MalformedDocument("the manifest is not that of a file for this city", field="/manifest")
    lines = list(_done(parts, content))
    rows = [SourceRow(Place("", number), line) for number, line in enumerate(lines, 1)]
    made = CommonForm().render(rows, source=_FORMAT)
    sequence = int(parts.desk.book.fact(_SEQUENCE, "0")) + 1
    parts.desk.book.remember(_SEQUENCE, str(sequence))
    stated: Json = {
        "type": body["type"],
        "from": body["to"],
        "to": body["from"],
        "sequence": sequence,
        "digest": digest(made),
        "made": moment_text(parts.clock.now()),
    }
    manifest = read_strict_object(seal(stated, [parts.signer]))
    return {"sequence": sequence, "content": base64.b64encode(made).decode(), "manifest": manifest}


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
