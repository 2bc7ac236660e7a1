"""`doctor` names what is wrong with a home and what to do; `init --profile production` asks for more."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.commands import tanqiao
from tests.fakes.homes import make_home

CHECKS = [
    "python", "libraries", "keys", "checkpoint store", "clock", "disk", "database", "log", "pins", "spool",
    "identity provider",
]  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_home(tmp_path, monkeypatch, profile="default")


def looked_over(home: Path, *, exit_code: int) -> dict[str, dict[str, str]]:
    done = tanqiao("doctor", "--home", home)
    assert done.returncode == exit_code, done.stderr
    return {row["check"]: row for row in json.loads(done.stdout)}


def test_a_new_home_is_sound(home: Path) -> None:
    found = looked_over(home, exit_code=0)

    assert list(found) == CHECKS
    assert {row["state"] for name, row in found.items() if name != "clock"} == {"ok"}
    assert found["clock"]["state"] in ("ok", "unknown")
    assert "NTP" in found["clock"]["found"]


def _readable(home: Path) -> None:
    (home / "keys" / "record").chmod(0o644)


def _key_lost(home: Path) -> None:
    (home / "keys" / "index").unlink()


def _store_lost(home: Path) -> None:
    for path in (home.parent / "state").iterdir():
        path.unlink()


def _from_tomorrow(home: Path) -> None:
    os.utime(home / "log" / "checkpoint", (time.time() + 86_400,) * 2)


def _damaged(home: Path) -> None:
    content = bytearray((home / "tanqiao.db").read_bytes())
    content[4096:] = b"x" * (len(content) - 4096)
    (home / "tanqiao.db").write_bytes(content)


def _log_cut(home: Path) -> None:
    (home / "log" / "checkpoint").unlink()


def _policy_changed(home: Path) -> None:
    with (home / "trust" / "policy").open("a") as policy:
        policy.write("# changed\n")


def _spool_left(home: Path) -> None:
    (home / "spool").mkdir()
    (home / "spool" / "0123abcd").write_bytes(b"{}\n")


@pytest.mark.parametrize(
    ("harm", "check"),
    [
        (_readable, "keys"),
        (_key_lost, "keys"),
        (_store_lost, "checkpoint store"),
        (_from_tomorrow, "clock"),
        (_damaged, "database"),
        (_log_cut, "log"),
        (_policy_changed, "pins"),
        (_spool_left, "spool"),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy(home: Path, harm: Callable[[Path], None], check: str) -> None:
    harm(home)

    found = looked_over(home, exit_code=1)

    assert found[check]["state"] == "wrong"
    assert found[check]["remedy"]


def test_a_checkpoint_store_inside_of_the_home_is_wrong(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home.parent / "state").rename(home / "state")
    monkeypatch.setenv("TANQIAO_STATE", str(home / "state"))

    found = looked_over(home, exit_code=1)

    assert "inside" in found["checkpoint store"]["found"]


def test_a_home_in_use_is_not_called_wrong(home: Path) -> None:
    from gateway.app.base.home import open_home

    with open_home(home, writing=True):
        found = looked_over(home, exit_code=0)

    assert found["log"]["state"] == "unknown"


def test_production_needs_a_named_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TANQIAO_STATE", raising=False)

    done = tanqiao("init", "--home", tmp_path / "home", "--profile", "production")

    assert done.returncode == 3
    assert "TANQIAO_STATE" in done.stderr
    assert not (tmp_path / "home").exists()


def test_production_needs_a_state_outside_of_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANQIAO_STATE", str(tmp_path / "home" / "state"))

    done = tanqiao("init", "--home", tmp_path / "home", "--profile", "production")

    assert done.returncode == 3
    assert "inside" in done.stderr


def test_production_says_what_is_still_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANQIAO_STATE", str(tmp_path / "state"))
    home = tmp_path / "home"

    done = tanqiao("init", "--home", home, "--profile", "production")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["profile"] == "production"
    for word in ("keys", "witnesses", "TLS", "doctor"):
        assert word in done.stderr
    assert looked_over(home, exit_code=0)["log"]["state"] == "ok"
