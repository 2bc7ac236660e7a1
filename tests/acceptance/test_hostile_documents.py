"""Mapping documents, receipts and trust files that mean harm, through the commands that read them."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.sandbox import YUNXI_MAPPING
from tests.acceptance.commands import tanqiao
from tests.acceptance.hostile import act, converted, new_home, require_refused
from tests.fakes.homes import rows_of

BASE = YUNXI_MAPPING.encode()
EXPRESSION = b"distance * (baseline - act)"


def edited(old: bytes, new: bytes) -> bytes:
    assert BASE.count(old) == 1
    return BASE.replace(old, new)


MAPPINGS: dict[str, tuple[bytes, str]] = {
    "alias": (b"a: &x [1]\nb: *x\n", "1:4 yaml: expected a value without an anchor"),
    "bomb of aliases": (b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "1:4 yaml: expected a value without"),
    "5,000 brackets": (b"a: " + b"[" * 5000 + b"]" * 5000, "yaml: expected at most 16 levels"),
    "600 levels": (b"".join(b" " * n + b"a:\n" for n in range(600)), "17:17 yaml: expected at most 16"),
    "20,000 dashes": (b"- " * 20_000, "yaml: expected at most 16 levels"),
    "60,000 braces": (b"{" * 60_000, "1:2 yaml: expected a text as key"),
    "30,000 questions": (b"? " * 30_000, "1:3 yaml: expected a text as key"),
    "tag that runs a command": (b"a: !!python/object/apply:os.system [id]\n", "value without a tag"),
    "merge key": (b"<<: {a: b}\n", "schema: expected the member"),
    "tab": (b"a:\n\tb: c\n", "2:1 yaml: expected YAML"),
    "second document": (BASE + b"---\n" + BASE, "expected one document, got a second one"),
    "key twice": (BASE + b"version: 4\n", "expected each key once, got 'version' again"),
    "300,000 bytes": (b"a: " + b"x" * 300_000, "expected at most 262144 bytes"),
    "scalar of 200,000 characters": (b"title: '" + b"x" * 200_000 + b"'\n", "schema:"),
    "20,000 keys": (b"".join(b"k%d: v\n" % n for n in range(20_000)), "schema:"),
    "directive": (b"%TAG ! x\n---\na: b\n", "1:1 yaml: expected no directive"),
    "mark of byte order": (b"\xef\xbb\xbf" + BASE, "1:1 yaml: expected visible characters"),
    "UTF-16": (YUNXI_MAPPING.encode("utf-16"), "1:1 yaml: expected UTF-8"),
    "GB18030": (YUNXI_MAPPING.encode("gb18030"), "yaml: expected UTF-8"),
    "zero byte": (b"a: \0\n", "1:4 yaml: expected visible characters"),
    "terminal sequence": (b"a: \x1b[2J\n", "1:4 yaml: expected visible characters"),
    "escaped terminal sequence": (b'a: "\\e[2J"\n', "1:4 yaml: expected a text on one line"),
    "reading order turned": ("a: \u202ex\n".encode(), "1:4 yaml: expected visible characters"),
    "half of a pair": (b'a: "\\ud800"\n', "1:4 yaml: expected a text on one line"),
    "impossible escape": (b'a: "\\Uffffffff"\n', "expected YAML, got an impossible escape"),
    "nothing": (b"", "1:1 yaml: expected a document"),
    "unclosed": (b"a: [1, 2\n", "2:1 yaml: expected YAML"),
    "full-width digit": (edited(b"version: 1", "version: １".encode()), "/version"),
    "5,000 digits": (edited(b"version: 1", b"version: " + b"9" * 5000), "/version"),
    "figure with an exponent": (edited(b'"180.125"', b'"1e999999999"'), "/factors/baseline"),
    "figure of 5,000 places": (edited(b'"180.125"', b'"0.' + b"0" * 5000 + b'1"'), "at most 40 characters"),
    "5,000 brackets in a formula": (edited(EXPRESSION, b"(" * 5000 + b"1" + b")" * 5000), "at most 500"),
    "code in a formula": (edited(EXPRESSION, b"__import__('os').system('id')"), "expression"),
    "division by zero": (edited(EXPRESSION, b"distance * (baseline - act) / 0"), "expected"),
}  # fmt: skip


@pytest.mark.parametrize("name", MAPPINGS)
def test_mapping_that_means_harm_is_refused_at_its_place(name: str, tmp_path: Path) -> None:
    text, says = MAPPINGS[name]
    path = tmp_path / "rules.yaml"
    path.write_bytes(text)

    done = tanqiao("mapping", "check", path)

    require_refused(done, 4, "invalid-mapping", says=says)
    assert "rules.yaml:" in done.stderr


class Issued:
    """A receipt of a home, its trust files, and what verifies a changed one."""

    def __init__(self, home: Path, folder: Path) -> None:
        (folder / "acts.ndjson").write_bytes(act() + b"\n")
        converted(folder / "acts.ndjson", home)
        record = rows_of(home)[0].id
        self.trust = home / "trust"
        self.text = tanqiao("receipt", "show", record, "--home", home, "--disclose", "event").stdout.encode()

    def keys(self, **changes: Any) -> bytes:
        ring = json.loads((self.trust / "keys.json").read_bytes())
        ring["keys"][0] |= changes
        return json.dumps(ring, ensure_ascii=False).encode()


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issued]:
    folder = tmp_path_factory.mktemp("documents")
    with new_home(folder) as home:
        yield Issued(home, folder)


RECEIPTS: dict[str, tuple[bytes, str]] = {
    "key twice": (b'{"type":"a","type":"b"}', "malformed-document"),
    "key twice among 7,000": (b"{" + b'"k":1,' + b",".join(b'"%d":1' % n for n in range(7000)) + b',"k":1}',
                              "malformed-document"),
    "mark of byte order": (b"\xef\xbb\xbf{}", "malformed-document"),
    "60,000 levels": (b"[" * 60_000, "malformed-document"),
    "10,000 objects": (b'{"a":' * 10_000, "malformed-document"),
    "NaN": (b'{"a":NaN}', "malformed-document"),
    "huge exponent": (b'{"a":1e999999999}', "malformed-document"),
    "60,000 digits": (b'{"a":' + b"9" * 60_000 + b"}", "malformed-document"),
    "full-width digit": ('{"a":１}'.encode(), "malformed-document"),
    "half of a pair": (b'{"a":"\\ud800"}', "profile-broken"),
    "reading order turned": ('{"a":"\u202e"}'.encode(), "profile-broken"),
    "control in a key": (b'{"\\u001b[2J":1}', "profile-broken"),
    "UTF-16": ("{}".encode("utf-16"), "malformed-document"),
    "not UTF-8": (b'{"a":"\xe9"}', "malformed-document"),
    "zero bytes": (bytes(100), "malformed-document"),
    "nothing": (b"", "malformed-document"),
    "a page": (b"<!DOCTYPE html>", "malformed-document"),
    "too long": (b" " * 70_000, "malformed-document"),
    "of another kind": (b"{}", "malformed-document"),
}  # fmt: skip


@pytest.mark.parametrize("name", RECEIPTS)
def test_receipt_that_is_none_is_refused_by_name(name: str, issued: Issued, tmp_path: Path) -> None:
    text, code = RECEIPTS[name]
    (tmp_path / "receipt.json").write_bytes(text)

    done = tanqiao("receipt", "verify", tmp_path / "receipt.json", "--trust", issued.trust)

    require_refused(done, 4, code, says=f"where:  {tmp_path / 'receipt.json'}")


def test_member_of_another_kind_is_refused_wherever_it_stands(issued: Issued, tmp_path: Path) -> None:
    receipt = json.loads(issued.text)
    others = (None, 1, True, "x", [[]], {"a": 1}, "\u001b", "9" * 5000, "汉")
    for name in receipt:
        for other in others:
            (tmp_path / "receipt.json").write_text(json.dumps(receipt | {name: other}), "utf-8")

            done = tanqiao("receipt", "verify", tmp_path / "receipt.json", "--trust", issued.trust)

            assert done.returncode == 4, (name, other)
            assert "receipt.json" in done.stderr


POLICIES: dict[str, tuple[bytes, str]] = {
    "every byte": (bytes(range(256)), "the octet 0x00"),
    "terminal sequence": (b"log \x1b[31m\nquorum none\n", "the octet 0x1b"),
    "reading order turned": ("log \u202ex\nquorum none\n".encode(), "expected name+id+base64"),
    "names that are no text": (b"group \xff 1 \xfe\nquorum \xff\n", "is not defined"),
    "threshold of 20 digits": (b"group g 99999999999999999999 none\nquorum g\n", "policy line 1"),
    "nothing": (b"", "expected one quorum line"),
    "300,000 bytes": (b"#\n" * 150_000, "300000 bytes"),
}


@pytest.mark.parametrize("name", POLICIES)
def test_policy_that_means_harm_is_refused_by_name(name: str, issued: Issued, tmp_path: Path) -> None:
    text, says = POLICIES[name]
    trust = shutil.copytree(issued.trust, tmp_path / "trust")
    (trust / "policy").write_bytes(text)
    (tmp_path / "receipt.json").write_bytes(issued.text)

    done = tanqiao("receipt", "verify", tmp_path / "receipt.json", "--trust", trust)

    require_refused(done, 4, "malformed-policy", says=says)
    assert "where:  policy" in done.stderr


RINGS: dict[str, dict[str, Any]] = {
    "key that is not ASCII": {"public": "汉"},
    "key that is a number": {"public": 1},
    "position that is a text": {"since": "x"},
    "position below 0": {"since": -1},
    "position beyond 2^53": {"since": 2**60},
    "purpose that is a list": {"purpose": ["record"]},
    "algorithm that is an object": {"algorithm": {}},
}


@pytest.mark.parametrize("name", RINGS)
def test_trust_file_that_means_harm_is_refused_by_name(name: str, issued: Issued, tmp_path: Path) -> None:
    trust = shutil.copytree(issued.trust, tmp_path / "trust")
    (trust / "keys.json").write_bytes(issued.keys(**RINGS[name]))
    (tmp_path / "receipt.json").write_bytes(issued.text)

    done = tanqiao("receipt", "verify", tmp_path / "receipt.json", "--trust", trust)

    require_refused(done, 4, "malformed-document", says="where:  keys.json")


def test_signature_that_is_not_ascii_is_refused(issued: Issued, tmp_path: Path) -> None:
    receipt = json.loads(issued.text)
    receipt["statement"]["signatures"][0]["value"] = "汉" * 44
    (tmp_path / "receipt.json").write_text(json.dumps(receipt), "utf-8")

    done = tanqiao("receipt", "verify", tmp_path / "receipt.json", "--trust", issued.trust)

    assert done.returncode in {4, 6}
    assert "  remedy: " in done.stderr
