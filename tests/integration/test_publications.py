"""Mappings that maintainers sign and the gateway publishes, on a home, by the commands."""

import json
from pathlib import Path

import pytest

from gateway.app.base.home import open_home
from gateway.app.base.mappings import program_from_file
from gateway.model.canonical import canonical_bytes
from gateway.resources import shipped_mappings
from tests.acceptance.commands import Done, tanqiao
from tests.fakes.homes import audited, make_home

NAME = "cn-420100-wuhan/travel.v1.yaml"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "travel.yaml").write_bytes(dict(shipped_mappings())[NAME])
    made = make_home(tmp_path, monkeypatch, profile="default")
    listed = []
    for name in ("li", "wang", "zhao"):
        done = tanqiao("keys", "new", "--purpose", "maintainer", "--out", f"{name}.key", "--format", "json")
        listed.append({"name": name, "public": json.loads(done.stdout)["public"]})
    rules = {"type": "tanqiao/maintainers/1", "quorum": 2, "maintainers": listed}
    (made / "trust/maintainers.json").write_text(json.dumps(rules))
    return made


def sign(name: str, file: str = "travel.yaml") -> Done:
    key = f"{name}.key"
    return tanqiao("mapping", "sign", file, "--key", key, "--publication", "p.json", "--format", "json")


def publish(home: Path) -> Done:
    return tanqiao("mapping", "publish", "--publication", "p.json", "--home", home, "--format", "json")


def test_a_mapping_that_enough_have_signed_is_published_once_and_audited(home: Path) -> None:
    assert sign("li").returncode == 0
    early = publish(home)
    assert json.loads(sign("wang").stdout)["signatures"] == 2

    first, again = publish(home), publish(home)

    assert (early.returncode, "quorum-missing" in early.stderr) == (4, True)
    told = json.loads(first.stdout)
    assert (told["id"], told["version"]) == ("cn-420100/wuhan/travel", 1)
    assert told["digest"] == "sha256:" + program_from_file(Path("travel.yaml")).digest
    assert (again.returncode, again.stdout) == (0, first.stdout)
    with open_home(home) as opened:
        entry = json.loads(opened.journal.queued(told["log_entry"], 1)[0])
        assert opened.log.size == told["log_entry"] + 1
    assert {one["maintainer"] for one in entry["body"]["approvals"]} == {"li", "wang"}
    assert not audited(home).differences


def test_a_number_that_was_published_takes_no_other_text(home: Path) -> None:
    for name in ("li", "wang"):
        sign(name)
    publish(home)
    document = json.loads(program_from_file(Path("travel.yaml")).canonical)
    document["title"]["en"] = "Another title"
    Path("other.yaml").write_bytes(canonical_bytes(document))
    Path("p.json").unlink()
    for name in ("li", "wang"):
        assert sign(name, "other.yaml").returncode == 0

    refused = publish(home)

    assert (refused.returncode, "mapping-changed" in refused.stderr) == (4, True)


def test_without_maintainers_nobody_publishes(home: Path) -> None:
    for name in ("li", "wang", "zhao"):
        sign(name)
    (home / "trust/maintainers.json").unlink()

    refused = publish(home)

    assert (refused.returncode, "quorum-missing" in refused.stderr) == (4, True)


def test_a_quorum_of_one_is_refused(home: Path) -> None:
    sign("li")
    file = home / "trust/maintainers.json"
    file.write_text(file.read_text().replace('"quorum": 2', '"quorum": 1'))

    assert publish(home).returncode == 3


def test_what_check_refuses_is_not_signed(home: Path) -> None:
    document = json.loads(program_from_file(Path("travel.yaml")).canonical)
    test = next(one for one in document["tests"] if "points" in one.get("expect", {}))
    test["expect"]["points"] = "999999"
    Path("wrong.yaml").write_bytes(canonical_bytes(document))
    Path("none.yaml").write_text("mapping: x")

    assert sign("li", "wrong.yaml").returncode == 1
    assert sign("li", "none.yaml").returncode == 4
    assert not Path("p.json").exists()
    assert home.exists()
