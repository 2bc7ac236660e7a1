"""Columns of repeating values as their distinct ones, and which of them each row has."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["Coded", "coded"]


class Coded(NamedTuple):
    """The distinct values of a column, None for what is absent, and where they stand."""

    words: list[Any]
    places: npt.NDArray[np.intp]


def coded(column: "pa.ChunkedArray[Any]") -> Coded:
    """Return a column by its distinct values."""
    array: Any = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks else pa.array([], array.type)
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    words = array.dictionary.to_pylist()
    places = pc.fill_null(array.indices, len(words)).to_numpy()
    return Coded([*words, None] if array.null_count else words, places.astype(np.intp))
