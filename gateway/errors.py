"""The error tree: one class for each thing a caller may do differently.

Every error has a stable ``code``, says what was expected, what came and where, and carries a
``remedy``: one sentence about what to do next. No personal data ever enters a message.
"""

__all__ = [
    "ChecksFailed",
    "GatewayError",
    "HomeBusy",
    "IntegrityBroken",
    "InvalidMapping",
    "InvariantBroken",
    "LocalFileError",
    "MalformedDocument",
    "Refused",
    "UsageError",
]


class GatewayError(Exception):
    """Root of every error that Tanqiao raises on purpose."""

    code = "error"
    remedy = ""

    def __init__(self, message: str, *, field: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.field = field
        if remedy:
            self.remedy = remedy


class UsageError(GatewayError):
    """The command or call cannot be understood as it was written (exit code 2)."""

    code = "usage"


class LocalFileError(GatewayError):
    """A setting or a local file is missing, unreadable or unsuitable (exit code 3)."""

    code = "local-file"


class NotFound(LocalFileError):
    """What is asked for is not here, or not for whoever asks: nobody learns which."""

    code = "not-found"
    remedy = "check the id, and that this is the right home or gateway"


class Unreachable(GatewayError):
    """Another system does not answer (exit code 5)."""

    code = "unreachable"
    remedy = "check the address and the network; sending the same again is safe"


class Refused(GatewayError):
    """The request is understood and not allowed (exit code 4)."""

    code = "refused"


class HomeBusy(Refused):
    """Another process writes to this home; nothing was touched."""

    code = "home-busy"
    remedy = "wait for the other process to end, or end it, then run the command again"


class MalformedDocument(Refused):
    """A document is not what it says it is; it was refused whole, before anything was written."""

    code = "malformed-document"
    remedy = "get the document again from its source, unchanged"


class InvalidMapping(Refused):
    """A mapping document breaks its schema or means nothing; each finding names line and column."""

    code = "invalid-mapping"


class ChecksFailed(GatewayError):
    """A check was run to its end and did not pass (exit code 1)."""

    code = "checks-failed"


class IntegrityBroken(GatewayError):
    """Stored or presented data contradict their own digests, signatures or log (exit code 6)."""

    code = "integrity-broken"
    remedy = "stop writing, keep a copy of everything, and compare with a backup or another holder of the log"


class InvariantBroken(IntegrityBroken):
    """The program itself contradicts a rule it must keep; never caught, never ignored."""

    code = "invariant-broken"
    remedy = "report this with the message; nothing further was written"
