"""The fixture of the Go check."""

from tests.go.verifier import go_verifier

__all__ = ["go_verifier"]
