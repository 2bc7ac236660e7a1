"""The online evaluator: one generated function for each behaviour and stretch of days."""

from bisect import bisect_right
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from gateway.convert.generate import BlockFunction, block_source, refusal_objects, step_traces
from gateway.convert.guard import TimeReader, compiled_guard
from gateway.convert.inputs import InputReader, not_in_force, unknown_behaviour, unmapped_behaviours
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

    ``blocks`` has the compiled blocks of each behaviour in the order of their days, ``guards`` what acts
    are held to before them, of the behaviours that are held to something.
    """

    def __init__(self, program: Program) -> None:
        self._inputs = InputReader(program)
        self._not_in_force = not_in_force(program)
        self.blocks = {
            behaviour: tuple(_compiled(block) for block in lower(program, behaviour))
            for behaviour in program.behaviours
        }
        self.time = TimeReader(program)
        compiled = {behaviour: compiled_guard(program, behaviour) for behaviour in program.behaviours}
        self.guards = {behaviour: guard for behaviour, guard in compiled.items() if guard is not None}
        self._unknown_behaviour = unknown_behaviour()
        self._unmapped = unmapped_behaviours(program)
        self._days = _days(program)
        self._spans = {
            behaviour: ([made.block.first for made in blocks], blocks[-1].block.until)
            for behaviour, blocks in self.blocks.items()
        }

    @property
    def source(self) -> str:
        """The generated code of all blocks, for inspection."""
        written = [made.source for blocks in self.blocks.values() for made in blocks]
        return "\n\n".join([*written, *(guard.source for guard in self.guards.values())])

    def convert(self, fields: Mapping[str, str], roles: Roles) -> Converted | Refusal:
        """Convert one act whose roles have been read."""
        made = self.block_on(roles.behaviour, roles.day)
        if isinstance(made, Refusal):
            return made
        inputs = self._inputs.read(fields, roles.behaviour)
        return inputs if isinstance(inputs, Refusal) else self._guarded(made.plain, inputs, roles=roles)

    def convert_traced(self, fields: Mapping[str, str], roles: Roles) -> Converted | Refusal:
        """Convert one act and give every step with its exact value."""
        made = self.block_on(roles.behaviour, roles.day)
        if isinstance(made, Refusal):
            return made
        inputs = self._inputs.read(fields, roles.behaviour)
        return inputs if isinstance(inputs, Refusal) else self._guarded(made.traced, inputs, roles=roles)

    def _guarded(self, run: BlockFunction, inputs: dict[str, int], *, roles: Roles) -> Converted | Refusal:
        """Hold an act to the limits of its behaviour, then run the formula."""
        guard = self.guards.get(roles.behaviour)
        if guard is None:
            return run(inputs)
        time = self.time.read(roles.start, roles.end)
        findings = time if isinstance(time, Refusal) else guard.run(inputs, time)
        if isinstance(findings, Refusal):
            return findings
        outcome = run(inputs)
        return outcome if isinstance(outcome, Refusal) else outcome._replace(findings=findings)

    def convert_inputs(self, inputs: Mapping[str, int], *, behaviour: str, day: int) -> Converted | Refusal:
        """Convert inputs that were read before: what a record states. Others than needed are ignored.

        A record does not state how long its act took, so it is held to no limits again.
        """
        made = self.block_on(behaviour, day)
        if isinstance(made, Refusal):
            return made
        needed = {name: inputs[name] for name in made.block.inputs if name in inputs}
        for name, var in made.block.inputs.items():
            if name not in needed:
                return Refusal(Rejection.MISSING_FIELD, name, "expected a value, there is none")
            if not var.low <= needed[name] <= var.high:
                return Refusal(Rejection.OUT_OF_BOUNDS, name, "expected a value within its bounds")
        return made.plain(needed)

    def block_on(self, behaviour: str, day: int) -> CompiledBlock | Refusal:
        """Find the block that holds for a behaviour on a day."""
        span = self._spans.get(behaviour)
        if span is None:
            unmapped = self._unmapped.get(behaviour)
            if unmapped is None:
                return self._unknown_behaviour
            return unmapped if day in self._days else self._not_in_force
        starts, until = span
        if not starts[0] <= day < until:
            return self._not_in_force
        return self.blocks[behaviour][bisect_right(starts, day) - 1]


def _days(program: Program) -> range:
    until = program.effective_until or date.max
    return range(program.effective_from.toordinal(), until.toordinal() + (program.effective_until is None))


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
