"""Check what a formula means as a whole: units, bounds, and the tests that come with it."""

from gateway.convert.checking.bounds import Bound, bound_of, check_bounds
from gateway.convert.checking.fineness import figures_of
from gateway.convert.checking.taxonomy import check_taxonomy
from gateway.convert.checking.tests import check_tests
from gateway.convert.checking.units import check_units

__all__ = [
    "Bound", "bound_of", "check_bounds", "check_taxonomy", "check_tests", "check_units", "figures_of",
]  # fmt: skip
