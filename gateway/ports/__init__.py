"""What the use cases need from the outside: a journal of decisions, record files, a log, a clock.

Each port is named after the need and has the verbs that its callers use. ``gateway.app`` chooses who
fulfils them.
"""

from gateway.ports.plausible import FindingFile, Findings, NewSpan
from gateway.ports.stores import (
    BatchRow,
    Begun,
    Clock,
    DayClosed,
    EventMark,
    Journal,
    Log,
    Memory,
    NewEvent,
    PartCounts,
    PartDecision,
    PrivateColumns,
    PrivateRow,
    PublishedMapping,
    Quarantine,
    RecordFile,
    RecordFiles,
)

__all__ = [
    "BatchRow",
    "Begun",
    "Clock",
    "DayClosed",
    "EventMark",
    "FindingFile",
    "Findings",
    "Journal",
    "Log",
    "Memory",
    "NewEvent",
    "NewSpan",
    "PartCounts",
    "PartDecision",
    "PrivateColumns",
    "PrivateRow",
    "PublishedMapping",
    "Quarantine",
    "RecordFile",
    "RecordFiles",
]
