"""The HTTP interface: one module for each resource, one table of problems."""

from gateway.api.application import application
from gateway.api.parts import ApiParts, Limits

__all__ = ["ApiParts", "Limits", "application"]
