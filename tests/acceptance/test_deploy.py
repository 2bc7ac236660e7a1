"""The files for operators are accepted by what reads them, and the review names tests that there are."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.settings import read_settings
from tests.acceptance.documents import ROOT

DEPLOY = ROOT / "deploy"
REVIEW = (ROOT / "docs/reference/owasp.md").read_text("utf-8")
SETTINGS = (ROOT / "docs/reference/settings.md").read_text("utf-8")


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8")))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_the_unit_is_accepted_by_systemd(tmp_path: Path) -> None:
    unit = (DEPLOY / "tanqiao.service").read_text("utf-8")
    here = tmp_path / "tanqiao.service"
    here.write_text(unit.replace("/opt/tanqiao/bin/", f"{Path(sys.executable).parent}/"), "utf-8")

    done = subprocess.run(["systemd-analyze", "verify", str(here)], capture_output=True, text=True)

    assert "tanqiao.service" not in done.stderr, done.stderr


def test_unit_and_compose_file_keep_the_checkpoint_store_apart() -> None:
    unit = dict(
        line.removeprefix("Environment=").split("=", 1)
        for line in (DEPLOY / "tanqiao.service").read_text("utf-8").splitlines()
        if line.startswith("Environment=")
    )
    for environment in (unit, compose()["services"]["gateway"]["environment"]):
        home, state = Path(environment["TANQIAO_HOME"]), Path(environment["TANQIAO_STATE"])
        assert state not in (home, *home.parents)
        assert home not in state.parents
        read_settings(environment)


def test_the_compose_file_gives_away_nothing() -> None:
    """Closed members of the Compose Specification; TLS stands in front, so the port is the host's own."""
    document = compose()
    (gateway,) = document["services"].values()

    assert set(document) == {"name", "services", "volumes"}
    assert set(gateway) == {
        "build", "image", "command", "init", "restart", "stop_grace_period", "environment", "volumes",
        "ports", "read_only", "tmpfs", "cap_drop", "security_opt", "mem_limit", "pids_limit", "ulimits",
        "healthcheck",
    }  # fmt: skip
    assert all(port.startswith("127.0.0.1:") for port in gateway["ports"])
    assert {one.partition(":")[0] for one in gateway["volumes"]} == set(document["volumes"])
    assert (gateway["read_only"], gateway["cap_drop"]) == (True, ["ALL"])
    assert (DEPLOY / Path(gateway["build"]["dockerfile"]).name).is_file()


def test_the_review_has_every_item_with_tests_that_there_are() -> None:
    items = re.split(r"^## ", REVIEW, flags=re.MULTILINE)[1:]

    assert [item.split(" ", 1)[0] for item in items] == [f"API{number}" for number in range(1, 11)]
    for item in items:
        shown = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", item)
        assert shown, item[:40]
        assert "- Open:" in item
        for path, name in shown:
            assert f"def {name}(" in (ROOT / path).read_text("utf-8"), f"{path}::{name}"


def test_every_setting_is_documented() -> None:
    read = set(re.findall(r'"(TANQIAO_\w+)"', (ROOT / "gateway/settings.py").read_text("utf-8")))

    assert read <= set(re.findall(r"`(TANQIAO_\w+)`", SETTINGS))
