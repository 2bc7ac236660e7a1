"""Join the parts of a witness: its folder, its key, its clock, its interface."""

from pathlib import Path
from typing import Final

import uvicorn

from gateway.api import WitnessParts, witness_application
from gateway.app.base.clock import SystemClock
from gateway.app.base.listening import listening
from gateway.service.witnesses.witnessing import Witness
from gateway.store.log.witness_home import WitnessHome
from gateway.transparency import read_vkey

__all__ = ["add_log", "logs", "new_witness", "serve_witness"]

GRACE_SECONDS: Final = 10
REQUESTS_MAX: Final = 256  # at once; a witness has few clients


def new_witness(root: Path, *, name: str) -> dict[str, object]:
    """Make a witness and return what the logs that it follows need."""
    return {"witness": name, "vkey": str(WitnessHome(root).create(name))}


def add_log(root: Path, vkey: str) -> dict[str, object]:
    """Follow a log."""
    home = WitnessHome(root)
    home.signer()
    key = read_vkey(vkey)
    home.add_log(key)
    return {"origin": key.name, "key_id": key.key_id.hex()}


def logs(root: Path) -> list[dict[str, object]]:
    """List the logs that a witness follows, and how many forks it can prove."""
    home = WitnessHome(root)
    home.signer()
    return [
        {"origin": log.origin, "size": log.size, "keys": list(log.keys), "evidence": len(home.evidence())}
        for log in home.logs()
    ]


def serve_witness(root: Path, *, host: str, port: int) -> None:
    """Answer over HTTP until interrupted.

    Raises:
        LocalFileError: there is no witness at that place, or the port is taken.
    """
    home = WitnessHome(root)
    key, signer = home.signer()
    witness = Witness(key=key, sign=signer.sign, memory=home, clock=SystemClock())
    parts = WitnessParts(cosign=witness.cosign, cosigned=home.cosigned)
    with listening(host, port) as opened:
        config = uvicorn.Config(
            witness_application(parts),
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_keep_alive=60,  # the specification asks for connections that are kept
            timeout_graceful_shutdown=GRACE_SECONDS,
            limit_concurrency=REQUESTS_MAX,
        )
        uvicorn.Server(config).run(sockets=[opened])
