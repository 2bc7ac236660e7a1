"""What an adapter must offer to the gateway, and the readers that adapters share.

Keys of a row's fields: a CSV or Parquet row has its column names, a JSON row has JSON Pointers
(``/trip/distance``). A row that cannot be taken apart has one field, :data:`WHOLE_ROW`.
"""

from gateway.contract.json_rows import (
    JSON_DEPTH_MAX,
    JsonValue,
    NotStrictJson,
    flat_fields,
    read_ndjson,
    strict_json,
)
from gateway.contract.offer import Assembly, PlatformAdapter
from gateway.contract.parquet import read_parquet
from gateway.contract.table import read_csv
from gateway.contract.text import ROW_BYTES_MAX, WHOLE_ROW, Line, TextSource, open_text, read_lines

__all__ = [
    "JSON_DEPTH_MAX",
    "ROW_BYTES_MAX",
    "WHOLE_ROW",
    "Assembly",
    "JsonValue",
    "Line",
    "NotStrictJson",
    "PlatformAdapter",
    "TextSource",
    "flat_fields",
    "open_text",
    "read_csv",
    "read_lines",
    "read_ndjson",
    "read_parquet",
    "strict_json",
]
