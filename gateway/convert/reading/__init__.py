"""Read the sections of a mapping document into the parts of a program, collecting every fault."""

from gateway.convert.reading.closing import read_closed
from gateway.convert.reading.credit import read_caps, read_expiry
from gateway.convert.reading.fields import read_zone
from gateway.convert.reading.figures import read_basis
from gateway.convert.reading.formula import read_formula, written
from gateway.convert.reading.node import Node
from gateway.convert.reading.source import behaviours_of, read_source, unmapped_of

__all__ = [
    "Node",
    "behaviours_of",
    "read_basis",
    "read_caps",
    "read_closed",
    "read_expiry",
    "read_formula",
    "read_source",
    "read_zone",
    "unmapped_of",
    "written",
]
