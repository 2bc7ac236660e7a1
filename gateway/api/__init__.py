"""The HTTP interface: one module for each resource, one table of problems."""

from gateway.api.application import application
from gateway.api.parts import ApiParts, Limits, Measures
from gateway.api.witness import WitnessParts, witness_application

__all__ = [
    "ApiParts",
    "Limits",
    "Measures",
    "WitnessParts",
    "application",
    "witness_application",
]
