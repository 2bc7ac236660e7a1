"""The difference between two mapping documents by meaning: what a change would do to acts, and to which."""

from gateway.review.diff.change import Change, Effect, Kind
from gateway.review.diff.compare import compare_documents
from gateway.review.diff.words import sentence

__all__ = ["Change", "Effect", "Kind", "compare_documents", "sentence"]
