"""Clients that others' tools make of the contract: enrol, submit, fetch a receipt; prism finds no fault."""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gateway.app.base.keys import new_key
from gateway.app.records.check import trusting, verify_receipt
from gateway.app.serving.platforms import invite
from gateway.store.files.keys import FileSigner
from tests.fakes.homes import WUHAN, make_home, trip
from tests.fakes.serving import WUHAN_PLATFORM, Served, served
from tests.fakes.side_cars import checking_proxy, signing_side_car
from tests.node.packages import CLIENTS, missing_packages
from tests.outside.generator import generated, generator_jar, missing_for_generator
from tools.write_openapi import CONTRACT

needs_npm = pytest.mark.skipif(bool(missing_packages(CLIENTS)), reason=missing_packages(CLIENTS) or "here")
needs_java = pytest.mark.skipif(bool(missing_for_generator()), reason=missing_for_generator() or "here")
pytestmark = [pytest.mark.xdist_group("served"), pytest.mark.outside]
STRICT = ["--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes", "--target", "es2022"]
MODULES = ["--module", "nodenext", "--moduleResolution", "nodenext", "--types", "node"]
GENERATED = "package javax.annotation; public @interface Generated { String value(); String comments(); }"


class Checked:
    """A gateway behind prism behind nothing else that knows the contract."""

    def __init__(self, running: Served, key: Path, *, url: str, log: Path) -> None:
        self.running, self.url = running, url
        self._key, self._log = key, log

    def question(self, number: int) -> str:
        """Return what a client's journey needs: an invitation and acts, of which the first does not count."""
        return json.dumps(
            {
                "code": invite(self.running.home, WUHAN_PLATFORM)["code"],
                "public_key": base64.b64encode(FileSigner(self._key, "http").public).decode(),
                "mapping": WUHAN,
                "acts": [trip(number, trip_type="tram"), trip(number + 1), trip(number + 2)],
            }
        )

    def violations(self) -> list[str]:
        """Return what prism says is not in the contract; what it says when it starts is made up at random."""
        lines = self._log.read_text("utf-8", "replace").splitlines()
        said = [line for line in lines if "[CLI]" not in line]
        return [line for line in said if "error" in line.lower() or "violation" in line.lower()]

    def require_journey(self, done: "subprocess.CompletedProcess[str]", folder: Path) -> None:
        """Require that a journey came to its end, and that the receipt it brought verifies."""
        assert done.returncode == 0, done.stdout + done.stderr + self._log.read_text("utf-8")
        (folder / "receipt.json").write_text(done.stdout, "utf-8")
        record = verify_receipt(folder / "receipt.json", trusting(self.running.home / "trust"))
        assert record["id"]
        assert self.violations() == []


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checked]:
    folder = tmp_path_factory.mktemp("checked")
    with pytest.MonkeyPatch.context() as patch:
        home = make_home(folder, patch, profile="default")
        new_key(folder / "wuhan.key", "http", name="")
        with (
            served(home) as running,
            signing_side_car(running.url, folder / "wuhan.key") as signing,
            checking_proxy(signing, folder) as url,
        ):
            yield Checked(running, folder / "wuhan.key", url=url, log=folder / "prism.log")


@needs_npm
@needs_java
def test_the_generated_client_of_python_makes_the_journey(checked: Checked, tmp_path: Path) -> None:
    generated("python", tmp_path / "made", "--additional-properties=packageName=gateway_client")
    script = Path(__file__).with_name("journey.py")

    done = subprocess.run(
        [sys.executable, str(script), checked.url],
        input=checked.question(100),
        env=os.environ | {"PYTHONPATH": str(tmp_path / "made")},
        capture_output=True,
        text=True,
        timeout=300,
    )

    checked.require_journey(done, tmp_path)


@needs_npm
def test_the_generated_client_of_typescript_makes_the_journey(checked: Checked, tmp_path: Path) -> None:
    """Its folder is beside the packages, for that is where Node.js looks for them."""
    tools = CLIENTS / "node_modules" / ".bin"
    with tempfile.TemporaryDirectory(dir=CLIENTS / "node_modules", prefix=".made-") as name:
        folder = Path(name)
        shutil.copy(CLIENTS / "journey.mts", folder)
        make = [tools / "openapi-typescript", CONTRACT, "-o", folder / "contract.d.ts"]
        for command in (make, [tools / "tsc", *STRICT, *MODULES, folder / "journey.mts"]):
            made = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
            assert made.returncode == 0, made.stdout + made.stderr

        done = subprocess.run(
            ["node", str(folder / "journey.mjs"), checked.url],
            input=checked.question(200),
            capture_output=True,
            text=True,
            timeout=300,
        )

    checked.require_journey(done, tmp_path)


@needs_java
def test_the_generated_client_of_java_compiles(tmp_path: Path) -> None:
    """Against the generator's own jar, which has Jackson, and an annotation that Java 11 dropped."""
    options = "--additional-properties=openApiNullable=false,hideGenerationTimestamp=true"
    made = generated("java", tmp_path / "made", "--library", "native", options)
    annotation = tmp_path / "Generated.java"
    annotation.write_text(GENERATED)
    sources = sorted(map(str, (made / "src/main").rglob("*.java")))

    done = subprocess.run(
        [
            "javac",
            "-nowarn",
            "-cp",
            str(generator_jar()),
            "-d",
            str(tmp_path / "classes"),
            str(annotation),
            *sources,
        ],
        capture_output=True,
        text=True,
        timeout=600,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "classes/org/openapitools/client/api/ActsApi.class").is_file()


@needs_npm
def test_what_the_contract_does_not_have_is_seen(checked: Checked) -> None:
    """So that a journey without a violation means something."""
    answer = httpx.get(checked.url + "/v1/operations?limit=none")

    assert answer.status_code == 422
    assert "prism" in answer.json()["type"]
