"""What the use cases need from the outside: a journal of decisions, record files, a log, a clock.

Each port is named after the need and has the verbs that its callers use. ``gateway.app`` chooses who
fulfils them.
"""

from gateway.ports.monitoring import MonitorBooks, SeriesHead, StatedDay
from gateway.ports.outside import Clock, Log, Quarantine
from gateway.ports.plausible import FindingFile, Findings, NewSpan
from gateway.ports.serving import (
    NewOperation,
    Nonces,
    Operation,
    Operations,
    OperationState,
    Platform,
    PlatformKey,
    Platforms,
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
from gateway.ports.witnessing import (
    CosignedNotes,
    CosigningStatus,
    WitnessAnswer,
    WitnessMemory,
    WitnessPeers,
    WitnessState,
)

__all__ = [
    "EVENT_CONTENT_BYTES",
    "BatchRow",
    "Begun",
    "Clock",
    "CosignedNotes",
    "CosigningStatus",
    "DayClosed",
    "EncodedFile",
    "EventMark",
    "FindingFile",
    "Findings",
    "Journal",
    "KeptColumns",
    "Log",
    "Memory",
    "MonitorBooks",
    "NewEvents",
    "NewOperation",
    "NewSpan",
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
    "SeriesHead",
    "Spool",
    "StatedDay",
    "WitnessAnswer",
    "WitnessMemory",
    "WitnessPeers",
    "WitnessState",
]
