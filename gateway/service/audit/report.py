"""What an audit found: one line for each check, and everything that differs by name."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from gateway.errors import GatewayError

__all__ = ["AuditReport", "Check"]

DIFFERENCES_MAX: Final = 100  # shown of each check; a broken file can break every record in it


@dataclass(slots=True)
class Check:
    """One check: what it looked at, how much of it, and what differs."""

    name: str
    looked_at: int = 0
    differences: list[str] = field(default_factory=list)

    def differs(self, what: str) -> None:
        """Note a difference."""
        if len(self.differences) < DIFFERENCES_MAX:
            self.differences.append(what)

    @contextmanager
    def noting(self, where: str = "") -> Iterator[None]:
        """Note an error as a difference, and go on with the next thing to look at."""
        try:
            yield
        except GatewayError as error:
            self.differs(f"{where}: {error}" if where else str(error))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            # what was written by us is read by us: bytes that cannot be understood were changed
            self.differs(f"{where}: cannot be read, {type(error).__name__}: {error}".removeprefix(": "))


@dataclass(slots=True)
class AuditReport:
    """All checks of one audit, in the order they were made."""

    checks: list[Check] = field(default_factory=list)

    def check(self, name: str) -> Check:
        """Begin a check."""
        check = Check(name)
        self.checks.append(check)
        return check

    @property
    def differences(self) -> list[str]:
        """Return everything that differs, each with the name of its check."""
        return [f"{check.name}: {what}" for check in self.checks for what in check.differences]

    def document(self) -> dict[str, object]:
        """Return the report as it is printed."""
        return {
            "ok": not self.differences,
            "checks": {check.name: check.looked_at for check in self.checks},
            "differences": self.differences,
        }
