"""Errors as they are kept and sent: what became of something that nobody waits for."""

from gateway.errors import GatewayError

__all__ = ["problem_document"]


def problem_document(error: GatewayError) -> dict[str, object]:
    """Return an error as the result of an operation."""
    return {"code": error.code, "detail": str(error), "field": error.field, "remedy": error.remedy}
