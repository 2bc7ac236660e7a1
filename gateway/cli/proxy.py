"""``proxy``: a signing side-car for clients that cannot sign."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import hint

__all__ = ["register"]


def register(root: typer.Typer) -> None:
    """Add the command to the root."""
    root.command("proxy")(proxy)


def proxy(
    to: Annotated[str, typer.Option(help="The gateway's address, such as https://gw.example.")],
    key: Annotated[Path, typer.Option(help="The platform's private key: `tanqiao keys new --purpose http`.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8421,
) -> None:
    """Sign requests on their way to a gateway, for clients that cannot.

    Whoever reaches this port speaks as the platform: leave it on the loopback address.

    Examples:

        tanqiao keys new --out wuhan.key --purpose http

        tanqiao proxy --to https://gw.example --key wuhan.key

        curl http://127.0.0.1:8421/v1/operations
    """
    from gateway.app.serving.proxy import run_proxy

    hint(f"signing for {to} at http://{host}:{port}; stop with Ctrl-C")
    run_proxy(to, key, host=host, port=port)
