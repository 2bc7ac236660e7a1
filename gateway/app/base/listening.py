"""Open the socket that a service listens on."""

import socket
from typing import Final

from gateway.errors import LocalFileError

__all__ = ["BACKLOG", "listening"]

BACKLOG: Final = 2048


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        LocalFileError: the port is taken, or the address is not this machine's.
    """
    try:
        return socket.create_server((host, port), backlog=BACKLOG)
    except OSError as error:
        raise LocalFileError(
            f"cannot listen on {host}:{port}: {error.strerror}",
            remedy="choose another --port, end what listens there, or name an address of this machine",
        ) from error
