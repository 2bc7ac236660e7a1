"""Credentials exported here and checked by Digital Bazaar's packages; altered ones refused by them."""

import json
import os
from pathlib import Path

import pytest

from gateway.app.base.keys import end_key, rotate_record_key
from gateway.app.records.credential import credential_of, credential_verifier, publish_keys
from gateway.signing import SignatureInvalid
from tests.fakes.changes import changes_of, leaves, put, some_of
from tests.fakes.homes import convert, make_home, rows_of, trips, write_trips
from tests.node.verifier import NodeVerifier, missing_for_node

pytestmark = pytest.mark.node
CHANGES = int(os.environ.get("TANQIAO_CREDENTIAL_CHANGES", "300"))  # 0: every one of them
DOMAIN = "gateway.example"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = make_home(tmp_path, monkeypatch)
    convert(home, write_trips(tmp_path / "a.ndjson", trips(3)))
    publish_keys(home, tmp_path / "public", domain=DOMAIN)
    return home


def exported(home: Path, **more: object) -> str:
    return credential_of(home, rows_of(home)[0].id, domain=DOMAIN, **more).decode()  # type: ignore[arg-type]  # options of the export


def test_the_packages_accept_every_kind_of_export_and_know_every_term(
    node_verifier: NodeVerifier, home: Path, tmp_path: Path
) -> None:
    exports = [
        exported(home),
        exported(home, disclose=["event"]),
        exported(home, disclose=["event", "subject"], receipt=True),
    ]

    assert node_verifier(tmp_path / "public", exports, expand=True) == ["holds"] * 3


def test_the_packages_refuse_a_credential_with_any_letter_changed(
    node_verifier: NodeVerifier, home: Path, tmp_path: Path
) -> None:
    """Every letter of every text, every number by one, every list by its last item."""
    credential = json.loads(exported(home, disclose=["event"], receipt=True))
    changed = [
        json.dumps(put(credential, path, value))
        for path, leaf in leaves(credential)
        for value in changes_of(leaf)
        if not (path == ("@context",) and value[:2] == leaf)  # see the next test
    ]
    assert len(changed) > 2500
    tried = some_of(changed, CHANGES)

    answers = node_verifier(tmp_path / "public", tried)

    assert len(answers) == len(tried)
    assert [text for text, answer in zip(tried, answers, strict=True) if answer == "holds"] == []


def test_the_packages_let_others_add_a_context_as_the_recommendation_does_and_ours_does_not(
    node_verifier: NodeVerifier, home: Path, tmp_path: Path
) -> None:
    """The signed contexts must come first; ours are protected, so one that comes later redefines nothing."""
    credential = json.loads(exported(home))
    credential["@context"].append("https://other.example/context")
    did = (tmp_path / "public" / ".well-known" / "did.json").read_bytes()

    assert node_verifier(tmp_path / "public", [json.dumps(credential)]) == ["holds"]
    with pytest.raises(SignatureInvalid, match="@context"):
        credential_verifier(did).verify(json.dumps(credential).encode())


def test_the_packages_refuse_a_credential_with_a_member_more_or_less(
    node_verifier: NodeVerifier, home: Path, tmp_path: Path
) -> None:
    credential = json.loads(exported(home, disclose=["event"]))
    record = credential["credentialSubject"]["record"]
    paths = [(name,) for name in credential] + [("credentialSubject", "record", name) for name in record]
    changed = []
    for path in [*paths, ("more",), ("credentialSubject", "more")]:
        document = json.loads(json.dumps(credential))
        inner = document
        for step in path[:-1]:
            inner = inner[step]
        if inner.pop(path[-1], None) is None:
            inner[path[-1]] = "more"
        changed.append(json.dumps(document))

    answers = node_verifier(tmp_path / "public", changed)

    assert "holds" not in answers


def test_the_packages_see_a_key_retired_and_a_key_revoked(
    node_verifier: NodeVerifier, home: Path, tmp_path: Path
) -> None:
    first = exported(home)
    old = json.loads(first)["proof"]["verificationMethod"].partition("#")[2]
    rotate_record_key(home)
    end_key(home, old, action="retired")
    second = exported(home)
    publish_keys(home, tmp_path / "retired", domain=DOMAIN)
    end_key(home, old, action="revoked")
    publish_keys(home, tmp_path / "revoked", domain=DOMAIN)

    before = node_verifier(tmp_path / "public", [first, second])
    retired = node_verifier(tmp_path / "retired", [first, second])
    revoked = node_verifier(tmp_path / "revoked", [first, second])

    assert (before[0], before[1].split(":")[0]) == ("holds", "refused")
    assert retired == ["holds", "holds"]
    assert "not authorized" in revoked[0]
    assert revoked[1] == "holds"


def test_the_packages_refuse_another_gateway_under_the_same_name(
    node_verifier: NodeVerifier, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_home(tmp_path, monkeypatch, name="other")
    publish_keys(other, tmp_path / "others", domain=DOMAIN)

    [answer] = node_verifier(tmp_path / "others", [exported(home)])

    assert answer.startswith("refused: nothing is published at")


@pytest.mark.parametrize("absent", ["node", "packages"])
def test_a_machine_without_node_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, absent: str) -> None:
    """The machine is the one part that cannot be handed over, so its lack of Node.js is patched in."""
    if absent == "node":
        monkeypatch.setenv("PATH", "")
    else:
        monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
        monkeypatch.setattr("tests.node.verifier.CREDENTIAL", Path("/a/b/nowhere"))

    assert "make test-deps" in missing_for_node()
