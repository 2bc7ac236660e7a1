"""schemathesis makes requests up from the platform's contract: a city answers each as the contract says."""

from pathlib import Path

import pytest

from gateway.app.sandbox.conforming_platform import conformance_keys
from tests.fakes.cities import sandbox_city
from tests.fakes.generated import EXAMPLES, tried
from tools.write_openapi import PLATFORM_CONTRACT

pytestmark = pytest.mark.xdist_group("cities")
PHASES = "examples,coverage,fuzzing" if EXAMPLES > 2 else "examples,fuzzing"  # coverage takes a minute
# no schema tells which accounts, acts and signatures there are; of a batch each line is refused by itself
CONFIGURATION = """
[checks]
positive_data_acceptance.expected-statuses = ["2xx", "400", "404", "409", "422"]

[[operations]]
include-name-regex = ":batch$"
checks.negative_data_rejection.expected-statuses = ["200", "400", "401", "404", "405"]
"""


def test_a_city_answers_what_is_made_up_as_the_contract_says(tmp_path: Path) -> None:
    conformance_keys(tmp_path / "keys")
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION)
    with sandbox_city("qinglan", tmp_path, trust=tmp_path / "keys") as city:
        cases = tried(
            tmp_path,
            city.url,
            contract=PLATFORM_CONTRACT,
            key=tmp_path / "keys" / "http.key",
            options=["--phases", PHASES],
        )

    assert cases >= 50
