"""What an adapter must offer to the gateway, and the readers that adapters share.

Keys of a row's fields: a CSV or Parquet row has its column names, a JSON row has JSON Pointers
(``/trip/distance``). A row that cannot be taken apart has one field, :data:`WHOLE_ROW`.
"""

from gateway.contract.clocks import DayOrder, local_time
from gateway.contract.corridor import (
    ANSWER_COLUMNS,
    TASK_COLUMNS,
    CommonForm,
    CorridorForm,
    as_cell,
    document_of,
    from_cell,
    lines_of,
)
from gateway.contract.json_rows import (
    JSON_DEPTH_MAX,
    JsonValue,
    NotStrictJson,
    entry_row,
    flat_fields,
    read_ndjson,
    read_ndjson_blocks,
    strict_json,
)
from gateway.contract.offer import Assembly, BlockAdapter, PlatformAdapter, RenderingAdapter, contract_fault
from gateway.contract.parquet import read_parquet
from gateway.contract.places import EARTH_RADIUS_M, BadPosition, Position, read_position, straight_line_m
from gateway.contract.table import CsvTable, UnknownHeader, open_csv, read_csv
from gateway.contract.text import (
    ROW_BYTES_MAX,
    WHOLE_ROW,
    Line,
    TextSource,
    open_text,
    read_lines,
    read_within,
)

__all__ = [
    "ANSWER_COLUMNS",
    "EARTH_RADIUS_M",
    "JSON_DEPTH_MAX",
    "ROW_BYTES_MAX",
    "TASK_COLUMNS",
    "WHOLE_ROW",
    "Assembly",
    "BadPosition",
    "BlockAdapter",
    "CommonForm",
    "CorridorForm",
    "CsvTable",
    "DayOrder",
    "JsonValue",
    "Line",
    "NotStrictJson",
    "PlatformAdapter",
    "Position",
    "RenderingAdapter",
    "TextSource",
    "UnknownHeader",
    "as_cell",
    "contract_fault",
    "document_of",
    "entry_row",
    "flat_fields",
    "from_cell",
    "lines_of",
    "local_time",
    "open_csv",
    "open_text",
    "read_csv",
    "read_lines",
    "read_ndjson",
    "read_ndjson_blocks",
    "read_parquet",
    "read_position",
    "read_within",
    "straight_line_m",
    "strict_json",
]
