"""From the rows of a document to the outcomes that are converted: the one stage that sees several rows.

Bulk conversion and the explanation of one row both go through here.
"""

from collections.abc import Callable, Iterator

from gateway.contract import Assembly, PlatformAdapter
from gateway.convert import DayGroups, Program
from gateway.model.source import Outcome, RefusedRow, SourceRow

__all__ = ["assembled"]

Rows = Iterator[SourceRow | RefusedRow]


def assembled(
    rows: Rows,
    program: Program,
    *,
    adapter: PlatformAdapter,
    assemble: Callable[[Rows, Assembly], Iterator[Outcome]],
) -> Iterator[Outcome]:
    """Take rows through the group that the mapping declares, or the assembly of the adapter, if any.

    There is at most one of them: a mapping declares a group for the common adapter only, which has no
    assembly. ``assemble`` sorts.
    """
    if program.source.group is not None:
        groups = DayGroups(program)
        stage = Assembly(group_by=groups.group_by, order_by=groups.order_by, assemble=groups.assemble)
        return assemble(groups.keyed(rows), stage)
    return rows if adapter.assembly is None else assemble(rows, adapter.assembly)
