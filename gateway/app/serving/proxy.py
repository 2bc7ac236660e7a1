"""Join the parts of the signing side-car."""

from pathlib import Path

import uvicorn

from gateway.app.base.home import SystemClock
from gateway.app.base.listening import listening
from gateway.app.serving.remote import gateway_address
from gateway.client.proxy import signing_proxy
from gateway.store.files.keys import FileSigner

__all__ = ["run_proxy"]


def run_proxy(url: str, key: Path, *, host: str, port: int) -> None:
    """Sign and pass on requests until interrupted.

    Raises:
        LocalFileError: the key cannot be read, or others may read it; or the port is taken.
        UsageError: the address is none.
    """
    proxy = signing_proxy(gateway_address(url), FileSigner(key, "http"), now=SystemClock().now)
    with listening(host, port) as opened:
        config = uvicorn.Config(proxy, log_level="warning", access_log=False, server_header=False)
        uvicorn.Server(config).run(sockets=[opened])
