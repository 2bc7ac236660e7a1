"""Work in other processes: an iterator ahead of the one that consumes it, and calls beside it.

The processes are fresh ones that hold nothing of this one: no database, no lock. They end by
themselves when this one is gone, however that ended.
"""

import contextlib
import fcntl
import gc
import multiprocessing
import os
import pickle
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import Any, Final, TypeVar

from gateway.errors import InvariantBroken

__all__ = ["beside", "in_another_process"]

T = TypeVar("T")

AHEAD: Final = 1  # items that wait between the processes; more would only fill the memory
PIPE_BYTES: Final = 1 << 20  # what Linux gives without privileges
SWITCH_SECONDS: Final = 0.0005  # the sender needs the interpreter lock for an instant, the producer always
_END: Final = b""


def in_another_process(make: Callable[[], Iterator[T]]) -> Iterator[T]:
    """Yield what ``make()`` yields there; an error there is raised here.

    Raises:
        InvariantBroken: the process ended without a word.
    """
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    _widen(sending)
    process = context.Process(target=_produce, args=(make, sending), daemon=True)
    process.start()
    sending.close()
    try:
        while (data := _receive(receiving)) != _END:
            item = pickle.loads(data)  # noqa: S301 - from our own process
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        receiving.close()
        process.terminate()
        process.join()


@contextmanager
def beside(processes: int) -> Iterator[ProcessPoolExecutor]:
    """Give processes for calls beside this one; what has not begun when the block ends is dropped."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_begin)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the consumer is interrupted too, and ends this process
    threading.Thread(target=_end_with_parent, daemon=True).start()
    gc.disable()  # rows and columns make no cycles; the collector would walk them again and again


def _widen(sending: "Connection[Any, Any]") -> None:
    """Let a part pass in few writes: after each one the sender waits for the interpreter lock."""
    with contextlib.suppress(AttributeError, OSError):  # another system, or a lower limit: only slower
        fcntl.fcntl(sending.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def _receive(receiving: "Connection[Any, Any]") -> bytes:
    try:
        return receiving.recv_bytes()
    except EOFError as error:
        raise InvariantBroken("the process that prepares rows ended without a word") from error


def _produce(make: Callable[[], Iterator[Any]], sending: "Connection[Any, Any]") -> None:
    _begin()
    sys.setswitchinterval(SWITCH_SECONDS)
    outgoing: queue.Queue[bytes] = queue.Queue(AHEAD)
    sender = threading.Thread(target=_send, args=(outgoing, sending))
    sender.start()
    try:
        for item in make():
            outgoing.put(pickle.dumps(item, pickle.HIGHEST_PROTOCOL))
            if not sender.is_alive():
                return
    except Exception as error:  # noqa: BLE001 - it is raised again where the items are consumed
        outgoing.put(pickle.dumps(error))
    outgoing.put(_END)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)  # there is nothing to save: only the consumer writes


def _send(outgoing: "queue.Queue[bytes]", sending: "Connection[Any, Any]") -> None:
    try:
        while (data := outgoing.get()) != _END:
            sending.send_bytes(data)
        sending.send_bytes(_END)
    except BrokenPipeError:  # the consumer has stopped: make room, so that the producer sees it
        while not outgoing.empty():
            outgoing.get_nowait()
