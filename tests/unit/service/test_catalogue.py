"""Choosing a scheme, and which mapping a home admits."""

from datetime import date
from pathlib import Path

import pytest

from gateway.errors import Refused, UsageError
from gateway.plugins import find_adapter
from gateway.ports import PublishedMapping
from gateway.service.acts.scheme import MappingNotAdmitted, Scheme, require_admitted
from gateway.service.mappings.catalogue import MappingChanged, choose_scheme, require_unchanged, scheme_of
from tests.fakes.homes import convert, make_home, write_trips, yunxi_ride
from tests.fakes.mappings import yunxi

COMMON, SHENZHEN = find_adapter("common"), find_adapter("shenzhen_transit")
FIRST = yunxi()
SECOND = yunxi(version=2, effective_from=date(2026, 1, 1), digest="11" * 32, canonical=b'{"supersedes":"1"}')
OTHER = yunxi(id="cn-000000/yunxi/waste", digest="22" * 32)


def test_a_scheme_is_chosen_by_id_with_all_its_versions_in_order() -> None:
    found = choose_scheme([OTHER, SECOND, FIRST], COMMON, mapping=FIRST.id)

    assert [program.version for program in found.programs] == [1, 2]
    assert found.platform == "cn-000000/yunxi"


def test_a_platform_with_one_scheme_needs_no_id() -> None:
    assert choose_scheme([FIRST, SECOND], COMMON, platform="cn-000000/yunxi").id == FIRST.id


@pytest.mark.parametrize(
    ("asked", "message", "remedy"),
    [
        pytest.param({"mapping": "cn-000000/yunxi/travl"}, "no mapping cn-000000/yunxi/travl",
                     "did you mean cn-000000/yunxi/travel?", id="misspelt"),
        pytest.param({"mapping": "zzz"}, "no mapping zzz", "known: cn-000000/yunxi/travel", id="unknown"),
        pytest.param({"platform": "cn-000000/yunxi"}, "has 2 schemes", "name one with --mapping", id="many"),
        pytest.param({"platform": "cn-000000/elsewhere"}, "has 0 schemes for adapter common: none",
                     "mapping list", id="none"),
        pytest.param({}, "adapter common reads files of any platform", "--platform", id="nothing said"),
    ],
)  # fmt: skip
def test_what_cannot_be_chosen_is_refused_with_what_there_is(
    asked: dict[str, str], message: str, remedy: str
) -> None:
    with pytest.raises(UsageError) as refused:
        choose_scheme([FIRST, SECOND, OTHER], COMMON, **asked)

    assert message in str(refused.value)
    assert remedy in refused.value.remedy


def test_a_scheme_for_another_adapter_is_not_chosen() -> None:
    with pytest.raises(UsageError, match="0 schemes for adapter shenzhen_transit"):
        choose_scheme([FIRST], SHENZHEN, platform="cn-000000/yunxi")


def test_versions_that_do_not_fit_together_are_no_scheme() -> None:
    with pytest.raises(Refused, match="do not fit together"):
        scheme_of([FIRST, yunxi(version=2, digest="11" * 32)])


@pytest.mark.parametrize("status", ["press", "transcribed", "adopted"])
def test_figures_with_a_source_are_admitted_everywhere(status: str) -> None:
    for profile in ("default", "test"):
        require_admitted(Scheme(FIRST.id, (yunxi(status=status),)), profile)


def test_illustrative_figures_are_admitted_in_test_homes_only() -> None:
    require_admitted(Scheme(FIRST.id, (FIRST,)), "test")
    with pytest.raises(MappingNotAdmitted, match="version 1 is illustrative"):
        require_admitted(Scheme(FIRST.id, (FIRST,)), "default")
    with pytest.raises(MappingNotAdmitted, match="version 2 is illustrative"):
        require_admitted(Scheme(FIRST.id, (yunxi(status="press"), SECOND)), "default")


def test_a_default_home_writes_nothing_under_illustrative_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, yunxi_document: Path
) -> None:
    home = make_home(tmp_path, monkeypatch, profile="default")
    file = write_trips(tmp_path / "a.ndjson", [yunxi_ride("e1", "u1", "2025-03-16 08:00:00")])

    with pytest.raises(MappingNotAdmitted) as refused:
        convert(home, file, mapping=yunxi_document)

    assert refused.value.code == "mapping-not-admitted"
    assert not (home / "records").exists()
    assert not (home / "quarantine").exists()


def published(digest: str) -> PublishedMapping:
    return PublishedMapping(FIRST.id, 1, digest, b"", 3)


def test_a_published_version_that_comes_again_changed_is_refused() -> None:
    scheme = Scheme(FIRST.id, (FIRST, SECOND))
    require_unchanged(scheme, [published(FIRST.digest)])
    require_unchanged(scheme, [])

    with pytest.raises(MappingChanged, match="version 1 differs"):
        require_unchanged(scheme, [published("ff" * 32)])


def test_a_home_refuses_a_changed_document_under_the_same_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, yunxi_document: Path
) -> None:
    home = make_home(tmp_path, monkeypatch)
    first = write_trips(tmp_path / "a.ndjson", [yunxi_ride("e1", "u1", "2025-03-16 08:00:00")])
    second = write_trips(tmp_path / "b.ndjson", [yunxi_ride("e2", "u1", "2025-03-16 09:00:00")])
    convert(home, first, mapping=yunxi_document)
    changed = tmp_path / "changed.yaml"
    changed.write_text(yunxi_document.read_text("utf-8").replace("max: 500", "max: 501"), "utf-8")

    with pytest.raises(MappingChanged):
        convert(home, second, mapping=changed)
    assert convert(home, second, mapping=yunxi_document).accepted == 1
