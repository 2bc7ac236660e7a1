"""Between a client and a gateway: the proxy that signs, and prism, which holds both to the contract."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import yaml

from tests.fakes.servers import free_port
from tests.node.packages import CLIENTS
from tools.write_openapi import CONTRACT

__all__ = ["checking_proxy", "signing_side_car"]

_PRISM = CLIENTS / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"


@contextmanager
def signing_side_car(gateway: str, key: Path) -> Iterator[str]:
    """Run ``tanqiao proxy`` with a platform's key; yields its address."""
    command = [str(Path(sys.executable).with_name("tanqiao")), "proxy", "--to", gateway, "--key", str(key)]
    with _answering(command, key.with_suffix(".log")) as url:
        yield url


@contextmanager
def checking_proxy(gateway: str, folder: Path) -> Iterator[str]:
    """Run prism: a request or an answer that is not in the contract becomes an error; yields its address.

    Prism knows no signatures, and its clients make none: the side-car behind it does. So its copy of the
    contract is the one without them.
    """
    contract = yaml.safe_load(CONTRACT.read_text("utf-8"))
    for methods in contract["paths"].values():
        for operation in methods.values():
            del operation["security"]
    (folder / "unsigned.yaml").write_text(yaml.safe_dump(contract, sort_keys=False), "utf-8")
    command = ["node", str(_PRISM), "proxy", str(folder / "unsigned.yaml"), gateway, "--errors"]
    with _answering(command, folder / "prism.log") as url:
        yield url


@contextmanager
def _answering(command: Sequence[str], log: Path) -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with (
        log.open("wb") as said,
        subprocess.Popen([*command, "--port", str(port)], stdout=said, stderr=said) as process,
    ):
        try:
            for _ in range(1200):
                try:
                    httpx.get(url + "/v1/health")
                    break
                except httpx.TransportError:
                    time.sleep(0.05)
            yield url
        finally:
            process.terminate()
