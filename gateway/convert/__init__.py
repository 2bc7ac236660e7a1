"""The mapping engine: a city's rules as data, checked, compiled, evaluated and explained."""

from gateway.convert.caps import CapKey, CapMeter, CapUse, Granted
from gateway.convert.document import Finding, MappingRefused
from gateway.convert.expiry import expires_on
from gateway.convert.fast import FastEvaluator
from gateway.convert.grouping import DayGroups
from gateway.convert.interpret import Interpreter
from gateway.convert.load import check_scheme, load_program, program_from_canonical
from gateway.convert.outcome import Converted, Refusal
from gateway.convert.program import Program
from gateway.convert.roles import Roles, SourceReader

__all__ = [
    "CapKey",
    "CapMeter",
    "CapUse",
    "Converted",
    "DayGroups",
    "FastEvaluator",
    "Finding",
    "Granted",
    "Interpreter",
    "MappingRefused",
    "Program",
    "Refusal",
    "Roles",
    "SourceReader",
    "check_scheme",
    "expires_on",
    "load_program",
    "program_from_canonical",
]
