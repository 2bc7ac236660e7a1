"""Points at which a process can be killed: around every write, send and answer, named by what does it.

A point is a kind, such as ``SqlLedger.run: before commit``, and its number among those of that kind. What
changes nothing is no point: a process that looks again and again whether there is work passes none.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from sqlalchemy import Connection

from gateway.peers.platform_line import PlatformLine
from gateway.sandbox.city.book import Book
from gateway.store.serving.nonces import SharedNonces
from gateway.store.sql.database import Database

__all__ = [
    "Counted",
    "Points",
    "around_city_writes",
    "around_files",
    "around_nonces",
    "around_sends",
    "around_writes",
]

_BETWEEN = ("contextlib", "gateway.store.sql.database", "gateway.store.files.durable", "tests.fakes.points")
Pass = Callable[[str], None]


class Points:
    """Writes down which points this process passes; at the one that is armed it ends, as by kill -9."""

    def __init__(self, folder: Path, name: str) -> None:
        self._passed, self._armed = folder / f"{name}.passed", folder / f"{name}.armed"
        self._lock = threading.Lock()

    def __call__(self, kind: str) -> None:
        with self._lock:
            kinds = [line.rpartition(" ")[0] for line in self._passed.read_text().splitlines()]
            point = f"{kind} {kinds.count(kind) + 1}"
            with self._passed.open("a") as file:
                file.write(point + "\n")
            if point == self._armed.read_text():
                os.kill(os.getpid(), signal.SIGKILL)


def around_writes(point: Pass) -> None:
    """Pass a point before and after the commit of each transaction of the home that changes something."""
    plain = Database.write

    @contextmanager
    def write(self: Database, *, alone: bool = True) -> Iterator[Connection]:
        work = _working()
        with plain(self, alone=alone) as connection:
            before = _changes(connection)
            yield connection
            changed = _changes(connection) != before
            if changed:
                point(f"{work}: before commit")
        if changed:
            point(f"{work}: after commit")

    Database.write = write  # type: ignore[method-assign]  # every write of the home is a point to kill at


def around_city_writes(point: Pass) -> None:
    """Pass a point before and after the commit of each transaction of a city that changes something."""
    plain = Book.transaction

    @contextmanager
    def transaction(self: Book) -> Iterator[Any]:
        work = _working()
        with plain(self) as db:
            before = db.total_changes
            yield db
            changed = db.total_changes != before
            if changed:
                point(f"{work}: before commit")
        if changed:
            point(f"{work}: after commit")

    Book.transaction = transaction  # type: ignore[method-assign]  # every write of a city is one too


def around_files(point: Pass) -> None:
    """Pass a point before and after each flush of a file to the disk, and each file put in place."""
    for name in ("fsync", "replace"):
        setattr(os, name, _around(getattr(os, name), f"os.{name}", point=point))


def _around(plain: Callable[..., object], name: str, *, point: Pass) -> Callable[..., object]:
    def called(*arguments: Any) -> object:
        work = _working()
        point(f"{work}: before {name}")
        answer = plain(*arguments)
        point(f"{work}: after {name}")
        return answer

    return called


def around_nonces(point: Pass) -> None:
    """Pass a point before and after a nonce is used up, wherever it is kept."""
    plain = SharedNonces.use

    def use(self: SharedNonces, *arguments: Any, **named: Any) -> Any:
        point("SharedNonces.use: before use")
        answer = plain(self, *arguments, **named)
        point("SharedNonces.use: after use")
        return answer

    SharedNonces.use = use  # type: ignore[method-assign]  # in Redis they are no transaction of the home


def around_sends(point: Pass) -> None:
    """Pass a point before and after each request to a platform."""
    plain = PlatformLine._exchanged

    async def exchanged(self: PlatformLine, question: Any) -> Any:
        said = f"{question.target} to {self.endpoint.platform}"
        point(f"{said}: before send")
        answer = await plain(self, question)
        point(f"{said}: after send")
        return answer

    PlatformLine._exchanged = exchanged  # type: ignore[method-assign]  # every exchange is one too


class Counted:
    """An application whose requests pass points: as they arrive, before and after they are answered."""

    def __init__(self, application: Any, point: Pass) -> None:
        self._application = application
        self._point = point

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope.get("method") != "POST":
            await self._application(scope, receive, send)
            return
        path = scope["path"]
        self._point(f"{path}: arrived")

        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                self._point(f"{path}: before answer")
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                self._point(f"{path}: after answer")

        await self._application(scope, receive, sent)


def _changes(connection: Connection) -> object:
    """Return what is another value once this transaction has changed something."""
    if connection.dialect.name == "postgresql":
        return connection.exec_driver_sql("SELECT pg_current_xact_id_if_assigned()").scalar()
    driver: Any = connection.connection.driver_connection
    return driver.total_changes


def _working() -> str:
    """Return which work of the program writes here."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals["__name__"]
        if module.startswith("gateway.") and module not in _BETWEEN:
            return frame.f_code.co_qualname
        frame = frame.f_back
    return "?"
