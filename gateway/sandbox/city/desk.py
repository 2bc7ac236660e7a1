"""The desk: takes messages once and for ever, answers questions; knows nothing of HTTP or signatures."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple

import orjson
from pydantic import ValidationError

from gateway.errors import MalformedDocument
from gateway.model.canonical import canonical_bytes
from gateway.model.strict import read_strict_object
from gateway.sandbox.city import documents as d
from gateway.sandbox.city.accounts import ask_consent, consent_state, link_account
from gateway.sandbox.city.book import Book
from gateway.sandbox.city.deciding import carry_out
from gateway.sandbox.city.faults import Defect
from gateway.sandbox.city.moving import place_hold, place_return, prepare_credit, release
from gateway.sandbox.city.refusals import Refusal, RefusalCode, problem
from gateway.sandbox.city.rules import City
from gateway.sandbox.city.stating import totals_of
from gateway.sandbox.city.work import Work
from gateway.signing import KeyRing

__all__ = ["BATCH_MAX", "DOCUMENT_BYTES_MAX", "KINDS", "Desk", "Kind", "Reply"]

BATCH_MAX: Final = 500
DOCUMENT_BYTES_MAX: Final = 4 << 20
_SECRET: Final = frozenset({"identity"})  # in the first answer only
Json = dict[str, Any]


class Reply(NamedTuple):
    """A status of HTTP and the bytes of a JSON document."""

    status: int
    content: bytes

    @property
    def problem_code(self) -> str:
        """Return the code of a refusal; empty where it is none."""
        return str(json.loads(self.content)["code"]) if self.status >= 400 else ""


class Kind(NamedTuple):
    """One kind of message: its form and its answer's, what does it, and the member that is its id."""

    form: type[d.Document]
    answer: type[d.Document]
    act: Callable[[Work, Json], Json]
    one: str
    key: str = "id"


KINDS: Final[Mapping[str, Kind]] = {
    "holds": Kind(d.Hold, d.HoldAnswer, place_hold, "hold"),
    "credits": Kind(d.Credit, d.CreditAnswer, prepare_credit, "credit"),
    "decisions": Kind(d.Decision, d.DecisionAnswer, carry_out, "decision", "transfer"),
    "returns": Kind(d.Return, d.ReturnAnswer, place_return, "return"),
    "accounts/links": Kind(d.Link, d.LinkAnswer, link_account, "link"),
    "accounts/consents": Kind(d.Consent, d.ConsentAnswer, ask_consent, "consent"),
}
"""The kinds of message by resource."""


class Desk:
    """One city's platform. Each message is taken in a transaction together with its answer."""

    def __init__(self, city: City, book: Book, *, ring: Callable[[], KeyRing]) -> None:
        self.city = city
        self.book = book
        self._ring = ring

    def take(
        self, resource: str, content: bytes, *, now: datetime, defects: frozenset[str] = frozenset()
    ) -> Reply:
        """Take one message, or give the answer that was given to it before."""
        try:
            document = _read(content)
            with self.book.transaction() as db:
                reply = self._taken(resource, document, work=self._work(db, now, defects=defects))
                if Defect.FORGETFUL in defects:
                    raise _Forgotten(reply)
                return reply
        except _Forgotten as forgotten:
            return forgotten.reply
        except Refusal as refusal:
            return _refused(refusal)

    def take_all(
        self, resource: str, content: bytes, *, now: datetime, defects: frozenset[str] = frozenset()
    ) -> Reply:
        """Take several messages of one kind; each line has an outcome of its own, all are kept together."""
        try:
            items = _items(_read(content))
            with self.book.transaction() as db:
                work = self._work(db, now, defects=defects)
                lines: list[Json] = [self._line(resource, item, work=work) for item in items]
            return Reply(200, canonical_bytes(dict[str, Any](outcomes=lines)))
        except Refusal as refusal:
            return _refused(refusal)

    def show(self, resource: str, key: str, *, now: datetime, defects: frozenset[str] = frozenset()) -> Reply:
        """Say how something stands now; one that was refused is told by its refusal."""
        with self.book.transaction() as db:
            work = self._work(db, now, defects=defects)
            kept = work.one("SELECT * FROM answers WHERE resource = ? AND id = ?", resource, key)
            if kept is None:
                return _refused(Refusal(RefusalCode.NOT_FOUND, f"there is no such {KINDS[resource].one}"))
            if kept["status"] >= 400:
                return Reply(kept["status"], kept["answer"])
            first = {name: value for name, value in json.loads(kept["answer"]).items() if name not in _SECRET}
            return Reply(200, canonical_bytes(first | self._standing(work, resource, key=key)))

    def state(self, made: Callable[[Work], Json], *, now: datetime, defects: frozenset[str]) -> Reply:
        """Answer a question about a day."""
        with self.book.transaction() as db:
            try:
                return Reply(200, canonical_bytes(made(self._work(db, now, defects=defects))))
            except Refusal as refusal:
                return _refused(refusal)

    def state_all(self, content: bytes, *, now: datetime, defects: frozenset[str]) -> Reply:
        """State several days; each has an outcome of its own."""
        try:
            items = _items(_read(content))
            for item in items:
                _require_form(d.StatementWanted, item)
        except Refusal as refusal:
            return _refused(refusal)
        lines: list[Json] = []
        for item in items:
            reply = self.state(partial(totals_of, day=item["day"]), now=now, defects=defects)
            document = orjson.Fragment(reply.content)
            lines.append({"id": item["day"], "status": reply.status, "document": document})
        return Reply(200, canonical_bytes(dict[str, Any](outcomes=lines)))

    def _work(self, db: sqlite3.Connection, now: datetime, *, defects: frozenset[str]) -> Work:
        return Work(db, self.city, self._ring(), now, defects)

    def _standing(self, work: Work, resource: str, *, key: str) -> Json:
        if resource == "accounts/consents":
            return consent_state(work, key)
        move = work.one("SELECT transfer, state FROM moves WHERE resource = ? AND id = ?", resource, key)
        if move is None:
            return {}
        if Defect.IMPATIENT in work.defects and move["state"] == "held":
            release(work, move["transfer"])
            work.db.execute("UPDATE moves SET state = 'released' WHERE transfer = ?", (move["transfer"],))
            return {"state": "released"}
        return {"state": move["state"]}

    def _line(self, resource: str, item: Json, *, work: Work) -> Json:
        kind = KINDS[resource]
        try:
            reply = self._taken(resource, item, work=work)
        except Refusal as refusal:
            reply = _refused(refusal)
        named = item.get("body", {}) if kind.key == "transfer" else item
        key = named.get(kind.key, "") if isinstance(named, dict) else ""
        return {
            "id": key if isinstance(key, str) else "",
            "status": reply.status,
            "document": orjson.Fragment(reply.content),
        }

    def _taken(self, resource: str, document: Json, *, work: Work) -> Reply:
        """Give the answer of before, or do what is asked and keep document and answer.

        What is refused leaves nothing behind.
        """
        kind = KINDS[resource]
        _require_form(kind.form, document)
        said = document["body"] if kind.key == "transfer" else document
        key, request = said[kind.key], canonical_bytes(said)
        kept = work.one("SELECT * FROM answers WHERE resource = ? AND id = ?", resource, key)
        if kept is not None and (kept["request"] == request or Defect.CARELESS in work.defects):
            return Reply(kept["status"], kept["answer"])
        if kept is not None:
            field = ("/body" if kind.key == "transfer" else "") + _difference(
                json.loads(kept["request"]), said
            )
            raise Refusal(RefusalCode.CONFLICT, f"{key} was taken with another {field}", field=field)
        reply = self._done(kind, document, said=said, work=work)
        work.db.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?)", (resource, key, request, *reply))
        return reply

    def _done(self, kind: Kind, document: Json, *, said: Json, work: Work) -> Reply:
        """Do what is asked; a refusal for good is an answer like any other, and leaves nothing else."""
        try:
            with Book.savepoint(work.db):
                made = kind.act(work, document)
        except Refusal as refusal:
            if not refusal.sticks:
                raise
            return _refused(refusal)
        echoed = said if kind.key == "id" else {}
        if kind.form is d.Link:
            echoed = {"id": said["id"]}
        return Reply(201, canonical_bytes(echoed | made))


class _Forgotten(Exception):
    """Carries an answer out of a transaction that is rolled back."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply


def _read(content: bytes) -> Json:
    try:
        return dict(read_strict_object(content, DOCUMENT_BYTES_MAX))
    except MalformedDocument as error:
        raise Refusal(RefusalCode.MALFORMED, str(error), field=error.field) from error


def _items(document: Json) -> list[Json]:
    items = document.get("items")
    if set(document) != {"items"} or not isinstance(items, list) or not 1 <= len(items) <= BATCH_MAX:
        told = f"expected an object with `items`, 1 to {BATCH_MAX} of them"
        raise Refusal(RefusalCode.MALFORMED, told, field="/items")
    if not all(isinstance(item, dict) for item in items):
        raise Refusal(RefusalCode.MALFORMED, "expected objects", field="/items")
    return items


def _require_form(form: type[d.Document], document: Json) -> None:
    try:
        form.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        pointer = "".join(f"/{part}" for part in first["loc"])
        raise Refusal(RefusalCode.MALFORMED, str(first["msg"]), field=pointer) from error


def _difference(kept: object, said: object, *, pointer: str = "") -> str:
    """Return where two documents begin to differ, as a JSON Pointer."""
    if isinstance(kept, dict) and isinstance(said, dict):
        for name in sorted({*kept, *said}):
            if kept.get(name) != said.get(name):
                return _difference(kept.get(name), said.get(name), pointer=f"{pointer}/{name}")
    if isinstance(kept, list) and isinstance(said, list):
        for number, (one, other) in enumerate(zip(kept, said, strict=False)):
            if one != other:
                return _difference(one, other, pointer=f"{pointer}/{number}")
    return pointer


def _refused(refusal: Refusal) -> Reply:
    return Reply(refusal.status, canonical_bytes(problem(refusal)))
