"""Quote, start and show transfers of a home, by whoever operates it."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import orjson

from gateway.app.base.home import open_home
from gateway.app.base.mappings import Versions
from gateway.app.reviewing.publications import approved_at
from gateway.app.transfers.moving import transferring
from gateway.model.canonical import Json
from gateway.model.strict import read_strict_object
from gateway.ports import Corridor
from gateway.service.transfers.quoting import QuoteAsked, make_quote
from gateway.service.transfers.refusing import NotStarted
from gateway.service.transfers.transferring import Transferring, positions_shown
from gateway.store.files.durable import write_durably
from gateway.store.files.inputs import read_small
from gateway.store.ledger.books import SqlLedger
from gateway.store.ledger.decision_log import SqlDecisionLog
from gateway.store.ledger.moves import SqlMoveIndex

__all__ = [
    "Corridor",
    "Wish",
    "listed",
    "new_id",
    "positions",
    "quote",
    "require_accepted",
    "show",
    "start",
]

QUOTE_BYTES_MAX: Final = 256 * 1024
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32


class Wish(NamedTuple):
    """What somebody wants to move: ``points``, or what is left of ``records``."""

    corridor: Corridor
    account: str
    points: int | None = None
    records: Sequence[str] = ()


def new_id() -> str:
    """Return a new id for a transfer."""
    return "tr_" + "".join(secrets.choice(_ALPHABET[:8] if place == 0 else _ALPHABET) for place in range(26))


def quote(
    root: Path, wish: Wish, *, out: Path, lang: str, mappings: Sequence[Path] = ()
) -> dict[str, object]:
    """Quote a move, write the signed quote to a file, and return why so much arrives."""
    with _opened(root, mappings) as parts:
        account = parts.names.pseudonym(wish.corridor.source, wish.account)
        asked = QuoteAsked(corridor=wish.corridor, account=account, points=wish.points, records=wish.records)
        made = make_quote(asked, parts.quoting)
    write_durably(out, made.envelope + b"\n")
    amounts = made.quote.amounts
    return {
        "quote": made.quote.id,
        "points_out": str(amounts.points_out),
        "points_in": str(amounts.points_in),
        "expires": made.quote.expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "file": str(out),
        "reasons": getattr(made.explanation, lang),
    }


def start(
    root: Path, file: Path, *, name: str, accounts: tuple[str, str], mappings: Sequence[Path] = ()
) -> dict[str, object]:
    """Start a transfer of what was quoted; the serving gateway carries it out."""
    source, destination = accounts
    body: dict[str, Json] = {
        "id": name,
        "quote": read_strict_object(read_small(file), QUOTE_BYTES_MAX),
        "source_account": source,
        "destination_account": destination,
    }
    with _opened(root, mappings) as parts:
        answer: dict[str, object] = orjson.loads(parts.start(body))
    return answer


def require_accepted(answer: Mapping[str, object]) -> None:
    """Refuse to go on after a transfer that was refused.

    Raises:
        NotStarted: it was.
    """
    if not answer["accepted"]:
        raise NotStarted(str(answer["id"]), str(answer["reason"]))


def show(root: Path, name: str) -> dict[str, Json]:
    """Return how a transfer stands, and the entry of the log that its decision stands in."""
    with _opened(root, ()) as parts:
        shown, decision = parts.show(name), parts.reader.decision(name)
    if decision is None:
        return shown
    with open_home(root) as opened:
        batch = SqlDecisionLog(opened.database).holding(decision.number)
    return shown if batch is None else {**shown, "log_entry": batch.position}


def listed(root: Path, platform: str, *, after: str, limit: int) -> list[dict[str, Json]]:
    """Return transfers of a platform, or of all."""
    with _opened(root, ()) as parts:
        return parts.listed(viewer=platform, after=after, limit=limit)


def positions(root: Path, platform: str) -> list[dict[str, Json]]:
    """Return what platforms owe each other."""
    with open_home(root) as opened:
        return positions_shown(SqlMoveIndex(opened.database).positions(platform))


@contextmanager
def _opened(root: Path, mappings: Sequence[Path]) -> Iterator[Transferring]:
    with open_home(root) as opened, SqlLedger(opened.database) as ledger:
        yield transferring(opened, ledger, versions=Versions(mappings, approved=approved_at(opened)))
