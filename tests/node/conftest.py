"""The fixture of the check by Node.js."""

from tests.node.verifier import node_verifier

__all__ = ["node_verifier"]
