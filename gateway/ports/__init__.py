"""What the use cases need from the outside: a journal of decisions, record files, a log, a clock.

Each port is named after the need and has the verbs that its callers use. ``gateway.app`` chooses who
fulfils them.
"""

from gateway.ports.outside import Clock, Log, Quarantine
from gateway.ports.plausible import FindingFile, Findings, NewSpan
from gateway.ports.serving import (
    NewOperation,
    Nonces,
    NonceUse,
    Operation,
    Operations,
    OperationState,
    Platform,
    PlatformKey,
    Platforms,
    RequestLimits,
    Spool,
)
from gateway.ports.stores import (
    EVENT_CONTENT_BYTES,
    BatchRow,
    Begun,
    DayClosed,
    EncodedFile,
    EventMark,
    Journal,
    KeptColumns,
    Memory,
    NewEvents,
    PartCounts,
    PartDecision,
    PrivateColumns,
    PrivateRow,
    PublishedMapping,
    RecordFile,
    RecordFiles,
)

__all__ = [
    "EVENT_CONTENT_BYTES",
    "BatchRow",
    "Begun",
    "Clock",
    "DayClosed",
    "EncodedFile",
    "EventMark",
    "FindingFile",
    "Findings",
    "Journal",
    "KeptColumns",
    "Log",
    "Memory",
    "NewEvents",
    "NewOperation",
    "NewSpan",
    "NonceUse",
    "Nonces",
    "Operation",
    "OperationState",
    "Operations",
    "PartCounts",
    "PartDecision",
    "Platform",
    "PlatformKey",
    "Platforms",
    "PrivateColumns",
    "PrivateRow",
    "PublishedMapping",
    "Quarantine",
    "RecordFile",
    "RecordFiles",
    "RequestLimits",
    "Spool",
]
