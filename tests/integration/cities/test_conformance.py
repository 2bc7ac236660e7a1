"""The conformance run passes a platform in good order, and finds each fault that a platform may have."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.app.sandbox.city import look_at
from gateway.app.sandbox.conforming_platform import ConformancePlan, conformance_keys, run_cases
from gateway.conformance.platform import CASES
from gateway.sandbox.city import Defect, Trouble
from tests.acceptance.commands import tanqiao
from tests.fakes.cities import SandboxCity, sandbox_city

pytestmark = pytest.mark.xdist_group("cities")
HARMLESS = {Trouble.DUPLICATE, Trouble.REORDER, Trouble.DEFERRED, Trouble.CALLBACK}
"""To a platform that keeps to the contract."""
FOUND_BY = {
    Trouble.SLOW: "same-document",
    Trouble.LATE: "same-document",
    Trouble.DEAF: "same-document",
    Trouble.LOST: "same-document",
    Trouble.ERROR: "same-document",
    Trouble.BROKEN: "same-document",
    Trouble.CUT: "same-document",
    Trouble.ABSENT: "same-document",
    Trouble.UNSIGNED: "refusals-are-bound",
    Trouble.WRONG_SIGNATURE: "refusals-are-bound",
    Trouble.WRONG_KEY: "refusals-are-bound",
    Trouble.STALE: "answers-are-bound",
    Defect.CARELESS: "other-document",
    Defect.FORGETFUL: "same-document",
    Defect.TRUSTING: "request-by-a-stranger",
    Defect.UNCHECKED: "decision-forged",
    Defect.HASTY: "credit-waits",
    Defect.IMPATIENT: "hold-stays",
    Defect.OVERSPENDING: "hold-reserves",
    Defect.SILENT: "statements",
    Defect.SKEWED: "answers-are-bound",
}


@pytest.fixture(scope="module")
def tested(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxCity]:
    folder = Path(tmp_path_factory.mktemp("conformance"))
    conformance_keys(folder / "keys")
    with sandbox_city("songling", folder, trust=folder / "keys") as city:
        yield city


def plan(city: SandboxCity, *cases: str) -> ConformancePlan:
    folder = city.folder.parent
    (folder / "samples.json").write_text(json.dumps(look_at(city.folder, "samples")))
    (public,) = city.endpoint.keys.values()
    return ConformancePlan(
        url=city.url,
        keys=folder / "keys",
        samples=folder / "samples.json",
        platform_key=base64.b64encode(public).decode(),
        only=cases,
    )


def outcomes(city: SandboxCity, *cases: str, seconds: float = 5) -> dict[str, str]:
    return {one["case"]: one["outcome"] for one in run_cases(plan(city, *cases), seconds=seconds)}


def test_a_platform_in_good_order_passes_every_case(tested: SandboxCity) -> None:
    assert outcomes(tested) == {case.name: "passed" for case in CASES}


def test_every_fault_is_to_be_found() -> None:
    assert set(FOUND_BY) | HARMLESS == {*Trouble, *Defect}


@pytest.mark.parametrize(("fault", "case"), FOUND_BY.items(), ids=str)
def test_a_fault_is_found(tested: SandboxCity, fault: Trouble | Defect, case: str) -> None:
    waits = fault in (Trouble.SLOW, Trouble.LATE)
    tested.fault(fault, times=0, seconds="2")
    found = outcomes(tested, case, seconds=0.2 if waits else 5)
    tested.heal()

    assert found == {case: "failed"}


def test_a_platform_may_answer_later(tested: SandboxCity) -> None:
    tested.fault(Trouble.DEFERRED, times=3, only="holds")

    assert outcomes(tested, "same-document", "commit-captures") == {
        "same-document": "passed",
        "commit-captures": "passed",
    }


def test_what_the_way_does_twice_harms_nobody(tested: SandboxCity) -> None:
    tested.fault(Trouble.DUPLICATE, times=0)
    found = outcomes(tested, "same-document", "commit-captures", "returns", "batch")
    tested.heal()

    assert set(found.values()) == {"passed"}


def test_the_command_tells_what_failed_and_keeps_what_was_said(tested: SandboxCity, tmp_path: Path) -> None:
    given = plan(tested)
    command = ["conformance", "run", "--url", given.url, "--keys", given.keys, "--samples", given.samples]
    command += ["--platform-key", given.platform_key, "--case", "links", "--case", "hold-stays"]
    report = tmp_path / "report.json"
    tested.fault(Defect.IMPATIENT, times=0)
    done = tanqiao(*command, "--report", report, "--format", "json")
    tested.heal()
    cases: list[dict[str, Any]] = json.loads(report.read_bytes())

    assert done.returncode == 1
    assert {one["case"]: one["outcome"] for one in json.loads(done.stdout)} == {
        "hold-stays": "failed",
        "links": "passed",
    }
    assert "hold-stays" in done.stderr
    assert "expected the state held, got released" in cases[0]["finding"]
    assert cases[0]["exchanges"][0]["request"]["headers"]["signature"]
    assert "sandbox-person" not in report.read_text()


def test_an_unknown_case_is_refused(tested: SandboxCity) -> None:
    given = plan(tested)
    command = ["conformance", "run", "--url", given.url, "--keys", given.keys, "--samples", given.samples]
    done = tanqiao(*command, "--platform-key", given.platform_key, "--case", "no-such-case")

    assert done.returncode == 2


@pytest.mark.parametrize("samples", ["{}", "[]", '{"platform": "cn-000000/x"}', "no JSON"])
def test_samples_that_are_none_are_refused(tested: SandboxCity, tmp_path: Path, samples: str) -> None:
    given = plan(tested)
    (tmp_path / "s.json").write_text(samples)
    command = [
        "conformance",
        "run",
        "--url",
        given.url,
        "--keys",
        given.keys,
        "--samples",
        tmp_path / "s.json",
    ]
    done = tanqiao(*command, "--platform-key", given.platform_key)

    assert done.returncode == 4
    assert "malformed-document" in done.stderr
