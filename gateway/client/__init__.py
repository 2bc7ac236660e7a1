"""The client that a city's engineers use: signs each request, repeats it safely, waits for results."""

from gateway.client.asynchronous import AsyncGatewayClient
from gateway.client.connection import GatewayClient
from gateway.client.exchange import Answer, RequestFailed

__all__ = ["Answer", "AsyncGatewayClient", "GatewayClient", "RequestFailed"]
