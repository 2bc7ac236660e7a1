"""The stages in the order in which a row meets them, each measured alone."""

from benchmarks.measure import Stage
from benchmarks.stages import (
    adapter,
    backtest,
    bulk,
    caps,
    claims,
    commit,
    files,
    online,
    parse,
    receipts,
    rule,
)

__all__ = ["STAGES"]

STAGES: dict[str, Stage] = {
    "parse": parse.measure,
    "adapter": adapter.measure,
    "rule": rule.measure,
    "caps": caps.measure,
    "commit": commit.measure,
    "files": files.measure,
    "online": online.measure,
    "receipts": receipts.measure,
    "bulk": bulk.measure,
    "claims": claims.measure,
    "backtest": backtest.measure,
}
