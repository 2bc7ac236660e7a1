"""Quotes over real homes: what moves, how much arrives, why, and what does not move."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from gateway.app.base.home import open_home
from gateway.app.base.mappings import Versions
from gateway.app.records.links import link, unlink
from gateway.app.transfers.quoting import quoting
from gateway.errors import MalformedDocument, NotFound, UsageError
from gateway.model.canonical import canonical_bytes
from gateway.model.quote import Quote
from gateway.model.shape import Shape
from gateway.model.strict import read_strict_object
from gateway.model.transfer import is_id
from gateway.ports import LotState
from gateway.recognition import DayUse
from gateway.resources import schema
from gateway.service.transfers.quoting import Quoting, TransferRefused, quote_of, subject_of
from gateway.signing import SignatureInvalid
from tests.fakes.claims import PLATFORMS, seen, submit, write_mapping
from tests.fakes.homes import make_home, rows_of
from tests.fakes.moving import (
    AFTER,
    Books,
    agree,
    agreement,
    close_rides,
    copied,
    moving_home,
    quote,
    signed,
    versions,
)

RIDES = [
    seen("e-1", "an", 0, 20),
    seen("e-2", "an", 60, 80, km="3.3"),
    seen("e-3", "an", 100, 110, kind="M"),
    seen("e-4", "bo", 0, 20),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        home = moving_home(tmp_path_factory.mktemp("quotes"), patch, RIDES)
        agree(home, signed(agreement()))
        yield home


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Rides of 8.0 and 3.3 km by bicycle: 800 g for 80 points, 330 g for 33 points at the first platform."""
    return copied(made, tmp_path, monkeypatch)


def record(home: Path, event: str = "e-1") -> str:
    return next(row.id for row in rows_of(home) if row.event == event)


def refused_with(home: Path, books: Books | None = None, **asked: Any) -> str:
    with pytest.raises(TransferRefused) as refused:
        quote(home, books, **asked)
    assert refused.value.code == refused.value.failed[0].code
    assert refused.value.failed[0].number in str(refused.value)
    return refused.value.code


def test_an_act_moves_for_what_the_source_counted_where_the_destination_counts_more(home: Path) -> None:
    """8.0 km are 800 g here and 1200 g there, for 120 points: 800 of the 1200 g are worth 80 points."""
    made = quote(home, records=[record(home)]).quote

    (lot,) = made.lots
    assert (lot.use.points, lot.use.used_mg) == (80, 800_000)
    assert (lot.use.recognised_mg, lot.use.unrecognised_mg) == (800_000, 0)
    assert (lot.use.points_in, lot.points_in, lot.dust) == (80, 80, 0)
    assert lot.expires == ""


def test_an_act_moves_for_what_the_basis_gives_where_that_is_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other way 1200 g are worth 800 g; a part of 40 of 120 points comes to a third of that."""
    home = moving_home(tmp_path, monkeypatch, [], closed=False)
    submit(home, PLATFORMS[1], [seen("e-1", "an", 0, 20)])
    close_rides(home)
    agree(home, signed(agreement((1, 0))))

    made = quote(home, points=40, corridor=(1, 0)).quote

    (lot,) = made.lots
    assert (lot.use.points, lot.use.used_mg) == (40, 400_000)
    assert (lot.use.recognised_mg, lot.use.unrecognised_mg) == (266_666, 133_334)
    assert lot.use.points_in == Fraction(266_666, 10_000)
    assert (lot.points_in, lot.dust) == (26, Fraction(6_666, 10_000))
    assert made.amounts == (40, 26, 400_000, 266_666, 133_334, Fraction(6_666, 10_000))


def test_parts_one_after_the_other_come_to_what_the_whole_comes_to(home: Path) -> None:
    agree(home, signed(agreement((0, 2), evidence=[{"grade": "operator-record", "factor": "0.7"}])))
    books, name, parts = Books(), record(home), []
    while len(parts) < 10:
        parts.append(quote(home, books, records=[name], points=8, corridor=(0, 2)).quote)
        books.take(parts[-1])

    (whole,) = [quote(home, records=[name], corridor=(0, 2)).quote.amounts]
    assert tuple(sum(column) for column in zip(*(part.amounts for part in parts), strict=True)) == whole
    assert refused_with(home, books, records=[name], corridor=(0, 2)) == "lot-spent"


def test_a_reference_is_the_basis_where_it_is_agreed(home: Path) -> None:
    """The first platform's own rules as the reference: no more than they give is recognised."""
    agree(home, signed(agreement((0, 2), basis=f"reference:{PLATFORMS[1]}/rides")))

    made = quote(home, records=[record(home)], corridor=(0, 2)).quote

    (lot,) = made.lots
    assert lot.basis != lot.credited_by
    assert (lot.use.recognised_mg, lot.points_in) == (800_000, 80)


def test_points_are_picked_over_several_records_and_never_more_than_asked(home: Path) -> None:
    made = quote(home, points=100).quote
    everything = quote(home, points=1_000)

    assert made.amounts.points_out == 100
    assert len(made.lots) == 2
    assert everything.quote.amounts.points_out == 113
    assert "1000 points were asked for; only 113 can move." in everything.explanation.en
    assert "1 records are left out: T32 behaviour-not-admitted." in everything.explanation.en


def test_every_rule_is_explained_in_both_languages(home: Path) -> None:
    made = quote(home, records=[record(home)], points=60)

    english, chinese = made.explanation.en, made.explanation.zh
    assert len(english) == len(chinese)
    assert english[0] == "60 points of cn-000000/yunxi become 60 points of cn-000001/haimen."
    assert chinese[0] == "cn-000000/yunxi的60积分折合cn-000001/haimen的60积分。"
    told = "\n".join(english)
    for figure in (
        "800000 mg and 80 points by cn-000000/yunxi/rides v1",
        "600000 mg of it move, which burns 60 points",
        "cn-000001/haimen/rides v1, the whole act is worth 1200000 mg: the source's 800000 mg count",
        "600000 mg × 1 = 600000 mg; rounded down, 600000 mg are recognised, 0 mg count nowhere",
        "gives 120 points for the act's 1200000 mg: 60 points for this part",
        "They never lapse",
    ):
        assert figure in told


def test_a_quote_is_signed_has_its_form_and_holds_for_five_minutes(home: Path) -> None:
    made = quote(home, points=10)
    shape = Shape(schema("quote"))
    with open_home(home) as opened:
        ring, size = opened.trust.ring(), opened.log.size

    def read(data: bytes, seconds: int) -> Quote:
        now = AFTER + timedelta(seconds=seconds)
        return quote_of(data, ring, shape=shape, position=size, now=now)

    assert read(made.envelope, 299) == made.quote
    assert is_id(made.quote.id, "qt")
    assert made.quote.subject == subject_of(made.quote.id, made.person)
    with pytest.raises(TransferRefused) as late:
        read(made.envelope, 300)
    assert late.value.code == "quote-expired"
    changed = made.envelope.replace(b'"points_in":"10"', b'"points_in":"11"')
    assert changed != made.envelope
    with pytest.raises(SignatureInvalid):
        read(changed, 0)
    with pytest.raises(MalformedDocument):
        read(canonical_bytes({**read_strict_object(made.envelope), "more": "1"}), 0)


def test_a_quote_with_as_many_lots_as_it_may_have_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rides = [seen(f"e-{n}", "an", 4 * n, 4 * n + 3, km="0.5") for n in range(120)]
    home = moving_home(tmp_path, monkeypatch, rides)
    agree(home, signed(agreement()))

    made = quote(home, points=5_000)

    with open_home(home) as opened:
        ring, size = opened.trust.ring(), opened.log.size
    read = quote_of(made.envelope, ring, shape=Shape(schema("quote")), position=size, now=AFTER)
    assert len(read.lots) == 100


def test_a_record_of_an_open_day_does_not_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = moving_home(tmp_path, monkeypatch, RIDES, closed=False)
    agree(home, signed(agreement()))

    assert refused_with(home, records=[record(home)]) == "lot-claim-open"
    assert refused_with(home, points=10) == "lot-claim-open"


def test_a_record_that_was_set_off_does_not_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = moving_home(tmp_path, monkeypatch, [], closed=False)
    submit(home, PLATFORMS[2], [seen("e-0", "an", 0, 20)])
    submit(home, PLATFORMS[0], [seen("e-1", "an", 1, 19)])
    agree(home, signed(agreement()))
    close_rides(home)

    assert refused_with(home, records=[record(home)]) == "lot-set-off"


def test_a_record_from_before_the_linking_does_not_move(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has compared it with what other platforms saw."""
    home = moving_home(tmp_path, monkeypatch, [seen("e-1", "cy", 0, 20)])
    for platform in PLATFORMS:
        link(home, "cy", platform=platform, identity="identity of cy", consent="form 1")
    agree(home, signed(agreement()))

    assert refused_with(home, records=[record(home)], person="cy") == "lot-no-claim"


def test_an_act_that_the_destination_may_have_counted_before_the_linking_does_not_move(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The destination recorded a ride of that day before the account was linked: it may be the same one."""
    home = make_home(tmp_path, monkeypatch)
    submit(home, PLATFORMS[1], [seen("d-1", "an", 0, 20), seen("d-2", "bo", 0, 20, kind="M")])
    home = moving_home(tmp_path, monkeypatch, RIDES, home=home, persons=("an", "bo"))
    agree(home, signed(agreement()))

    assert refused_with(home, records=[record(home)]) == "already-counted-at-destination"
    assert quote(home, records=[record(home, "e-4")], person="bo").quote.amounts.points_out == 80


def test_a_person_who_is_not_linked_at_both_ends_moves_nothing(home: Path) -> None:
    assert refused_with(home, points=1, person="bo") == "person-not-linked"
    unlink(home, "an", platform=PLATFORMS[1])
    assert refused_with(home, points=1) == "person-not-linked"


def test_nothing_moves_without_an_agreement_and_on_a_paused_corridor(home: Path) -> None:
    assert refused_with(home, points=1, corridor=(0, 2)) == "agreement-not-in-force"
    assert refused_with(home, points=1, now=AFTER - timedelta(days=1)) == "agreement-not-in-force"


def test_what_the_ledger_knows_of_a_lot_counts(home: Path) -> None:
    name = record(home)

    assert refused_with(home, Books({name: LotState(retired=True)}), records=[name]) == "lot-retired"
    assert refused_with(home, Books({name: LotState(disputed=True)}), records=[name]) == "lot-disputed"
    assert refused_with(home, Books({name: LotState(in_transit=True)}), records=[name]) == "lot-in-transit"


def test_limits_of_the_day_and_the_minimum_hold(home: Path) -> None:
    name = record(home)
    for code, use in (
        ("person-limit", DayUse(person_mg=8_200_001)),
        ("corridor-limit", DayUse(corridor_mg=8_200_001)),
        ("platform-limit", DayUse(platform_mg=8_200_001)),
        ("central-limit", DayUse(central_mg=1, central_cap_mg=800_000)),
    ):
        books = Books(today=use)
        assert refused_with(home, books, records=[name]) == code
        assert quote(home, books, records=[name], points=79).quote.amounts.points_in == 79
    agree(home, signed(agreement((0, 2), minimum_mg="800001")))
    assert refused_with(home, records=[name], corridor=(0, 2)) == "below-minimum"


def test_a_record_in_a_log_without_its_quorum_of_witnesses_does_not_move(home: Path) -> None:
    books = Books()
    with pytest.raises(TransferRefused) as refused:
        quote(home, books, records=[record(home)], change=lambda parts: replace(parts, witnessed=lambda: 2))

    assert refused.value.code == "lot-not-in-log"


def test_a_move_that_makes_no_sense_is_refused(home: Path) -> None:
    name = record(home)
    for asked in ({}, {"points": 0}, {"points": -1}, {"records": [name, name]}, {"records": ["0"] * 101}):
        with pytest.raises(UsageError):
            quote(home, **asked)
    with pytest.raises(NotFound):
        quote(home, records=["0" * 32])
    with pytest.raises(NotFound):
        quote(home, records=[record(home, "e-4")])


def test_rules_that_are_published_while_quotes_are_made_are_taken_note_of(home: Path) -> None:
    """A service makes its parts once and lives long; the second corridor's rules come later."""
    books, later = Books(), []

    def keep(parts: Quoting) -> Quoting:
        return replace(parts, lots=replace(parts.lots, rules=later[0])) if later else parts

    with open_home(home) as opened:
        later.append(quoting(opened, book=books, versions=versions(home.parent)).lots.rules)
        assert quote(home, points=5, change=keep)
        agree(home, signed(agreement((0, 2))))
        assert quote(home, points=5, corridor=(0, 2), change=keep)


def test_rules_that_are_not_in_the_log_value_nothing(home: Path) -> None:
    """The gateway has a newer version of the destination's rules that nobody has published."""
    old = write_mapping(home.parent, PLATFORMS[1])
    text = old.read_text("utf-8")
    newer = text.replace("version: 1", "version: 2\nsupersedes: 1").replace(
        "effective: {from: 2025-01-01", "effective: {from: 2025-03-01"
    )
    path = home.parent / "newer.yaml"
    path.write_text(newer, "utf-8")
    known = Versions([old, path])

    def change(parts: Quoting) -> Quoting:
        return replace(parts, lots=replace(parts.lots, rules=replace(parts.lots.rules, known=known)))

    assert refused_with(home, records=[record(home)], change=change) == "mapping-not-in-force"
