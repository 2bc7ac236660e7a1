"""Join the parts of having the own log witnessed."""

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gateway.app.base.clock import SystemClock
from gateway.app.base.home import OpenHome, open_home
from gateway.errors import HomeBusy
from gateway.peers import HttpWitnesses
from gateway.service.witnesses.cosigning import Cosigning, CosigningParts
from gateway.service.witnesses.quorum import Quorum
from gateway.settings import read_settings
from gateway.store.log.cosigned import CosignedFiles
from gateway.transparency import QuorumPending, read_checkpoint, read_note, read_policy

__all__ = ["collect", "cosigned_of", "gather", "quorum_of"]

STEP_SECONDS: Final = 0.05
RETRY_SECONDS: Final = 1.0
THREADS: Final = 64  # each waits for one witness
_logger = logging.getLogger(__name__)


def cosigned_of(opened: OpenHome) -> CosignedFiles:
    """Return the cosignatures of a home."""
    return CosignedFiles(opened.home.witnesses)


def quorum_of(opened: OpenHome) -> Quorum:
    """Return what watches the quorum of a home."""
    settings = read_settings()
    return Quorum(
        notes=cosigned_of(opened),
        published=lambda: opened.log.checkpoint,
        clock=SystemClock(),
        alarm=settings.witness_alarm,
        stop=settings.witness_stop,
    )


def gather(root: Path, *, stop: Callable[[], bool]) -> None:
    """Have every new checkpoint witnessed until told to stop; the home is only read."""
    while not stop():
        try:
            with open_home(root) as opened, _cosigning(opened) as cosigning:
                _gather(cosigning, quorum_of(opened), stop=stop)
        except HomeBusy:
            time.sleep(RETRY_SECONDS)  # `tanqiao witness collect` does it at the moment


def _gather(cosigning: Cosigning, quorum: Quorum, *, stop: Callable[[], bool]) -> None:
    alarmed = False
    while not stop():
        cosigning.step(time.monotonic())
        missing = quorum.missing_for() > quorum.alarm
        if missing and not alarmed:
            _logger.error("%s", "; ".join(quorum.warnings()))
        alarmed = missing
        time.sleep(STEP_SECONDS)


def collect(root: Path, *, seconds: float) -> dict[str, object]:
    """Have the newest checkpoint witnessed once.

    Raises:
        QuorumPending: not enough witnesses have answered in this time; what came is kept.
        HomeBusy: the service does it already.
    """
    with open_home(root) as opened, _cosigning(opened) as cosigning:
        until = time.monotonic() + seconds
        while not cosigning.step(time.monotonic()):
            if time.monotonic() > until:
                troubles = "; ".join(quorum_of(opened).warnings()) or "no witness has answered yet"
                raise QuorumPending(
                    f"the quorum was not reached in {seconds:g} seconds: {troubles}",
                    remedy="see `tanqiao witness status`, then run the command again",
                )
            time.sleep(STEP_SECONDS)
        checkpoint = read_checkpoint(read_note(opened.log.checkpoint).text)
        quorum = read_policy(opened.trust.policy()).quorum
        return {"witnessed": True, "entries": checkpoint.tree_size, "quorum": quorum}


@contextmanager
def _cosigning(opened: OpenHome) -> Iterator[Cosigning]:
    files = cosigned_of(opened)

    def policy() -> bytes:
        opened.trust.require_pinned()
        return opened.trust.policy()

    with files.gathering(), HttpWitnesses() as peers, ThreadPoolExecutor(THREADS) as pool:
        try:
            yield Cosigning(
                parts=CosigningParts(
                    policy=_seldom(policy),
                    log=opened.log,
                    notes=files,
                    peers=peers,
                    clock=SystemClock(),
                    submit=pool.submit,
                )
            )
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _seldom(read: Callable[[], bytes]) -> Callable[[], bytes]:
    """Read again after a second at the earliest: the checkpoint store is not to be asked with each step."""
    last: list[tuple[float, bytes]] = []

    def found() -> bytes:
        now = time.monotonic()
        if not last or now - last[0][0] > RETRY_SECONDS:
            last[:] = [(now, read())]
        return last[0][1]

    return found
