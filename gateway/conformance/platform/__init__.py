"""What every platform passes (openapi/platform.yaml): run by a city's engineers against their own."""

from gateway.conformance.platform.cases import CASES, PlatformCase
from gateway.conformance.platform.speaking import Exchange, Speaker
from gateway.conformance.platform.trial import PlatformTrial, Samples, read_samples

__all__ = ["CASES", "Exchange", "PlatformCase", "PlatformTrial", "Samples", "Speaker", "read_samples"]
