"""The HTTP interface: one module for each resource, one table of problems."""

from gateway.api.application import application
from gateway.api.parts import ApiParts, Limits, ListedMapping

__all__ = ["ApiParts", "Limits", "ListedMapping", "application"]
