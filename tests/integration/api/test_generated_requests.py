"""schemathesis makes requests up from the contract: each is answered as the contract says."""

import json
from pathlib import Path

import pytest

from gateway.client import GatewayClient
from gateway.store.files.keys import FileSigner
from tests.fakes.generated import EXAMPLES, tried
from tests.fakes.homes import WUHAN, trip
from tests.fakes.serving import WUHAN_PLATFORM, Served, audited_once_free, enrolled_key
from tools.write_openapi import CONTRACT

ALONE = ["--include-operation-id", "revoke_key", "--phases", "examples,coverage,fuzzing"]
MORE_THAN_A_SCHEMA_TELLS = {
    "publish_mapping": ["400", "422"],  # which signatures hold, and that there are maintainers at all
    "publish_agreement": ["400", "422"],  # which documents may stand in an envelope: openapi/schemas says it
    "create_webhook": ["422"],  # which names resolve to public addresses
    "link": ["400"],  # what is left of an identity once it is normalised
    "quote": ["422"],  # which cities have an agreement in force
    "start_transfer": ["400", "422"],  # that the key is the transfer's id; that its quote is of this gateway
    "records": ["400", "422"],  # that either the event is named or the operation, and that it is done
}
pytestmark = pytest.mark.xdist_group("served")


@pytest.fixture(scope="module")
def key(running: Served, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return enrolled_key(running, tmp_path_factory.mktemp("keys") / "wuhan.key")


@pytest.fixture(scope="module")
def client(running: Served, key: Path) -> GatewayClient:
    return running.client(FileSigner(key, "http"))


def configuration(client: GatewayClient, home: Path) -> str:
    """Tell schemathesis of some things that exist, to be tried beside what it makes up."""
    done = client.submit(WUHAN, [trip(number) for number in range(3)])
    tiles = [path for path in (home / "log" / "tile").rglob("*") if path.is_file()]
    digests = [one["digest"] for one in client.request("GET", "/v1/mappings").json()["mappings"]]
    real = {
        "path.record_id": [one["record"] for one in done["outcomes"]],
        "path.operation_id": [done["id"]],
        "path.path": [path.relative_to(home / "log" / "tile").as_posix() for path in tiles],
        "path.digest": digests,
        "path.other": digests,
        "query.event": ["WH-000001"],
        "query.operation": [done["id"]],
        "query.mapping": [WUHAN],
        "query.platform": [WUHAN_PLATFORM],
        "body.mapping": [WUHAN],
    }
    lines = []
    for name, values in real.items():
        lines += [f"[dictionaries.{name.replace('.', '-')}]", f"values = {json.dumps(values)}"]
    lines.append("[parameters]")
    for name in real:
        lines.append(f'"{name}" = {{dictionary = "{name.replace(".", "-")}", probability = 0.5}}')
    for name, refusals in MORE_THAN_A_SCHEMA_TELLS.items():
        answers = ["2xx", "401", "403", "404", "409", *refusals, "5xx"]
        lines += ["[[operations]]", f'include-operation-id = "{name}"']
        lines.append(f"checks.positive_data_acceptance.expected-statuses = {json.dumps(answers)}")
    return "\n".join(lines) + "\n"


def test_requests_made_up_from_the_contract_are_answered_as_it_says(
    running: Served, client: GatewayClient, key: Path, tmp_path: Path
) -> None:
    """A key that could be revoked by chance would end the run early, so revoking is tried apart."""
    (tmp_path / "schemathesis.toml").write_text(configuration(client, running.home))

    cases = tried(
        tmp_path, running.url, contract=CONTRACT, key=key, options=["--exclude-operation-id", "revoke_key"]
    )
    cases += tried(tmp_path, running.url, contract=CONTRACT, key=key, options=ALONE)

    assert cases >= (2000 if EXAMPLES >= 20 else 200)
    assert [one["outcome"] for one in client.submit(WUHAN, [trip(900)])["outcomes"]] == ["accepted"]
    assert audited_once_free(running.home).differences == []
