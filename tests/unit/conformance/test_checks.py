"""The checks of adapters: a good one passes all, each bad one fails the check that is meant for it."""

import pytest

from gateway.conformance import CHECKS, SAMPLE_BYTES_MAX, Sample, Trial, damaged, read_sample
from gateway.errors import UsageError
from tests.fakes.bad_adapters import BAD, SAMPLE, GoodAdapter

RIDES = Sample("rides.txt", SAMPLE)


def outcomes(trial: Trial) -> dict[str, str]:
    return {check.name: check.run(trial).outcome for check in CHECKS}


def test_good_adapter_passes_every_check() -> None:
    assert set(outcomes(Trial(GoodAdapter(), [RIDES])).values()) == {"passed"}


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.__name__)
def test_bad_adapter_fails_the_check_that_is_meant_for_it_and_no_other(bad: type[GoodAdapter]) -> None:
    found = outcomes(Trial(bad(), [RIDES]))

    assert [name for name, outcome in found.items() if outcome == "failed"] == [BAD[bad]]


def test_every_check_has_an_adapter_that_fails_it() -> None:
    assert set(BAD.values()) == {check.name for check in CHECKS}


def test_check_that_had_nothing_to_try_has_not_passed() -> None:
    found = outcomes(Trial(GoodAdapter()))

    nothing = {name for name, outcome in found.items() if outcome == "nothing to try"}
    assert {"samples", "pieces", "quiet", "memory", "stages", "order", "round-trip"} <= nothing
    assert "failed" not in found.values()


def test_same_seed_gives_the_same_damage_and_another_seed_another() -> None:
    first, again, other = (
        [one.sample.document for one in damaged(RIDES, seed=seed, variants=40)] for seed in (1, 1, 2)
    )

    assert first == again != other
    assert sum(document != SAMPLE for document in first) > 30


def test_damage_does_not_change_with_the_version_of_python() -> None:
    (one,) = damaged(Sample("a", b"0123456789"), seed=0, variants=1)

    assert (one.how, one.sample.document) == ("a, cut off (variant 0)", b"0123")


def test_sample_beyond_the_limit_is_refused() -> None:
    with pytest.raises(UsageError) as refused:
        Trial(GoodAdapter(), [Sample("large.txt", b"x" * (SAMPLE_BYTES_MAX + 1))])

    assert "large.txt" in str(refused.value)
    assert "some hundred rows" in refused.value.remedy


def test_document_that_is_refused_is_no_fault() -> None:
    reading = read_sample(GoodAdapter(), Sample("a.txt", b"no ride\n"))

    assert (reading.rows, reading.fault) == ((), "")
    assert reading.refused is not None
    assert reading.refused.code == "malformed-document"
