"""Reading the inputs of the formula: for each behaviour those that its expressions use."""

from collections.abc import Callable, Mapping, Sequence

from gateway.convert.outcome import Refusal, quoted
from gateway.convert.program import Field, Program
from gateway.convert.roles import column_texts
from gateway.convert.scalars import DecimalReader, Memo
from gateway.model.codes import Rejection
from gateway.model.columns import RowTable

__all__ = ["InputReader", "not_in_force", "unknown_behaviour", "unmapped_behaviours"]

Row = Mapping[str, str]


def not_in_force(program: Program) -> Refusal:
    """Give the refusal of an act on a day that the version does not cover."""
    until = "further notice" if program.effective_until is None else program.effective_until.isoformat()
    detail = f"expected a day from {program.effective_from.isoformat()} until {until}"
    return Refusal(Rejection.MAPPING_NOT_IN_FORCE, "day", detail)


def unknown_behaviour() -> Refusal:
    """Give the refusal of an act whose behaviour another version knows, and this one does not."""
    return Refusal(
        Rejection.UNKNOWN_CODE, "behaviour", "expected a behaviour that this version of the mapping has"
    )


def unmapped_behaviours(program: Program) -> dict[str, Refusal]:
    """Give the refusals of acts that the platform has and no figure is published for, by behaviour."""
    return {
        behaviour: Refusal(Rejection.UNMAPPED, "behaviour", reason.en)
        for behaviour, reason in program.unmapped.items()
    }


class InputReader:
    """Reads inputs as scaled integers or as the index of a class, in the order of ``formula.needs``."""

    def __init__(self, program: Program) -> None:
        fields = {field.name: field for field in program.source.fields}
        self._missing = program.source.format.missing
        self._columns = {
            (behaviour, name): _Column(fields[name], program, behaviour=behaviour)
            for behaviour, names in program.formula.needs.items()
            for name in names
        }
        self._needs = {
            behaviour: tuple((name, self._columns[behaviour, name]) for name in names)
            for behaviour, names in program.formula.needs.items()
        }

    def read(self, fields: Row, behaviour: str) -> dict[str, int] | Refusal:
        """Read the inputs of one act; the first refusal stands."""
        missing = self._missing
        inputs: dict[str, int] = {}
        for name, column in self._needs[behaviour]:
            text = fields.get(column.key) if column.constant is None else column.constant
            if text is None or (text in missing and column.constant is None):
                return column.absent
            value = column.read(text)
            if isinstance(value, Refusal):
                return value
            inputs[name] = value
        return inputs

    def read_column(
        self, name: str, behaviour: str, *, rows: RowTable, places: Sequence[int]
    ) -> list[int | Refusal]:
        """Read one input of the acts at some places, which are of one behaviour."""
        column = self._columns[behaviour, name]
        read, absent = column.memo.__getitem__, column.absent
        texts = column_texts(column.field, rows, missing=self._missing, places=places)
        if None in texts:
            return [absent if text is None else read(text) for text in texts]
        return list(map(read, texts))  # type: ignore[arg-type]  # just seen: no None among them


class _Column:
    """How one input is read for one behaviour; a field that is not of that behaviour has no key."""

    __slots__ = ("absent", "constant", "field", "key", "memo", "read")

    def __init__(self, field: Field, program: Program, *, behaviour: str) -> None:
        self.field = field
        self.key = field.keys[0] if field.keys else ""
        self.constant = field.constant
        self.absent = Refusal(field.missing, field.name, "expected a value, there is none")
        self.read: Callable[[str], int | Refusal] = _reader(field, program)
        if field.behaviours is not None and behaviour not in field.behaviours:
            self.read = self._absent
        self.memo = Memo(self.read)

    def _absent(self, text: str) -> Refusal:
        del text
        return self.absent


def _reader(field: Field, program: Program) -> Callable[[str], int | Refusal]:
    classes = program.formula.inputs[field.name].classes
    if classes is None:
        return DecimalReader(field)
    table = field.code_table or ""
    indices = {row.code: classes.index(row.value) for row in program.source.code_tables[table]}

    def read(text: str) -> int | Refusal:
        index = indices.get(text)
        if index is None:
            detail = f"expected one of the {len(indices)} codes of {table}, not {quoted(text)}"
            return Refusal(Rejection.UNKNOWN_CODE, field.name, detail)
        return index

    return read
