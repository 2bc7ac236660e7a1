"""The documents say what is true: commands run, links lead somewhere, lists are complete."""

import base64
import importlib
import json
import os
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

import gateway
from gateway.app.records.check import verifier
from gateway.cli.output import EXIT_CODES
from gateway.cli.root import root
from gateway.errors import GatewayError
from gateway.model.codes import Rejection
from gateway.transparency import ProofInvalid
from tests.acceptance import worked
from tests.acceptance.documents import ROOT, anchors, blocks, files, headings, links, run

READMES = (ROOT / "README.md", ROOT / "README.zh-CN.md")
ELSEWHERE = ("first-adapter.md", "run-in-production.md")  # run by tests that have what these need
HOWTOS = tuple(page for page in sorted((ROOT / "docs/howto").glob("*.md")) if page.name not in ELSEWHERE)
PAGES = (*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md")))


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Give a reader's shell: the virtual environment first in the path, nothing else of this process."""
    tools = Path(sys.executable).parent
    return {
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "TANQIAO_STATE": str(tmp_path / "state"),
        "LANG": "C.UTF-8",
        "TERM": "xterm",
    }


@pytest.mark.parametrize("page", [*READMES, *HOWTOS], ids=_name)
def test_commands_of_a_page_run_and_print_what_it_shows(
    page: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    """A reader stands in the root of a checkout, so that the shipped mappings are there."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "mappings").symlink_to(ROOT / "mappings")
    files(page, folder)

    printed = dict(run(page, folder, environment=environment))

    shown = blocks(page)
    for before, block in pairwise(shown):
        if block.kind == "output":
            rest = printed[before]
            for line in block.text.splitlines():
                assert line in rest, f"{line!r} is not in:\n{printed[before]}"
                rest = rest.partition(line)[2]


def test_no_two_pages_use_the_same_port() -> None:
    """They may be tried at once, and a reader may have left the services of another page running."""
    used = [port for page in HOWTOS for port in set(re.findall(r"\b18\d{3}\b", page.read_text("utf-8")))]

    assert sorted(used) == sorted(set(used))


@pytest.mark.parametrize("page", READMES, ids=_name)
def test_make_targets_of_a_readme_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))

    asked = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE))

    assert {"demo", "test"} <= asked
    assert asked <= targets


def test_readmes_keep_step() -> None:
    english, chinese = READMES

    assert [level for level, _ in headings(english)] == [level for level, _ in headings(chinese)]
    assert _commands(english) == _commands(chinese)
    assert sorted(set(links(english)) - {"README.zh-CN.md"}) == sorted(set(links(chinese)) - {"README.md"})


def _commands(page: Path) -> list[str]:
    """Return the commands of a page; in which language they answer may differ."""
    return [re.sub(r"--lang \w+", "--lang", block.text) for block in blocks(page) if block.kind == "sh"]


def test_table_of_contents_leads_to_every_document() -> None:
    index = ROOT / "docs/index.md"

    listed = {(index.parent / target.partition("#")[0]).resolve() for target in links(index)}

    assert {page.resolve() for page in PAGES} - {index.resolve()} <= listed


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    for target in links(page):
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page

        assert found.exists(), f"{target} does not exist"
        assert not anchor or anchor in anchors(found), f"{target}: no such heading"


def test_every_error_is_explained_with_its_exit_code() -> None:
    text = (ROOT / "docs/reference/errors.md").read_text("utf-8")
    sections = {part.split("\n", 1)[0]: part for part in text.split("\n## ")[1:]}
    found: dict[str, list[type[GatewayError]]] = {}
    for error in _errors():
        found.setdefault(error.code, []).append(error)

    assert set(sections) == set(found)
    for code, classes in found.items():
        listed = re.search(r"^- Exit code (\d+); (.+)\.$", sections[code], re.MULTILINE)
        assert listed, f"{code}: no line with exit code and classes"
        assert sorted(re.findall(r"`(\w+)`", listed[2])) == sorted(error.__name__ for error in classes)
        assert {int(listed[1])} == {_exit_code(error) for error in classes}
        assert "- Remedy: " in sections[code]


def _errors() -> list[type[GatewayError]]:
    """Return every error class of the gateway, after importing all of it."""
    for module in pkgutil.walk_packages(gateway.__path__, "gateway."):
        if ".migrations" not in module.name:
            importlib.import_module(module.name)
    found = [GatewayError]
    for error in found:
        found.extend(below for below in error.__subclasses__() if below.__module__.startswith("gateway."))
    return found


def _exit_code(error: type[GatewayError]) -> int:
    return next((code for kind, code in EXIT_CODES.items() if issubclass(error, kind)), 1)


def test_every_rejection_is_explained_in_both_languages() -> None:
    text = (ROOT / "docs/reference/rejections.md").read_text("utf-8")
    rows = re.findall(
        r"^\| `([a-z-]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]*) \|$", text, re.MULTILINE
    )

    assert [code for code, *_ in rows] == list(Rejection)
    for code, english, chinese, *_ in rows:
        assert english.isascii(), code
        assert re.search(r"[\u4e00-\u9fff]", chinese), code
    reserved = {code for code, _, _, given_by, _, _ in rows if "reserved" in given_by}
    assert reserved == {"not-personal"}
    for code in reserved:
        assert not _raises(Rejection(code)), f"{code} is given now: it is no longer reserved"


def _raises(rejection: Rejection) -> bool:
    """Tell whether the code gives this rejection somewhere; the words of explanations do not count."""
    sources = [path for folder in ("gateway", "adapters") for path in (ROOT / folder).rglob("*.py")]
    return any(
        f"Rejection.{rejection.name}" in path.read_text("utf-8")
        for path in sources
        if path.name != "wording.py"
    )


def test_list_of_commands_is_complete_and_right() -> None:
    text = (ROOT / "docs/reference/cli.md").read_text("utf-8")
    sections = {part.split("`", 2)[1]: part for part in text.split("\n### ")[1:]}
    commands = dict(_commands_of(typer.main.get_command(root), "tanqiao"))

    assert set(sections) == set(commands)
    for name, command in commands.items():
        usage = sections[name].split("\n\n")[1]
        options = {
            option for parameter in command.params for option in parameter.opts if option.startswith("-")
        }
        assert set(re.findall(r"--[a-z-]+", usage)) == options - {"--format", "--help"}, name


def _commands_of(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command
        return
    for name, one in below.items():
        yield from _commands_of(one, f"{path} {name}")


def test_exit_codes_of_the_list_of_commands_are_those_of_the_program() -> None:
    text = (ROOT / "docs/reference/cli.md").read_text("utf-8")

    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)}

    assert listed == {0, 130, *EXIT_CODES.values()}


def test_worked_receipt_is_right_in_every_value() -> None:
    page = worked.shown()
    receipt, ring = json.loads(page["receipt.json"]), json.loads(page["keys.json"])

    found = worked.values(receipt, policy=page["policy"] + "\n", ring=ring)

    assert {name: page[name] for name in found} == found
    assert set(page) == {*found, "receipt.json", "policy", "keys.json"}
    assert found["commitment"] == receipt["record"]["event"]
    assert found["record-path"].split()[-1] == receipt["statement"]["body"]["records"]["root"]
    assert found["entry-path"].split()[-1] == base64.b64decode(found["checkpoint"].split("\n")[2]).hex()
    assert found["record-key-id"] == receipt["statement"]["signatures"][0]["key"]
    assert found["log-key-hash"] == found["checkpoint-signature"].split("\n")[0]
    _verify(found["record-key"], found["statement-signature"], found["signed-bytes"])
    _verify(found["log-key"], found["checkpoint-signature"].split("\n", 1)[1], found["checkpoint-bytes"])


def _verify(public: str, signature: str, message: str) -> None:
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
    key.verify(_bytes(signature), _bytes(message))


def _bytes(lines: str) -> bytes:
    return bytes.fromhex(lines.replace("\n", ""))


def test_worked_receipt_is_accepted_and_refused_with_one_milligram_more() -> None:
    page = worked.shown()
    receipt = json.dumps(json.loads(page["receipt.json"]), ensure_ascii=False).encode()
    ring = json.dumps(json.loads(page["keys.json"])).encode()
    mapping = ROOT / "mappings/cn-420100-wuhan/travel.v2.yaml"
    checks = verifier(page["policy"].encode() + b"\n", ring, mappings=[mapping])

    record = checks.verify(receipt)

    assert record["reduction"] == {"co2e_mg": "829002"}
    with pytest.raises(ProofInvalid):
        checks.verify(receipt.replace(b'"829002"', b'"829003"'))


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """Save the script of the page about verifying, beside the worked receipt and its trust files."""
    page = worked.shown()
    name = "check_receipt.py"
    (tmp_path / name).write_text(worked.shown(ROOT / "docs/howto/verify-a-receipt.md")[name], "utf-8")
    (tmp_path / "receipt.json").write_text(page["receipt.json"], "utf-8")
    (tmp_path / "policy").write_text(page["policy"] + "\n", "utf-8")
    (tmp_path / "keys.json").write_text(page["keys.json"], "utf-8")
    return tmp_path / name


def _checked(script: Path) -> int:
    command = [sys.executable, str(script), str(script.parent / "receipt.json"), str(script.parent)]
    return subprocess.run(command, capture_output=True).returncode


def test_script_of_a_page_accepts_the_worked_receipt(script: Path) -> None:
    assert _checked(script) == 0


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("receipt.json", '"10.574"', '"10.575"'),
        ("receipt.json", '"value": "W4"', '"value": "W5"'),
        ("receipt.json", '"index": 2', '"index": 3'),
        ("receipt.json", '"sequence": 1', '"sequence": 2'),
        ("receipt.json", "index 4", "index 5"),
        ("receipt.json", "\\n6\\n", "\\n7\\n"),
        ("policy", "quorum none", "quorum w"),
        ("keys.json", '"since": 0', '"since": 5'),
        ("keys.json", '"since": 0', '"since": 0, "revoked": 3'),
        ("keys.json", '"issuer": "worked', '"issuer": "another'),
    ],
    ids=lambda value: re.sub(r"\W+", "-", value).strip("-"),
)
def test_script_of_a_page_refuses_what_was_tampered_with(script: Path, file: str, old: str, new: str) -> None:
    path = script.parent / file
    text = path.read_text("utf-8")
    assert old in text, "the worked receipt was made anew: take the texts from it"

    path.write_text(text.replace(old, new, 1), "utf-8")

    assert _checked(script) != 0


@pytest.mark.parametrize(
    ("file", "before"),
    [
        ("receipt.json", '"salt": "'),
        ("receipt.json", r'"value": "(?=[\w+/]{80})'),  # of the statement's signature
        ("receipt.json", r"\\n\\n(\u2014|\\u2014) [^ ]+ "),  # of the log
        ("policy", r"\+[0-9a-f]{8}\+A"),
    ],
)
def test_script_of_a_page_refuses_another_salt_signature_and_key(
    script: Path, file: str, before: str
) -> None:
    path = script.parent / file
    text = path.read_text("utf-8")
    place = re.search(before, text)
    assert place is not None
    at = place.end() + 8

    path.write_text(text[:at] + ("1" if text[at] == "0" else "0") + text[at + 1 :], "utf-8")

    assert _checked(script) != 0
