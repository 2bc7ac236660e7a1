"""What the use cases need from the outside: a journal of decisions, record files, a log, a clock.

Each port is named after the need and has the verbs that its callers use. ``gateway.app`` chooses who
fulfils them.
"""

from gateway.ports.claims import (
    ClaimColumns,
    ClaimDecision,
    Claims,
    ClaimState,
    ClaimStore,
    Known,
    Link,
    Meeting,
    NewReversals,
    ReversalRow,
)
from gateway.ports.memory import EVENT_CONTENT_BYTES, EventMark, Memory, NewEvents
from gateway.ports.outside import Clock, Log, Quarantine
from gateway.ports.plausible import FindingFile, Findings, NewSpan
from gateway.ports.serving import (
    NewOperation,
    Nonces,
    Operation,
    OperationKind,
    Operations,
    OperationState,
    Platform,
    PlatformKey,
    Platforms,
    Spool,
)
from gateway.ports.stores import (
    BatchRow,
    Begun,
    DayClosed,
    EncodedFile,
    Journal,
    KeptColumns,
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
    "ClaimColumns",
    "ClaimDecision",
    "ClaimState",
    "ClaimStore",
    "Claims",
    "Clock",
    "DayClosed",
    "EncodedFile",
    "EventMark",
    "FindingFile",
    "Findings",
    "Journal",
    "KeptColumns",
    "Known",
    "Link",
    "Log",
    "Meeting",
    "Memory",
    "NewEvents",
    "NewOperation",
    "NewReversals",
    "NewSpan",
    "Nonces",
    "Operation",
    "OperationKind",
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
    "ReversalRow",
    "Spool",
]
