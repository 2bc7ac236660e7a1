"""Carry the transfers of a home out, and be killed at a chosen write or send: ``python -m … HOME POINT``."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.app.home import open_home
from gateway.app.moving import conveyor
from gateway.peers import HttpPlatforms
from gateway.service import conveying as conveying_module
from gateway.store.ledger import SqlLedger
from gateway.store.outbox import SqlOutbox

WRITES: tuple[tuple[type, str], ...] = (
    (SqlLedger, "run"),
    (SqlLedger, "limit"),
    (SqlOutbox, "end"),
    (SqlOutbox, "put_off"),
)


class Countdown:
    """Ends this process, as kill -9 does, when a number of writes and sends was reached."""

    def __init__(self, point: int) -> None:
        self.left = point
        self.passed = 0

    def __call__(self) -> None:
        self.passed += 1
        if self.passed == self.left:
            os.kill(os.getpid(), signal.SIGKILL)


def around(kind: type, name: str, *, point: Callable[[], None]) -> None:
    """Pass a point before and after each call of a method."""
    plain = getattr(kind, name)

    def called(self: Any, *arguments: Any, **named: Any) -> Any:
        point()
        answer = plain(self, *arguments, **named)
        point()
        return answer

    setattr(kind, name, called)


def around_send(point: Callable[[], None]) -> None:
    """Pass a point before and after each message to a platform, or several of them."""
    for name in ("send", "send_all"):
        setattr(HttpPlatforms, name, sending(getattr(HttpPlatforms, name), point))


def sending(plain: Callable[..., Any], point: Callable[[], None]) -> Callable[..., Any]:
    async def send(self: HttpPlatforms, platform: str, message: Any) -> Any:
        point()
        outcome = await plain(self, platform, message)
        point()
        return outcome

    return send


def main(home: Path, point: int) -> None:
    """Carry out until nothing waits any more, or until the point; print how many points were passed."""
    conveying_module.LEASE_SECONDS = 1  # what a killed process had taken is taken up soon
    countdown = Countdown(point)
    for kind, name in WRITES:
        around(kind, name, point=countdown)
    around_send(countdown)
    with open_home(home) as opened, conveyor(opened) as conveying:

        def idle() -> bool:
            with opened.database.read() as connection:
                left = connection.exec_driver_sql("SELECT count(*) FROM outbox").scalar_one()
                due = "SELECT count(*) FROM transfers WHERE due IS NOT NULL"
                return not left and not connection.exec_driver_sql(due).scalar_one()

        asyncio.run(conveying(idle))
    sys.stdout.write(f"{countdown.passed}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
