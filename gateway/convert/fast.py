"""The online evaluator: one generated function for each behaviour and stretch of days."""

from bisect import bisect_right
from collections.abc import Mapping
from typing import NamedTuple

from gateway.convert.generate import BlockFunction, block_source, refusal_objects, step_traces
from gateway.convert.inputs import InputReader, not_in_force
from gateway.convert.ir import Block
from gateway.convert.lower import lower
from gateway.convert.outcome import Converted, Refusal
from gateway.convert.program import Program
from gateway.convert.rational import lowest_terms, round_quotient
from gateway.convert.roles import Roles
from gateway.model.codes import Rejection

__all__ = ["CompiledBlock", "FastEvaluator"]


class CompiledBlock(NamedTuple):
    """A block with its source and its two functions; the traced one gives every step with its exact value."""

    block: Block
    source: str
    plain: BlockFunction
    traced: BlockFunction


class FastEvaluator:
    """Evaluates one program with generated integer code.

    ``blocks`` has the compiled blocks of each behaviour in the order of their days.
    """

    def __init__(self, program: Program) -> None:
        self._inputs = InputReader(program)
        self._not_in_force = not_in_force(program)
        self.blocks = {
            behaviour: tuple(_compiled(block) for block in lower(program, behaviour))
            for behaviour in program.behaviours
        }
        self._starts = {act: [made.block.first for made in blocks] for act, blocks in self.blocks.items()}
        self._until = {act: blocks[-1].block.until for act, blocks in self.blocks.items()}

    @property
    def source(self) -> str:
        """The generated code of all blocks, for inspection."""
        return "\n\n".join(made.source for blocks in self.blocks.values() for made in blocks)

    def convert(self, fields: Mapping[str, str], roles: Roles) -> Converted | Refusal:
        """Convert one act whose roles have been read."""
        inputs = self._inputs_in_force(fields, roles)
        return inputs if isinstance(inputs, Refusal) else self._block(roles).plain(inputs)

    def convert_traced(self, fields: Mapping[str, str], roles: Roles) -> Converted | Refusal:
        """Convert one act and give every step with its exact value."""
        inputs = self._inputs_in_force(fields, roles)
        return inputs if isinstance(inputs, Refusal) else self._block(roles).traced(inputs)

    def convert_inputs(self, inputs: Mapping[str, int], *, behaviour: str, day: int) -> Converted | Refusal:
        """Convert inputs that were read before: what a record states. Others than needed are ignored."""
        if behaviour not in self.blocks:
            return Refusal(Rejection.UNKNOWN_CODE, "behaviour", "expected a behaviour of the mapping")
        number = self.locate(behaviour, day)
        if number < 0:
            return self._not_in_force
        made = self.blocks[behaviour][number]
        needed = {name: inputs[name] for name in made.block.inputs if name in inputs}
        for name, var in made.block.inputs.items():
            if name not in needed:
                return Refusal(Rejection.MISSING_FIELD, name, "expected a value, there is none")
            if not var.low <= needed[name] <= var.high:
                return Refusal(
                    Rejection.OUT_OF_BOUNDS, name, "expected a value within the bounds of the input"
                )
        return made.plain(needed)

    def locate(self, behaviour: str, day: int) -> int:
        """Find the number of the block that holds on a day, or -1 when the version is not in force."""
        return bisect_right(self._starts[behaviour], day) - 1 if day < self._until[behaviour] else -1

    def _inputs_in_force(self, fields: Mapping[str, str], roles: Roles) -> dict[str, int] | Refusal:
        if self.locate(roles.behaviour, roles.day) < 0:
            return self._not_in_force
        return self._inputs.read(fields, roles.behaviour)

    def _block(self, roles: Roles) -> CompiledBlock:
        return self.blocks[roles.behaviour][self.locate(roles.behaviour, roles.day)]


def _compiled(block: Block) -> CompiledBlock:
    source = block_source(block, "plain", traced=False) + "\n\n" + block_source(block, "traced", traced=True)
    namespace: dict[str, object] = {
        "bisect_right": bisect_right,
        "Converted": Converted,
        "lowest_terms": lowest_terms,
        "round_quotient": round_quotient,
        "step_traces": step_traces,
        "refusals": refusal_objects(block),
        "forms": block.steps,
    }
    # The source is made of integers and checked identifiers only: see gateway.convert.generate.
    exec(compile(source, "<mapping>", "exec"), namespace)  # noqa: S102
    return CompiledBlock(block, source, namespace["plain"], namespace["traced"])  # type: ignore[arg-type]  # made above
