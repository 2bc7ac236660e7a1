"""Every numbered check of a transfer, with a transfer that it alone stops.

One transfer passes all checks: it is quoted, started, held and reserved. Each scenario changes one fact of
it, and is told the one code. Which scenarios there must be is read from the table of checks.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.app.base.home import OpenHome, open_home
from gateway.app.records.links import unlink
from gateway.app.transfers.moving import carrier, transferring
from gateway.errors import GatewayError
from gateway.model.canonical import Json
from gateway.model.strict import read_strict_object
from gateway.model.transfer import CHECKS, CreditId, HoldId, TransferState
from gateway.model.transfer import TransferRefusal as Code
from gateway.ports import Corridor
from gateway.protocol import Held, Prepared
from gateway.recognition import failures
from gateway.service.agreements.drafts import pause_body
from gateway.service.moments import instant_text
from gateway.service.transfers.quoting import QuoteAsked, TransferRefused, make_quote
from gateway.store.ledger.books import SqlLedger
from gateway.store.serving.platforms import SqlPlatforms
from tests.fakes.claims import PLATFORMS, At, seen
from tests.fakes.corridors import transfer_id
from tests.fakes.moving import (
    AFTER,
    KEYS,
    agree,
    agreement,
    copied,
    moving_home,
    signed,
    versions,
)
from tests.unit.recognition.lots import FAILING, lot, wish

WHOLE_MG = 800_000  # of 8.0 km by bicycle at the source, which the destination recognises in whole


@dataclass
class Attempt:
    """A transfer of one ride, and what is different about it. ``between`` is done once it is quoted."""

    home: Path
    points: int = 80
    between: Callable[[Path], object] = lambda _home: None
    later: timedelta = timedelta()
    sender: str = PLATFORMS[0]
    body: dict[str, Json] = field(default_factory=dict)
    committed: bool = False

    def run(self) -> str:
        """Quote, start, hold and reserve; return the code that was told, empty if all was reserved."""
        try:
            with open_home(self.home) as opened, SqlLedger(opened.database) as ledger:
                return self._move(opened, ledger)
        except TransferRefused as refused:
            (failed,) = refused.failed
            assert failed.number == CHECKS[failed.code]
            return refused.code
        except GatewayError as refused:
            return refused.code

    def _move(self, opened: OpenHome, ledger: SqlLedger) -> str:
        parts = transferring(opened, ledger, versions=versions(self.home.parent), clock=At(AFTER))
        account = parts.names.pseudonym(PLATFORMS[0], "an")
        asked = QuoteAsked(corridor=Corridor(*PLATFORMS[:2]), account=account, points=self.points)
        made = make_quote(asked, parts.quoting)
        self.between(self.home)
        now, name = At(AFTER + self.later), transfer_id()
        body: dict[str, Json] = {
            "id": name,
            "quote": read_strict_object(made.envelope),
            "source_account": "an",
            "destination_account": "an",
        }
        answer = read_strict_object(replace(parts, clock=now).start(body | self.body, sender=self.sender))
        carrying = carrier(opened, ledger, clock=now)
        carrying.happen(name, lambda moment: Held(moment, HoldId("hd_" + 26 * "0"), self.points))
        transfer = carrying.read_all([name])[name].move.transfer
        assert answer["accepted"] or answer["reason"] == transfer.reason
        if self.committed:
            carrying.happen(name, lambda moment: Prepared(moment, CreditId("cr_" + 26 * "0"), self.points))
        return "" if transfer.state is TransferState.RESERVED else transfer.reason


def suspend(home: Path) -> None:
    with open_home(home, writing=True) as opened:
        SqlPlatforms(opened.database).suspend(PLATFORMS[1], "an audit")


def pause(home: Path) -> None:
    until = instant_text(AFTER + timedelta(days=9))
    corridor = (PLATFORMS[0], PLATFORMS[1])
    body = pause_body(corridor, by=PLATFORMS[1], reason="under review", until=until, now=AFTER)
    agree(home, signed(body, KEYS[PLATFORMS[1]]))


def caps(**changes: str) -> dict[str, Json]:
    open_caps = dict.fromkeys(("person_day_mg", "corridor_day_mg", "platform_day_mg"), "9000000")
    return {"caps": {**open_caps, **changes}}


TOO_LITTLE = str(WHOLE_MG - 1)
TRANSFERS: dict[Code, dict[str, Any]] = {
    Code.MALFORMED: {"body": {"id": "tr_1"}},
    Code.PLATFORM_NOT_ACTIVE: {"between": suspend},
    Code.QUOTE_UNKNOWN: {"sender": PLATFORMS[2]},
    Code.QUOTE_DIFFERS: {
        "points": 40,
        "between": lambda home: Attempt(home, points=40, committed=True).run(),
    },
    Code.QUOTE_EXPIRED: {"later": timedelta(minutes=5)},
    Code.PERSON_NOT_LINKED: {"between": lambda home: unlink(home, "an", platform=PLATFORMS[1])},
    Code.AGREEMENT_NOT_IN_FORCE: {"agreed": {"valid": {"from": "2025-03-21"}}},
    Code.CORRIDOR_PAUSED: {"between": pause},
    Code.BELOW_MINIMUM: {"agreed": {"minimum_mg": str(WHOLE_MG + 1)}},
    Code.PERSON_LIMIT: {"agreed": caps(person_day_mg=TOO_LITTLE)},
    Code.CORRIDOR_LIMIT: {"agreed": caps(corridor_day_mg=TOO_LITTLE)},
    Code.PLATFORM_LIMIT: {"agreed": caps(platform_day_mg=TOO_LITTLE)},
    Code.CENTRAL_LIMIT: {"central_mg": TOO_LITTLE},
    Code.POSITION_LIMIT: {"agreed": {"net_debit_cap_mg": TOO_LITTLE}},
}
"""One change of a transfer that is reserved without it, or of its agreement, by the check that then fails."""

JUST_PASSES: dict[Code, dict[str, Any]] = {
    Code.QUOTE_EXPIRED: {"later": timedelta(minutes=4, seconds=59)},
    Code.AGREEMENT_NOT_IN_FORCE: {"agreed": {"valid": {"from": "2025-03-20"}}},
    Code.BELOW_MINIMUM: {"agreed": {"minimum_mg": str(WHOLE_MG)}},
    Code.PERSON_LIMIT: {"agreed": caps(person_day_mg=str(WHOLE_MG))},
    Code.CORRIDOR_LIMIT: {"agreed": caps(corridor_day_mg=str(WHOLE_MG))},
    Code.PLATFORM_LIMIT: {"agreed": caps(platform_day_mg=str(WHOLE_MG))},
    Code.CENTRAL_LIMIT: {"central_mg": str(WHOLE_MG)},
    Code.POSITION_LIMIT: {"agreed": {"net_debit_cap_mg": str(WHOLE_MG)}},
}
"""The same facts, changed by one less: nothing fails."""

TOLD_AS = {Code.MALFORMED: "malformed-document", Code.QUOTE_UNKNOWN: "not-found"}
"""Checks of any request, which have the codes of any request."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        yield moving_home(tmp_path_factory.mktemp("checks"), patch, [seen("e-1", "an", 0, 20)])


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One ride of 8.0 km: 800 g for 80 points at the source, and no agreement yet."""
    return copied(made, tmp_path, monkeypatch)


def attempted(
    home: Path, *, agreed: dict[str, Json] | None = None, central_mg: str = "", **changes: Any
) -> str:
    agree(home, signed(agreement(**(agreed or {}))))
    with pytest.MonkeyPatch.context() as patch:
        if central_mg:
            patch.setenv("TANQIAO_CENTRAL_DAY_MG", central_mg)
        return Attempt(home, **changes).run()


def test_every_check_has_a_scenario() -> None:
    of_lots = {code for code, _ in FAILING}

    assert of_lots | TRANSFERS.keys() == CHECKS.keys()
    assert of_lots.isdisjoint(TRANSFERS)


def test_without_a_change_no_check_fails(home: Path) -> None:
    assert list(failures(lot(), wish())) == []
    assert attempted(home) == ""


@pytest.mark.parametrize(("code", "changes"), FAILING)
def test_a_lot_is_stopped_by_this_check_alone(code: Code, changes: dict[str, Any]) -> None:
    """All checks of a lot are made, whichever fails first."""
    (failed,) = failures(lot(**changes), wish())

    assert (failed.code, failed.number) == (code, CHECKS[code])


@pytest.mark.parametrize("code", TRANSFERS, ids=CHECKS.__getitem__)
def test_a_transfer_is_stopped_by_this_check_alone(home: Path, code: Code) -> None:
    """It differs in one fact from a transfer that is reserved, so nothing else can have stopped it."""
    assert attempted(home, **TRANSFERS[code]) == TOLD_AS.get(code, code)


@pytest.mark.parametrize("code", JUST_PASSES, ids=CHECKS.__getitem__)
def test_what_just_meets_a_check_passes_them_all(home: Path, code: Code) -> None:
    assert attempted(home, **JUST_PASSES[code]) == ""


def test_a_quote_of_more_than_is_left_by_now_differs(home: Path) -> None:
    used = {"between": lambda home: Attempt(home, points=40, committed=True).run()}

    assert attempted(home, points=60, **used) == Code.QUOTE_DIFFERS
