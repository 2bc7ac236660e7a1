"""What every adapter must pass: to be used by a city for its own adapter, on the terminal or in pytest.

from gateway.conformance import CHECKS, Check, Sample, Trial

TRIAL = Trial(YunxiBikeAdapter(), [Sample("rides.txt", Path("samples/rides.txt").read_bytes())])

@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_adapter_conforms(check: Check) -> None:
    assert check.findings(TRIAL) == ()
"""

from gateway.conformance.checks import CHECKS, Check, Result
from gateway.conformance.damage import Damaged, damaged
from gateway.conformance.sample import SAMPLE_BYTES_MAX, Reading, Sample, read_sample
from gateway.conformance.trial import Trial

__all__ = [
    "CHECKS",
    "SAMPLE_BYTES_MAX",
    "Check",
    "Damaged",
    "Reading",
    "Result",
    "Sample",
    "Trial",
    "damaged",
    "read_sample",
]
