"""What lots may move, what they burn, what arrives, and where every mg is."""

from dataclasses import replace

import pytest

from tests.oracle.examples import GRAM, corridor, lot, moved, reserve, told, world
from tests.oracle.naive_ledger import NaiveLedger, OracleBroken
from tests.oracle.operations import (
    Abort,
    AddLot,
    Commit,
    Mark,
    NextDay,
    Operation,
    Outcome,
    Part,
    PauseCorridor,
    Redeem,
    ResumeCorridor,
    ResumePlatform,
    Retire,
    Return,
    SuspendPlatform,
    Worth,
)

CYCLE = (corridor("A", "B"), corridor("B", "C"), corridor("C", "A"), corridor("B", "A"))
RIDE = lot("L", worths=[("A", 250), ("B", 40), ("C", 93)])


def ride(**changes: object) -> AddLot:
    """Change one thing about the ride of 250 g, worth 40 g at B and 93 g at C."""
    return replace(RIDE, **changes)  # type: ignore[arg-type]  # any field may be changed


def retire(key: str, name: str, mg: int) -> Retire:
    """Use up part of a lot for a marathon."""
    return Retire(key=key, lot=name, mg=mg, purpose="event-neutrality", beneficiary="marathon")


def test_a_whole_lot_is_recognised_by_the_receivers_lower_value() -> None:
    """250 g worth 40 g at B: 250 points burn, 40 g are recognised, 210 g are not, 40 points arrive."""
    ledger = world(CYCLE[0], RIDE)

    assert moved(ledger, reserve("t", ("L", 250 * GRAM))) == Outcome("", 40 * GRAM, 250, 40)
    assert ledger.state().balances == {"mg held B": 40_000, "mg unrecognised A": 210_000, "points held B": 40}


def test_ten_parts_of_25_g_are_recognised_40_g_in_total() -> None:
    """Each as 4 g, never each compared with the 40 g of the whole act."""
    ledger = world(CYCLE[0], RIDE)
    outcomes = [moved(ledger, reserve(f"t{n}", ("L", 25 * GRAM))) for n in range(10)]

    assert outcomes == [Outcome("", 4 * GRAM, 25, 4)] * 10
    assert ledger.apply(reserve("t10", ("L", 1))).code == "lot-spent"
    assert ledger.state().lots["value L>B"] == 40 * GRAM


@pytest.mark.parametrize(
    "parts", [[250_000], [10, 249_990], [83_333, 83_333, 83_334], [7, 70_001, 9, 99_983, 80_000]], ids=str
)
@pytest.mark.parametrize("points", [(250, 250, 1), (249, 2498, 10), (97, 292, 3)], ids=str)
def test_no_split_changes_what_a_lot_burns_or_brings(parts: list[int], points: tuple[int, int, int]) -> None:
    """The sums over the parts are those of the whole, with figures that do not divide."""
    granted, num, den = points
    odd = ride(points=granted, exact_num=num, exact_den=den, worths=(Worth("B", 39_999, 40_001, 1234, 7),))
    cut, at_once = world(CYCLE[0], odd), world(CYCLE[0], odd)
    free = granted * 250_000 * den // num
    pieces = [min(part, free - sum(parts[:n])) for n, part in enumerate(parts) if sum(parts[:n]) < free]
    for number, piece in enumerate(pieces):
        moved(cut, reserve(f"t{number}", ("L", piece)))
    moved(at_once, reserve("t", ("L", sum(pieces))))

    assert cut.state().balances == at_once.state().balances
    assert cut.state().dust == at_once.state().dust
    assert cut.state().lots == at_once.state().lots


def test_a_capped_lot_moves_only_what_was_paid_for() -> None:
    """100 of 250 points were granted: 100 g move and bring 16 g, one mg more does not move."""
    ledger = world(CYCLE[0], ride(points=100))

    assert ledger.apply(reserve("t0", ("L", 100 * GRAM + 1))).code == "lot-spent"
    assert moved(ledger, reserve("t1", ("L", 100 * GRAM))) == Outcome("", 16 * GRAM, 100, 16)
    assert ledger.state().balances["mg held A"] == 150 * GRAM


def test_a_part_burns_up_to_a_whole_point_and_never_more_than_are_left() -> None:
    """3 points in 1000 mg: 1 mg burns one, 333 more the second, 666 more the third."""
    ledger = world(CYCLE[0], lot("S", worths=[("B", 1)], reduction_mg=1000, points=3, exact_num=3))
    burned = [moved(ledger, reserve(f"t{n}", ("S", mg))).points_out for n, mg in enumerate((1, 333, 666))]

    assert burned == [1, 1, 1]


def test_a_factor_lowers_what_is_recognised() -> None:
    """Uploaded evidence counts half: 20 of 40 g."""
    ledger = world(CYCLE[0], ride(grade="upload"))

    assert moved(ledger, reserve("t", ("L", 250 * GRAM))).recognised_mg == 20 * GRAM


def test_what_is_less_than_a_point_becomes_dust() -> None:
    """40 g at 7 points for the act's 41 g are 6.83 points: 6 arrive and 34/41 are dust."""
    ledger = world(CYCLE[0], ride(worths=(Worth("B", 40 * GRAM, 41 * GRAM, 7, 1),)))

    assert moved(ledger, reserve("t", ("L", 250 * GRAM))).points_in == 6
    assert ledger.state().dust == {"L>B": "34/41"}


def test_a_round_trip_brings_at_most_the_start() -> None:
    """250 g go to B as 40 g and come home as 40 g; what was lost on the way stays lost."""
    ledger = world(*CYCLE, RIDE)
    moved(ledger, reserve("t0", ("L", 250 * GRAM)))

    assert moved(ledger, reserve("t1", ("L>B", 40 * GRAM), way="BA")) == Outcome("", 40 * GRAM, 40, 40)
    assert moved(ledger, reserve("t2", ("L>B>A", 40 * GRAM))) == Outcome("", 40 * GRAM, 40, 40)


def test_a_cycle_of_three_brings_the_least_of_the_values_on_it() -> None:
    """A 250, B 40, C 93: what comes home is 40 g, and going round again changes nothing."""
    ledger = world(*CYCLE, RIDE)
    name, mg = "L", 250 * GRAM
    for number, way in enumerate(("AB", "BC", "CA", "AB", "BC", "CA")):
        mg = moved(ledger, reserve(f"t{number}", (name, mg), way=way)).recognised_mg
        name = f"{name}>{way[1]}"

    assert mg == 40 * GRAM
    assert ledger.state().balances == {"mg held A": 40_000, "mg unrecognised A": 210_000, "points held A": 40}


def test_a_tenth_that_moved_on_is_a_tenth_of_the_act() -> None:
    """C values the act at 20 g; a tenth of B's 40 g is 4 g and brings 2 g there, not min(4, 20)."""
    ledger = world(*CYCLE, lot("L", worths=[("B", 40), ("C", 20)]))
    for number in range(10):
        moved(ledger, reserve(f"t{number}", ("L", 25 * GRAM)))
    arrived = [moved(ledger, reserve(f"u{n}", ("L>B", 4 * GRAM), way="BC")).recognised_mg for n in range(10)]

    assert arrived == [2 * GRAM] * 10


def test_undecided_parts_of_a_lot_cannot_be_aborted_to_a_gain() -> None:
    """Eight parts of half a point each are reserved at once; those without a point are aborted."""
    fine = lot("S", worths=[("B", 4)], reduction_mg=4000, points=4000, exact_num=4000)
    ledger = world(CYCLE[0], fine)
    outcomes = told(ledger, *(reserve(f"t{n}", ("S", 500)) for n in range(8)))
    for number, outcome in enumerate(outcomes):
        told(ledger, Commit(f"t{number}") if outcome.points_in else Abort(f"t{number}"))
    lots = ledger.state().lots

    assert lots.get("points S>B", 0) * 1000 <= lots.get("moved S", 0)


def test_undecided_parts_hold_every_point_they_may_have_to_burn() -> None:
    """Four parts of half a point hold one each of four; once one moved, half of its point is left."""
    ledger = world(CYCLE[0], lot("S", worths=[("B", 4)], reduction_mg=4000, points=4, exact_num=4))
    told(ledger, *(reserve(f"t{n}", ("S", 500)) for n in range(4)))

    assert ledger.apply(reserve("t4", ("S", 500))).code == "lot-spent"
    told(ledger, Abort("t0"), Commit("t1"))
    assert told(ledger, reserve("t5", ("S", 500)))[0] == Outcome("", 500, 0, 1)


FLAWS: dict[str, tuple[AddLot, tuple[Operation, ...]]] = {
    "lot-not-in-log": (ride(in_log=False), ()),
    "lot-engagement": (ride(kind="engagement", reduction_mg=0, exact_num=0), ()),
    "lot-other-person": (ride(person="li"), ()),
    "lot-not-personal": (ride(ownership="pooled"), ()),
    "lot-claim-open": (ride(claim_closed=False), ()),
    "lot-spent": (RIDE, (Redeem("s", "L", 1),)),
    "lot-expired": (ride(expires=2), (NextDay(3),)),
    "lot-retired": (RIDE, (retire("x", "L", 1),)),
    "lot-disputed": (RIDE, (Mark("L", "disputed"),)),
    "agreement-not-in-force": (RIDE, (NextDay(1000),)),
    "corridor-paused": (RIDE, (PauseCorridor("A", "B"),)),
    "platform-not-active": (RIDE, (SuspendPlatform("B"),)),
    "behaviour-not-admitted": (ride(behaviour="TRV-BUS"), ()),
    "methodology-not-admitted": (ride(methodology="M2"), ()),
    "evidence-not-admitted": (ride(grade="self-declared"), ()),
    "vintage-too-old": (ride(day=-1), ()),
    "basis-not-computable": (ride(worths=()), ()),
    "already-counted-at-destination": (ride(counted_at=("B",)), ()),
    "below-minimum": (ride(worths=(Worth("B", 0, 0, 0, 1),)), ()),
}


@pytest.mark.parametrize("code", FLAWS)
def test_each_check_refuses_what_only_it_is_about(code: str) -> None:
    """The ride moves but for one flaw; the refusal names it and nothing changes."""
    flawed, before = FLAWS[code]
    flawed = replace(flawed, expires=2000) if code == "agreement-not-in-force" else flawed
    ledger = world(CYCLE[0], flawed, *before)
    state = ledger.state()

    assert ledger.apply(reserve("t", ("L", 250 * GRAM))).code == code
    assert ledger.state() == state


def test_the_nearest_good_cases_are_accepted() -> None:
    """The last good day, the oldest vintage, a pause that ended, a claim closed since."""
    good = ride(day=0, expires=2, claim_closed=False, disputed=True)
    ended = (PauseCorridor("A", "B"), ResumeCorridor("A", "B"), SuspendPlatform("A"), ResumePlatform("A"))
    ledger = world(CYCLE[0], good, *ended, Mark("L", "claim-closed"), Mark("L", "undisputed"), NextDay(2))

    assert ledger.apply(reserve("t", ("L", 250 * GRAM))).accepted


def test_the_first_check_in_order_names_the_refusal() -> None:
    """Message before lots before rules before limits before position."""
    tight = corridor("A", "B", behaviours=(), person_day_mg=0, debit_cap_mg=0)
    ledger = world(tight, ride(person="li"), lot("M", worths=[("B", 40)]))

    assert ledger.apply(reserve("t0", ("L", 0))).code == "malformed"
    assert ledger.apply(reserve("t1", ("L", 1))).code == "lot-other-person"
    assert ledger.apply(reserve("t2", ("M", 250 * GRAM))).code == "behaviour-not-admitted"
    limited = world(corridor("A", "B", person_day_mg=0, debit_cap_mg=0), RIDE)
    assert limited.apply(reserve("t3", ("L", 250 * GRAM))).code == "person-limit"


def test_one_bad_lot_refuses_the_whole_transfer() -> None:
    """Nothing of it moves."""
    ledger = world(CYCLE[0], RIDE, lot("M", worths=[("B", 40)], ownership="pooled"))

    assert ledger.apply(reserve("t", ("L", GRAM), ("M", GRAM))).code == "lot-not-personal"
    assert ledger.state().transfers == {}


def test_the_same_lot_named_twice_in_a_transfer_counts_as_one_part() -> None:
    """Twice the whole lot is more than there is; two halves are the whole."""
    ledger = world(CYCLE[0], RIDE)

    assert ledger.apply(reserve("t0", ("L", 250 * GRAM), ("L", 250 * GRAM))).code == "lot-spent"
    assert moved(ledger, reserve("t1", ("L", 125 * GRAM), ("L", 125 * GRAM))).recognised_mg == 40 * GRAM


def test_the_same_id_gives_the_first_answer_and_another_body_a_conflict() -> None:
    """The repeat reserves nothing; the conflict does not replace the first answer."""
    ledger = world(CYCLE[0], RIDE)
    first = told(ledger, reserve("t", ("L", 25 * GRAM)))[0]
    state = ledger.state()

    assert ledger.apply(reserve("t", ("L", 25 * GRAM))) == first
    assert ledger.apply(reserve("t", ("L", 26 * GRAM))).code == "idempotency-conflict"
    assert ledger.apply(reserve("t", ("L", 25 * GRAM))) == first
    assert ledger.state() == state


def test_there_is_one_decision_on_a_transfer() -> None:
    """The recorded decision answers whoever comes late."""
    ledger = world(CYCLE[0], RIDE)
    told(ledger, reserve("t0", ("L", GRAM)), Commit("t0"), reserve("t1", ("L", GRAM)), Abort("t1"))

    assert ledger.apply(Commit("t0")).accepted
    assert ledger.apply(Abort("t0")).code == "decided-otherwise"
    assert ledger.apply(Commit("t1")).code == "decided-otherwise"
    assert ledger.apply(Commit("t2")).code == "unknown-transfer"
    assert ledger.state().transfers == {"t0": "committed", "t1": "aborted"}


def test_what_is_reserved_is_in_transit_and_its_points_are_on_hold() -> None:
    """Until the decision neither end has it."""
    ledger = world(CYCLE[0], RIDE)
    told(ledger, reserve("t", ("L", 100 * GRAM)))

    assert ledger.state().balances == {
        "mg held A": 150_000,
        "mg in_transit A": 100_000,
        "points held A": 150,
        "points on_hold A": 100,
    }


def test_expiry_is_carried_and_never_lengthened() -> None:
    """The lot is good until 300, B gives 365 days from day 10; an act of day -100 is good at B until 265."""
    ledger = world(*CYCLE, ride(expires=300), lot("M", worths=[("B", 40)], day=0, expires=400))
    moved(ledger, reserve("t0", ("L", 250 * GRAM)))
    moved(ledger, reserve("t1", ("M", 250 * GRAM)))

    assert ledger.state().lots["expires L>B"] == 300
    assert ledger.state().lots["expires M>B"] == 365
    told(ledger, NextDay(366))
    assert ledger.apply(reserve("t2", ("M>B", GRAM), way="BC")).code == "lot-expired"


def test_a_full_return_leaves_everything_as_it_was() -> None:
    """250 points come back for 40, and the 210 g that were not recognised are A's again."""
    ledger = world(*CYCLE, RIDE)
    before = ledger.state()
    moved(ledger, reserve("t0", ("L", 250 * GRAM)))

    assert told(ledger, Return("r", "t0", (Part("L", 40 * GRAM),)))[0] == Outcome("", 40 * GRAM, 40, 250)
    after = ledger.state()
    assert (after.balances, after.nets) == (before.balances, {})
    assert after.transfers == {"t0": "returned"}
    assert moved(ledger, reserve("t1", ("L", 250 * GRAM))) == Outcome("", 40 * GRAM, 250, 40)


def test_returns_in_parts_add_up_to_the_original_and_not_a_mg_more() -> None:
    """Three parts of 40 g, cut where nothing divides."""
    ledger = world(CYCLE[0], RIDE)
    moved(ledger, reserve("t", ("L", 250 * GRAM)))
    parts = (13_333, 13_333, 13_334)
    outcomes = told(ledger, *(Return(f"r{n}", "t", (Part("L", mg),)) for n, mg in enumerate(parts)))

    assert sum(outcome.points_out for outcome in outcomes) == 40
    assert sum(outcome.points_in for outcome in outcomes) == 250
    assert ledger.apply(Return("r9", "t", (Part("L", 1),))).code == "return-above-original"


def test_a_part_that_brought_no_point_cannot_be_returned_to_keep_one() -> None:
    """Halves of a one-point act bring 0 and 1; whichever returns, half an act holds no point at B."""
    ledger = world(CYCLE[0], replace(lot("S", worths=[("B", 1)]), reduction_mg=1000, points=10, exact_num=10))
    halves = [moved(ledger, reserve(f"t{n}", ("S", 500))).points_in for n in range(2)]

    assert halves == [0, 1]
    assert told(ledger, Return("r", "t0", (Part("S", 500),)))[0] == Outcome("", 500, 1, 5)


def test_a_part_that_burned_a_whole_point_for_a_mg_is_not_paid_back_out_of_turn() -> None:
    """1 mg burns the point which 999 more use; sent back first it gives none back, the rest then gives it."""
    ledger = world(CYCLE[0], replace(lot("S", worths=[("B", 1)]), reduction_mg=1000, points=1, exact_num=1))
    burns = [moved(ledger, reserve(f"t{n}", ("S", mg))).points_out for n, mg in enumerate((1, 999))]

    assert burns == [1, 0]
    assert told(ledger, Return("r0", "t0", (Part("S", 1),)))[0] == Outcome("", 1, 1, 0)
    assert told(ledger, Return("r1", "t1", (Part("S", 999),)))[0] == Outcome("", 999, 0, 1)


def test_a_return_gives_back_no_point_that_was_spent_at_home() -> None:
    """Of 3 points for 6 mg, two are redeemed around a move of 3 mg; its return gives back the third alone."""
    six = replace(lot("S", worths=[("B", 1)]), reduction_mg=6, points=3, exact_num=3)
    ledger = world(CYCLE[0], six)
    told(ledger, Redeem("s0", "S", 1))
    moved(ledger, reserve("t", ("S", 3)))
    told(ledger, Redeem("s1", "S", 1))

    assert told(ledger, Return("r", "t", (Part("S", 3),)))[0].points_in == 1
    assert ledger.state().balances == {"mg held A": 6, "points held A": 1}


@pytest.mark.parametrize(
    "spent",
    [Redeem("s", "L>B", 1), retire("x", "L>B", 1), reserve("u", ("L>B", 1), way="BC")],
    ids=["redeemed", "retired", "reserved onward"],
)
def test_only_what_is_unspent_there_returns(spent: Operation) -> None:
    """One mg used at B keeps the whole from returning, and the rest returns."""
    ledger = world(*CYCLE, RIDE)
    moved(ledger, reserve("t", ("L", 250 * GRAM)))
    told(ledger, spent)

    assert ledger.apply(Return("r0", "t", (Part("L", 40 * GRAM),))).code == "return-spent"
    assert ledger.apply(Return("r1", "t", (Part("L", 39 * GRAM),))).accepted


def test_only_a_committed_transfer_returns() -> None:
    """Neither one that is pending nor one that was aborted."""
    ledger = world(CYCLE[0], RIDE)
    told(ledger, reserve("t0", ("L", GRAM)), reserve("t1", ("L", GRAM)), Abort("t1"))

    assert ledger.apply(Return("r0", "t0", (Part("L", 1),))).code == "not-returnable"
    assert ledger.apply(Return("r1", "t1", (Part("L", 1),))).code == "not-returnable"
    assert ledger.apply(Return("r2", "t2", (Part("L", 1),))).code == "unknown-transfer"


def test_retirement_is_for_a_stated_purpose_and_moves_the_mg_out() -> None:
    """A purpose that is not on the list is malformed."""
    ledger = world(CYCLE[0], RIDE)

    assert ledger.apply(replace(retire("x0", "L", 1), purpose="vanity")).code == "malformed"
    assert told(ledger, retire("x1", "L", 50 * GRAM))[0].points_out == 50
    assert ledger.state().balances == {"mg held A": 200_000, "mg retired A": 50_000, "points held A": 200}


def test_an_act_is_claimed_once() -> None:
    """A second record of the same act is refused."""
    ledger = world(RIDE)

    assert ledger.apply(lot("M", act=RIDE.act)).code == "already-claimed"


def test_rules_that_would_pay_the_same_act_more_at_home_break_the_oracle() -> None:
    """Were A's own act worth more to A than A paid, a round trip would gain: the invariants say so."""
    ledger: NaiveLedger = world(
        *CYCLE, ride(worths=(Worth("B", 250_000, 250_000, 250, 1), Worth("A", 250_000, 250_000, 900, 1)))
    )
    moved(ledger, reserve("t0", ("L", 250 * GRAM)))

    with pytest.raises(OracleBroken, match="I13"):
        moved(ledger, reserve("t1", ("L>B", 250 * GRAM), way="BA"))
