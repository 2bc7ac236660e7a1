"""Why 100 points become 83: one sentence for each rule that a quote rests on, in Chinese and in English."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from gateway.convert import Program
from gateway.convert.explain import exact_text
from gateway.model.quote import Quote, QuotedLot
from gateway.recognition import Failure, Worth, movable
from gateway.service.transfers.lots import FoundLot

__all__ = ["Explained", "ToldLot", "explain_quote"]


class Explained(NamedTuple):
    """The sentences in both languages, in the same order."""

    zh: list[str]
    en: list[str]


class ToldLot(NamedTuple):
    """A lot as it was found, and as it was quoted."""

    found: FoundLot
    quoted: QuotedLot


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """Sentences with named gaps."""

    summary: str
    less: str
    left_out: str
    lot: str
    arrived: str
    paid: str
    part: str
    basis_lower: str
    basis_higher: str
    factor: str
    recognised: str
    together: str
    points: str
    whole: str
    lapses: str
    never: str
    caps: str
    whole_act: str
    part_of_act: str


_EN: Final = _Words(
    summary="{points_out} points of {source} become {points_in} points of {destination}.",
    less="{asked} points were asked for; only {points_out} can move.",
    left_out="{count} records are left out: {number} {code}.",
    lot="Record {record} of {day} ({behaviour}): {co2e_mg} mg and {points} points by {mapping}.",
    arrived=(
        "Of record {record} of {day} ({behaviour}) {co2e_mg} mg and {points} points have come here"
        " by transfers: what was recognised counts from then on."
    ),
    paid="Points were granted for {movable} mg of that; what was not paid for cannot move.",
    part="{used_mg} mg of it move, which burns {points} points.",
    basis_lower=(
        "By the agreed basis, {basis}, {act} is worth {basis_mg} mg: less than {co2e_mg} mg, so it counts."
    ),
    basis_higher=(
        "By the agreed basis, {basis}, {act} is worth {basis_mg} mg: the source's {co2e_mg} mg count."
    ),
    factor="For evidence of the grade {evidence} the agreement recognises {factor} of it.",
    recognised=(
        "{used_mg} mg × {rate} = {exact} mg; rounded down, {recognised_mg} mg are recognised,"
        " {unrecognised_mg} mg count nowhere any more."
    ),
    together="{moved_mg} mg that moved before are counted together with this part: no split changes the sum.",
    points=(
        "{destination} gives {destination_points} points for the act's {destination_mg} mg:"
        " {exact} points for this part."
    ),
    whole="Rounded down, {points_in} points arrive; {dust} of a point stays for a later part of this lot.",
    lapses="They lapse after {day}: a move never lengthens a life.",
    never="They never lapse, as at the source.",
    caps="The destination's own caps come after this.",
    whole_act="the whole act",
    part_of_act="this part of the act",
)
_ZH: Final = _Words(
    summary="{source}的{points_out}积分折合{destination}的{points_in}积分。",
    less="申请转移{asked}积分，只能转移{points_out}积分。",
    left_out="有{count}条记录未计入：{number} {code}。",
    lot="记录{record}（{day}，{behaviour}）：按{mapping}为{co2e_mg}毫克、{points}积分。",
    arrived="记录{record}（{day}，{behaviour}）经转移到此{co2e_mg}毫克、{points}积分：此后以已认可的数量为准。",
    paid="其中{movable}毫克已发放积分；未发放积分的部分不能转移。",
    part="转移其中{used_mg}毫克，扣减{points}积分。",
    basis_lower="按约定基准{basis}，{act}为{basis_mg}毫克，低于{co2e_mg}毫克，以此为准。",
    basis_higher="按约定基准{basis}，{act}为{basis_mg}毫克，仍以转出地的{co2e_mg}毫克为准。",
    factor="证据等级为{evidence}，协议认可其{factor}。",
    recognised=(
        "{used_mg}毫克 × {rate} = {exact}毫克；向下取整，认可{recognised_mg}毫克，"
        "其余{unrecognised_mg}毫克不再计入任何一方。"
    ),
    together="此前已转移的{moved_mg}毫克与本次合并计算，因此结果与拆分方式无关。",
    points="{destination}对该行为的{destination_mg}毫克发放{destination_points}积分，本次对应{exact}积分。",
    whole="向下取整，到账{points_in}积分；不足一分的{dust}留待该批次后续转移。",
    lapses="有效期至{day}：转移不会延长有效期。",
    never="与转出地相同，长期有效。",
    caps="此后再适用转入地自身的上限。",
    whole_act="该行为整体",
    part_of_act="该行为的这一部分",
)


def explain_quote(
    quote: Quote,
    lots: Sequence[ToldLot],
    *,
    asked: int | None,
    refused: Sequence[Failure],
) -> Explained:
    """Put a quote into sentences, what fills their gaps being worked out once for both languages."""
    said = list(_said(quote, lots, asked=asked, refused=refused))
    return Explained(*([sentence(words).format_map(gaps) for sentence, gaps in said] for words in (_ZH, _EN)))


_Said = tuple[Callable[[_Words], str], dict[str, object]]
"""A sentence, by its words, and what fills its gaps."""


def _said(
    quote: Quote, lots: Sequence[ToldLot], *, asked: int | None, refused: Sequence[Failure]
) -> Iterator[_Said]:
    amounts = quote.amounts
    yield (
        lambda words: words.summary,
        {
            "points_out": amounts.points_out,
            "points_in": amounts.points_in,
            "source": quote.source,
            "destination": quote.destination,
        },
    )
    if asked is not None and amounts.points_out < asked:
        yield lambda words: words.less, {"asked": asked, "points_out": amounts.points_out}
        first = {one.record: one for one in reversed(refused)}
        counted = Counter((one.number, one.code.value) for one in first.values())
        for (number, code), count in sorted(counted.items()):
            yield lambda words: words.left_out, {"count": count, "number": number, "code": code}
    for told in lots:
        if isinstance(told.found.lot.worth, Worth):
            yield from _of_act(told)
            yield from _of_basis(told, told.found.lot.worth)
            yield from _of_points(told, told.found.lot.worth)
    yield lambda words: words.caps, {}


def _of_act(told: ToldLot) -> Iterator[_Said]:
    lot, use, arrived = told.found.lot, told.quoted.use, told.found.arrived
    value, most = lot.value, movable(lot.value)
    gaps: dict[str, object] = {
        "record": lot.record,
        "day": lot.day,
        "behaviour": lot.behaviour,
        "co2e_mg": value.co2e_mg,
        "points": value.points,
        "mapping": _named(told.found.program),
    }
    yield (lambda words: words.lot) if arrived is None else (lambda words: words.arrived), gaps
    if most < value.co2e_mg:
        yield lambda words: words.paid, {"movable": exact_text(most)}
    yield lambda words: words.part, {"used_mg": use.used_mg, "points": use.points}


def _of_basis(told: ToldLot, worth: Worth) -> Iterator[_Said]:
    lot, use = told.found.lot, told.quoted.use
    value, whole = lot.value, lot.value.share == 1
    basis_mg = value.share * worth.basis_mg
    gaps: dict[str, object] = {
        "basis": _named(told.found.found.basis),
        "basis_mg": exact_text(basis_mg),
        "co2e_mg": value.co2e_mg,
    }

    def of_basis(words: _Words) -> str:
        sentence = words.basis_lower if basis_mg < value.co2e_mg else words.basis_higher
        return sentence.replace("{act}", words.whole_act if whole else words.part_of_act)

    yield of_basis, gaps
    if worth.factor != 1:
        yield lambda words: words.factor, {"evidence": lot.evidence, "factor": exact_text(worth.factor)}
    rate = worth.recognised_of(value)
    yield (
        lambda words: words.recognised,
        {
            "used_mg": use.used_mg,
            "rate": exact_text(rate),
            "exact": exact_text(rate * use.used_mg),
            "recognised_mg": use.recognised_mg,
            "unrecognised_mg": use.unrecognised_mg,
        },
    )


def _of_points(told: ToldLot, worth: Worth) -> Iterator[_Said]:
    quoted = told.quoted
    if quoted.moved_mg:
        yield lambda words: words.together, {"moved_mg": quoted.moved_mg}
    yield (
        lambda words: words.points,
        {
            "destination": _named(told.found.found.destination),
            "destination_points": exact_text(worth.destination_points),
            "destination_mg": worth.destination_mg,
            "exact": exact_text(quoted.use.points_in),
        },
    )
    yield lambda words: words.whole, {"points_in": quoted.points_in, "dust": exact_text(quoted.dust)}
    yield (
        (lambda words: words.lapses) if quoted.expires else (lambda words: words.never),
        {"day": quoted.expires},
    )


def _named(program: Program | None) -> str:
    return "" if program is None else f"{program.id} v{program.version}"
