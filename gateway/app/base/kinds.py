"""The shipped declaration of kinds of acts."""

from functools import cache

import yaml

from gateway.claims import Kinds
from gateway.model.shape import Shape
from gateway.resources import schema, shipped_kinds

__all__ = ["shipped"]


@cache
def shipped() -> Kinds:
    """Return the kinds of acts that claims compare.

    Raises:
        KindsRefused: the declaration means nothing.
    """
    document = yaml.safe_load(shipped_kinds())
    Shape(schema("kinds")).require(document, "mappings/kinds.yaml")
    return Kinds.of(document)
