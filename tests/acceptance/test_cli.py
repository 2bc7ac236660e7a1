"""The command line as its users meet it: exit codes, words, what goes where."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from gateway.cli.root import root, run
from tests.acceptance.commands import Done, tanqiao
from tests.fakes.homes import WUHAN, change_database, convert, make_home, rows_of, trip, trips, write_trips

ROOT = Path(__file__).resolve().parents[2]


def in_a_process(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", "from gateway.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_home(tmp_path, monkeypatch)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_trips(tmp_path / "a.ndjson", [*trips(3), trip(99, distance_km="x")])


def commands(tree: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in tree.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


TREE = dict(commands(typer.main.get_command(root)))


def test_the_tree_of_commands_is_known() -> None:
    assert {" ".join(path) for path in TREE} >= {
        "init", "demo", "convert", "audit", "mapping check", "mapping coverage", "mapping list",
        "adapter list", "adapter explain", "adapter check", "adapter new",
        "record show", "receipt show", "receipt verify", "log verify",
        "log bundle", "statements close", "keys new", "keys rotate", "keys retire", "keys revoke",
        "keys list", "keys publish", "credential export", "credential verify", "disclosure export",
        "disclosure verify",
    }  # fmt: skip


@pytest.mark.parametrize("path", TREE, ids=" ".join)
def test_every_command_has_help_with_examples(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*path, "--help"]) == 0

    said = capsys.readouterr().out
    assert "Examples" in said
    assert f"tanqiao {' '.join(path)}" in " ".join(said.split())


@pytest.mark.parametrize("path", TREE, ids=" ".join)
def test_every_parameter_says_what_it_is(path: tuple[str, ...]) -> None:
    for parameter in TREE[path].params:
        assert getattr(parameter, "help", None) or parameter.name == "help", parameter.name


def test_help_imports_none_of_the_heavy_packages() -> None:
    program = (
        "import sys; from gateway.cli.root import run; run(['--help']);"
        "print([name for name in ('pyarrow', 'numpy', 'sqlalchemy', 'duckdb', 'jsonschema', 'alembic',"
        " 'jsonschema_rs', 'cryptography') if name in sys.modules], file=sys.stderr)"
    )

    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0
    assert "Tanqiao" in done.stdout
    assert done.stderr.strip().splitlines()[-1] == "[]"


def test_0_all_is_well_and_data_are_json_when_piped(home: Path, file: Path) -> None:
    done = in_a_process("convert", "--home", home, "--mapping", WUHAN, file)

    summary = json.loads(done.stdout)
    assert done.returncode == 0
    assert (summary["rows"], summary["accepted"], summary["rejected"]) == (4, 3, {"not-a-decimal": 1})
    assert isinstance(summary["co2e_mg"], str)
    assert "1 set aside" in done.stderr
    for command in (["audit", "--home", home], ["keys", "list", "--home", home], ["mapping", "list"]):
        assert json.loads(tanqiao(*command).stdout), command
    table = tanqiao("audit", "--home", home, "--format", "table").stdout
    assert table.startswith("ok")
    for line in tanqiao("keys", "list", "--home", home, "--format", "ndjson").stdout.splitlines():
        assert set(json.loads(line)) >= {"id", "purpose", "since"}


def refused(done: "Done | subprocess.CompletedProcess[str]", *, exit_code: int, code: str) -> None:
    assert (done.returncode, done.stdout) == (exit_code, ""), done.stderr
    assert done.stderr.startswith("error: ")
    assert f"code:   {code} (docs/reference/errors.md#{code})" in done.stderr
    assert "remedy: " in done.stderr
    assert "Traceback" not in done.stderr


def test_1_a_check_did_not_pass(tmp_path: Path) -> None:
    text = (ROOT / "mappings" / "cn-420100-wuhan" / "travel.v2.yaml").read_text("utf-8")
    (tmp_path / "wrong.yaml").write_text(text.replace('points: "784"', 'points: "785"'), "utf-8")

    done = tanqiao("mapping", "check", tmp_path / "wrong.yaml")

    assert done.returncode == 1
    assert json.loads(done.stdout)[0]["failed"] == 1
    assert "checks-failed" in done.stderr
    assert "785" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["convert"],
        ["convert", "--adapter", "common", "FILE"],
        ["convert", "--mapping", "cn-420100/wuhan/travle", "FILE"],
        ["convert", "--mapping", WUHAN, "--adapter", "nothing", "FILE"],
        ["convert", "--mapping", WUHAN, "--no-such-option", "FILE"],
        ["no-such-command"],
        ["init", "--profile", "production"],
        ["statements", "close", "2025-02-30"],
        ["audit", "--format", "xml"],
        ["keys", "new", "--purpose", "love", "--out", "HOME/k"],
        ["receipt", "show", "00", "--disclose", "name"],
    ],
    ids=" ".join,
)
def test_2_the_command_cannot_be_understood(
    home: Path, file: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    convert(home, file)
    named = [{"FILE": str(file), "HOME/k": str(home / "k")}.get(each, each) for each in arguments]

    code = run([*named, *(["--home", str(home)] if named[0] not in ("no-such-command", "keys") else [])])

    said = capsys.readouterr()
    assert code == 2, said.err
    assert said.out == ""
    assert "Traceback" not in said.err


def test_3_a_local_file_is_missing_or_unsuitable(home: Path, file: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for unsuitable in (tmp_path / "missing.csv", tmp_path, tmp_path / "fifo", Path("/dev/null")):
        done = tanqiao("convert", "--home", home, "--mapping", WUHAN, file, unsuitable)
        refused(done, exit_code=3, code="local-file")
        assert str(unsuitable) in done.stderr
    assert not (home / "records").exists()
    refused(tanqiao("audit", "--home", tmp_path / "no-home"), exit_code=3, code="local-file")
    assert not (tmp_path / "no-home").exists()
    refused(tanqiao("audit", "--home", home, TANQIAO_STATE="relative"), exit_code=3, code="local-file")
    refused(tanqiao("mapping", "check", tmp_path / "none.yaml"), exit_code=3, code="local-file")
    (home / "keys" / "log").chmod(0o644)
    refused(tanqiao("keys", "rotate", "--home", home), exit_code=3, code="local-file")


def test_4_the_request_is_not_allowed(home: Path, tmp_path: Path) -> None:
    (tmp_path / "b.xlsx").write_bytes(b"PK\x03\x04" + bytes(50))
    refused(
        tanqiao("convert", "--home", home, "--mapping", WUHAN, tmp_path / "b.xlsx"),
        exit_code=4,
        code="malformed-document",
    )
    done = in_a_process("statements", "close", "2025-03-16", "--home", home)
    refused(done, exit_code=4, code="refused")


def test_6_stored_data_contradict_each_other(home: Path, file: Path) -> None:
    convert(home, file)
    change_database(home, "UPDATE batches SET size = 7")

    done = tanqiao("audit", "--home", home)

    assert done.returncode == 6
    assert json.loads(done.stdout)["ok"] is False
    assert "integrity-broken" in done.stderr
    assert "Traceback" not in done.stderr
    assert tanqiao("receipt", "verify", home / "home.json", "--trust", home / "trust").returncode == 4


def test_a_command_names_the_home_by_its_option_or_by_the_environment(home: Path) -> None:
    assert tanqiao("audit", TANQIAO_HOME=str(home)).returncode == 0
    assert tanqiao("audit", TANQIAO_HOME="").returncode in (2, 3)


def test_a_receipt_goes_from_one_command_to_the_other(home: Path, file: Path, tmp_path: Path) -> None:
    convert(home, file)
    record = rows_of(home)[0]
    shown = tanqiao("receipt", "show", record.id, "--home", home, "--disclose", "event")
    (tmp_path / "receipt.json").write_text(shown.stdout, "utf-8")
    mapping = ROOT / "mappings" / "cn-420100-wuhan" / "travel.v2.yaml"

    plain = tanqiao("receipt", "verify", tmp_path / "receipt.json", "--trust", home / "trust")
    recomputed = tanqiao(
        "receipt", "verify", tmp_path / "receipt.json", "--trust", home / "trust", "--mapping", mapping
    )

    assert json.loads(shown.stdout)["disclosures"][0]["value"] == record.event
    assert (plain.returncode, recomputed.returncode) == (0, 0)
    assert json.loads(plain.stdout)["recomputed"] is False
    assert json.loads(recomputed.stdout)["recomputed"] is True
    document = json.loads(tanqiao("record", "show", record.id, "--home", home).stdout)
    assert document["record"] == json.loads(shown.stdout)["record"]
    assert "private" not in document


def test_a_log_is_verified_without_its_home_and_its_forgotten_past_is_noticed(
    home: Path, file: Path, tmp_path: Path
) -> None:
    convert(home, file)
    (tmp_path / "old.checkpoint").write_bytes((home / "log" / "checkpoint").read_bytes())
    convert(home, write_trips(tmp_path / "b.ndjson", trips(2, first=50)))
    policy = home / "trust" / "policy"

    verified = tanqiao(
        "log", "verify", home / "log", "--policy", policy, "--older", tmp_path / "old.checkpoint"
    )
    (home / "log" / "checkpoint").rename(tmp_path / "new.checkpoint")
    (tmp_path / "old.checkpoint").rename(home / "log" / "checkpoint")
    rolled_back = tanqiao(
        "log", "verify", home / "log", "--policy", policy, "--older", tmp_path / "new.checkpoint"
    )

    assert verified.returncode == 0, verified.stderr
    assert json.loads(verified.stdout)["continues"] is True
    assert rolled_back.returncode == 6
