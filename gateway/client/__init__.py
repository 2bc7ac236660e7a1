"""The client that a city's engineers use: signs each request, repeats it safely, waits for results."""

from gateway.client.connection import Answer, GatewayClient, RequestFailed

__all__ = ["Answer", "GatewayClient", "RequestFailed"]
