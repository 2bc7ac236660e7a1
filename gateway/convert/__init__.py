"""The mapping engine: a city's rules as data, checked, compiled, evaluated and explained."""

from gateway.convert.caps import CapKey, CapMeter, CapPlan, CapUse, Granted, keys_of
from gateway.convert.carried import CarriedEvaluator, Stated
from gateway.convert.document import Finding, MappingRefused
from gateway.convert.expiry import expires_on
from gateway.convert.fast import FastEvaluator
from gateway.convert.grouping import DayGroups
from gateway.convert.interpret import Interpreter
from gateway.convert.limit_text import finding_texts
from gateway.convert.load import check_scheme, load_program, program_from_canonical
from gateway.convert.outcome import (
    ActFinding,
    Converted,
    ConvertedBlock,
    ConvertedColumns,
    Refusal,
    StepTrace,
)
from gateway.convert.own_acts import OwnActs
from gateway.convert.plausible import OVERLAP, claim_findings, refusal_of, then_of
from gateway.convert.program import Program
from gateway.convert.roles import RoleColumns, Roles, SourceReader
from gateway.convert.scalars import Memo

__all__ = [
    "OVERLAP",
    "ActFinding",
    "CapKey",
    "CapMeter",
    "CapPlan",
    "CapUse",
    "CarriedEvaluator",
    "Converted",
    "ConvertedBlock",
    "ConvertedColumns",
    "DayGroups",
    "FastEvaluator",
    "Finding",
    "Granted",
    "Interpreter",
    "MappingRefused",
    "Memo",
    "OwnActs",
    "Program",
    "Refusal",
    "RoleColumns",
    "Roles",
    "SourceReader",
    "Stated",
    "StepTrace",
    "check_scheme",
    "claim_findings",
    "expires_on",
    "finding_texts",
    "keys_of",
    "load_program",
    "program_from_canonical",
    "refusal_of",
    "then_of",
]
