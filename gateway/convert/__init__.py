"""The mapping engine: a city's rules as data, checked, compiled, evaluated and explained."""

from gateway.convert.caps import CapKey, CapMeter, CapPlan, CapUse, Granted, keys_of
from gateway.convert.document import Finding, MappingRefused
from gateway.convert.expiry import expires_on
from gateway.convert.fast import FastEvaluator
from gateway.convert.grouping import DayGroups
from gateway.convert.interpret import Interpreter
from gateway.convert.load import check_scheme, load_program, program_from_canonical
from gateway.convert.outcome import Converted, ConvertedBlock, ConvertedColumns, Refusal, StepTrace
from gateway.convert.program import Program
from gateway.convert.roles import RoleColumns, Roles, SourceReader

__all__ = [
    "CapKey",
    "CapMeter",
    "CapPlan",
    "CapUse",
    "Converted",
    "ConvertedBlock",
    "ConvertedColumns",
    "DayGroups",
    "FastEvaluator",
    "Finding",
    "Granted",
    "Interpreter",
    "MappingRefused",
    "Program",
    "Refusal",
    "RoleColumns",
    "Roles",
    "SourceReader",
    "StepTrace",
    "check_scheme",
    "expires_on",
    "keys_of",
    "load_program",
    "program_from_canonical",
]
