"""Processes that are killed at a chosen write or send, forked from one that has loaded all: ``python -m …``.

Reads one order a line as JSON and answers with one line. ``spawn`` starts a process and gives its number,
``wait`` gives how it ended (None: it runs). How many points a process passed stands in the file ``out``.
"""

import asyncio
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.background import BackgroundTask

from gateway.app.home import open_home
from gateway.app.mappings import Versions
from gateway.app.moving import conveyor, transferring
from gateway.app.sandbox import SandboxPlan, serve_city
from gateway.peers.platform_line import PlatformLine
from gateway.sandbox.city import Book
from gateway.sandbox.city import application as city_module
from gateway.service import conveying as conveying_module
from gateway.store.ledger import SqlLedger
from gateway.store.moves import SqlMoveIndex
from gateway.store.outbox import SqlOutbox
from gateway.store.requests import SqlRequests

Order = dict[str, Any]
WRITES: tuple[tuple[type, str], ...] = (
    (SqlRequests, "receive"),
    (SqlRequests, "answer"),
    (SqlMoveIndex, "note"),
    (SqlLedger, "run"),
    (SqlLedger, "limit"),
    (SqlOutbox, "end"),
    (SqlOutbox, "put_off"),
)


class Countdown:
    """Ends this process, as kill -9 does, when a number of writes and sends was reached; 0: never."""

    def __init__(self, point: int, out: Path) -> None:
        self.point, self.out = point, out
        self.passed = 0
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            self.passed += 1
            self.out.write_text(str(self.passed))
            if self.passed == self.point:
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
    """Pass a point before and after each request to a platform."""
    plain = PlatformLine._exchanged

    async def exchanged(self: PlatformLine, question: Any) -> Any:
        point()
        answer = await plain(self, question)
        point()
        return answer

    PlatformLine._exchanged = exchanged  # type: ignore[method-assign]  # every exchange is a point to kill at


def around_city(point: Callable[[], None]) -> None:
    """Pass a point where a request arrives, around each transaction, before and after the answer is sent."""
    write, answered, armed = Book.transaction, city_module.answered, threading.Event()

    @contextmanager
    def transaction(self: Book) -> Iterator[Any]:
        if armed.is_set():
            point()
        with write(self) as db:
            yield db
        if armed.is_set():
            point()

    async def counted(request: Any, work: Any) -> Any:
        armed.set()
        point()
        response = await answered(request, work)
        point()
        response.background = BackgroundTask(point)
        return response

    Book.transaction = transaction  # type: ignore[method-assign]  # every write of a city is one too
    city_module.answered = counted


def _arm(order: Order) -> Countdown:
    countdown = Countdown(order["point"], Path(order["out"]))
    for kind, name in WRITES:
        around(kind, name, point=countdown)
    around_send(countdown)
    return countdown


def carry(order: Order) -> None:
    """Carry the transfers of a home out until nothing waits any more."""
    conveying_module.LEASE_SECONDS = 1  # what a killed process had taken is taken up soon
    with open_home(Path(order["home"])) as opened, conveyor(opened) as conveying:
        _arm(order)

        def idle() -> bool:
            with opened.database.read() as connection:
                left = "SELECT (SELECT count(*) FROM outbox) + count(due) FROM transfers"  # at one moment
                return not connection.exec_driver_sql(left).scalar_one()

        asyncio.run(conveying(idle))


def begin(order: Order) -> None:
    """Start a transfer, as a worker of the interface does, and answer."""
    with open_home(Path(order["home"])) as opened, SqlLedger(opened.database) as ledger:
        parts = transferring(opened, ledger, versions=Versions([Path(one) for one in order["mappings"]]))
        countdown = _arm(order)
        answer = parts.start(order["body"])
        countdown()
        Path(order["answer"]).write_bytes(answer)


def city(order: Order) -> None:
    """Serve a city."""
    around_city(Countdown(order["point"], Path(order["out"])))
    folder, trust = Path(order["folder"]), Path(order["trust"])
    plan = SandboxPlan(
        folder=folder, trust=trust, host="127.0.0.1", port=order["port"], residents=3, rides=200, seed=1
    )
    serve_city(order["name"], plan)


WORKS: dict[str, Callable[[Order], None]] = {"carry": carry, "begin": begin, "city": city}


def spawn(order: Order) -> int:
    """Fork a process for an order."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        with open(order["log"], "ab") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        WORKS[order["work"]](order)
        code = 0
    except BaseException as error:  # noqa: BLE001 - it ends this process, and the log says why
        sys.stderr.write(f"{order['work']}: {error!r}\n")
    finally:
        sys.stderr.flush()
        os._exit(code)


def ended(child: int, *, seconds: float) -> int | None:
    """Return how a process ended, None while it runs."""
    until = time.monotonic() + seconds
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= until:
            return None
        time.sleep(0.01)


def main() -> None:
    """Take orders until there are no more."""
    running: set[int] = set()
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            answer = ended(order["wait"], seconds=order["seconds"])
            if answer is not None:
                running.discard(order["wait"])
        else:
            answer = spawn(order)
            running.add(answer)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    for child in running:
        os.kill(child, signal.SIGKILL)


if __name__ == "__main__":
    main()
