"""Columns of repeating values as their distinct ones, and which of them each row has."""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["Coded", "CodedNames", "coded", "coded_names"]

_WORDS: Final = 4  # of 64 bits, in a pseudonym


class Coded(NamedTuple):
    """The distinct values of a column, None for what is absent, and where they stand."""

    words: list[Any]
    places: npt.NDArray[np.intp]


class CodedNames(NamedTuple):
    """The distinct pseudonyms of a column, as rows of words, and where they stand; -1 for what is absent."""

    words: npt.NDArray[np.uint64]
    places: npt.NDArray[np.intp]


def coded(column: "pa.ChunkedArray[Any]") -> Coded:
    """Return a column by its distinct values."""
    array = _encoded(column)
    words = array.dictionary.to_pylist()
    places = pc.fill_null(array.indices, len(words)).to_numpy()
    return Coded([*words, None] if array.null_count else words, places.astype(np.intp))


def coded_names(column: "pa.ChunkedArray[Any]") -> CodedNames:
    """Return a column of pseudonyms by its distinct ones, without an object for each."""
    array = _encoded(column)
    names = array.dictionary
    words: npt.NDArray[np.uint64] = np.zeros((0, _WORDS), dtype=np.uint64)
    if len(names):
        first = _WORDS * names.offset
        packed = np.frombuffer(names.buffers()[1], np.uint64)
        words = packed[first : first + _WORDS * len(names)].reshape(-1, _WORDS)
    return CodedNames(words, pc.fill_null(array.indices, -1).to_numpy().astype(np.intp))


def _encoded(column: "pa.ChunkedArray[Any]") -> Any:  # noqa: ANN401 - pyarrow has no type for what is encoded
    array: Any = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks else pa.array([], array.type)
    return array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
