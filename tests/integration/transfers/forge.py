"""Processes that die at a chosen point (:mod:`tests.fakes.points`), forked from one that has loaded all.

Run as ``python -m …``; reads one order a line as JSON and answers with one line. ``listen`` opens a socket
that outlives whoever serves on it, ``work`` starts a process and gives its number, ``wait``
gives how it ended.
"""

import asyncio
import gc
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import uvicorn

from gateway.api import application
from gateway.app.base.home import open_home
from gateway.app.base.listening import listening
from gateway.app.log.decision_log import publish_decisions
from gateway.app.sandbox import city as sandbox_module
from gateway.app.sandbox.city import SandboxPlan, answer_file, serve_city
from gateway.app.serving.connections import bounded_connection
from gateway.app.serving.serve import Serving, api_parts
from gateway.app.transfers import moving as moving_module
from gateway.app.transfers.corridor_files import export_file, import_file
from gateway.app.transfers.moving import conveyor
from gateway.errors import Refused, Unreachable
from gateway.model.transfer import TransferKind
from gateway.peers import LineLimits
from gateway.protocol import times as times_module
from gateway.sandbox.city import city_application, read_switch
from gateway.service.transfers import carrying_files as carrying_files_module
from gateway.service.transfers import conveying as conveying_module
from tests.fakes.points import (
    Counted,
    Points,
    around_city_writes,
    around_files,
    around_nonces,
    around_sends,
    around_writes,
)

Order = dict[str, Any]
PATIENT: Final = LineLimits(request_seconds=60, message_seconds=120, pause_seconds=0.05, failures=10**6)
LONG: Final = timedelta(minutes=10)  # a slow machine must not decide how a transfer ends
SOON_SECONDS: Final = 0.05  # until a city calls back
LEFT: Final = """
WITH carried AS (
  SELECT transfer FROM outbox WHERE platform IN (SELECT platform FROM platform_dialects WHERE way = 'file'))
SELECT (SELECT count(*) FROM outbox WHERE transfer NOT IN (SELECT transfer FROM carried))
  + (SELECT count(*) FROM outbox WHERE transfer IN (SELECT transfer FROM carried)
     AND platform NOT IN (SELECT platform FROM platform_dialects WHERE way = 'file'))
  + (SELECT count(due) FROM transfers WHERE id NOT IN (SELECT transfer FROM carried))"""
"""What is left to those who are called: all but what waits for a file."""
_sockets: dict[str, socket.socket] = {}


def change(module: ModuleType, **names: object) -> None:
    """Have a module of the program use something else in this process."""
    vars(module).update(names)


def allow(*, credit: timedelta = LONG) -> None:
    """Let transfers take long, save where the destination's part is to be over soon."""
    times_module._TIMES[TransferKind.INTERACTIVE] = times_module.Times(LONG, credit, LONG)


def points(order: Order) -> Points:
    return Points(Path(order["points"]), order["name"])


def api(order: Order) -> None:
    """Answer requests of platforms, as a worker of the service does."""
    point = points(order)
    around_writes(point)
    around_nonces(point)
    serving = Serving(root=Path(order["home"]), mappings=tuple(map(Path, order["mappings"])))
    with api_parts(serving) as parts:
        http = bounded_connection(64, 60.0)
        config = uvicorn.Config(
            Counted(application(parts), point),
            http=http,  # type: ignore[arg-type]  # called like the class that uvicorn expects
            ws="none",
            log_config=None,
            access_log=False,
        )
        uvicorn.Server(config).run(sockets=[_sockets[order["name"]]])


def carry(order: Order) -> None:
    """Carry the transfers of a home out until nothing waits any more."""
    change(conveying_module, LEASE_SECONDS=order["lease"])
    allow(credit=timedelta(seconds=order["credit_seconds"]))
    point = points(order)
    around_writes(point)
    around_sends(point)
    with open_home(Path(order["home"])) as opened, conveyor(opened) as conveying:

        def idle() -> bool:
            with opened.database.read() as connection:
                return not connection.exec_driver_sql(LEFT).scalar_one()  # at one moment

        asyncio.run(conveying(idle))


def log(order: Order) -> None:
    """Put decisions into the public log, as the sequencer does."""
    point = points(order)
    around_writes(point)
    around_files(point)
    publish_decisions(Path(order["home"]))


def city(order: Order) -> None:
    """Serve a city."""
    point, name = points(order), order["name"]
    around_city_writes(point)
    change(
        sandbox_module,
        city_application=lambda parts: Counted(city_application(parts), point),
        listening=lambda _host, _port: _sockets[name],
        _switch=lambda kind: read_switch(kind, seconds=SOON_SECONDS),
    )
    folder, trust = Path(order["folder"]), Path(order["trust"])
    plan = SandboxPlan(
        folder=folder,
        trust=trust,
        host="127.0.0.1",
        port=order["port"],
        residents=3,
        rides=200,
        seed=1,
        faults=order["faults"],
    )
    serve_city(name, plan)


def export(order: Order) -> None:
    """Write a file for a platform, as the operator does."""
    point = points(order)
    around_writes(point)
    around_files(point)
    export_file(Path(order["home"]), order["platform"], folder=Path(order["folder"]))


def answer(order: Order) -> None:
    """Have a city work through a file, as its operator does: again where it has died over it."""
    around_files(points(order))
    while True:
        try:
            answer_file(Path(order["folder"]), Path(order["file"]), out=Path(order["out"]))
        except (Unreachable, Refused):  # its switches have another token once it has been started again
            time.sleep(0.05)
        else:
            return


def take(order: Order) -> None:
    """Take a city's file, as the operator does."""
    change(carrying_files_module, TOGETHER=1)  # so that it can end between any two rows
    around_writes(points(order))
    taken = import_file(Path(order["home"]), Path(order["file"]))
    if taken.refused:
        raise AssertionError(taken)


WORKS: dict[str, Callable[[Order], None]] = {
    "api": api,
    "carry": carry,
    "city": city,
    "log": log,
    "export": export,
    "answer": answer,
    "import": take,
}


def spawn(order: Order) -> int:
    """Fork a process for an order."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        with open(order["output"], "ab") as output:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
        WORKS[order["work"]](order)
        code = 0
    except BaseException as error:  # noqa: BLE001 - it ends this process, and its output says why
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
    change(moving_module, QUICK=PATIENT)
    allow()
    gc.collect()
    gc.freeze()  # what is loaded is shared by all that are forked
    running: set[int] = set()
    for line in sys.stdin:
        order = json.loads(line)
        answer: int | None = 0
        if "listen" in order:
            _sockets[order["listen"]] = listening("127.0.0.1", order["port"])
        elif "wait" in order:
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
