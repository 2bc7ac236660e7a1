"""The words of an explanation, in Chinese and in English."""

from dataclasses import dataclass
from typing import Final, Literal

from gateway.convert.program import RoundingMode
from gateway.model.codes import CONFIDENCES, Rejection

__all__ = ["WORDS", "Lang", "Words"]

Lang = Literal["zh", "en"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Everything that an explanation says, as texts with named gaps."""

    mapping: str
    rows: str
    day: str
    behaviour: str
    input: str
    class_input: str
    constant: str
    figure: str
    figure_of: str
    source: str
    confirmed: str
    sureness: str
    no_basis: str
    limit: str
    limit_duration: str
    within: str
    beyond: str
    allowed_up_to: str
    allowed_between: str
    finding: str
    table: str
    table_label: str
    formula: str
    numbers: str
    exact: str
    rounded: str
    unchanged: str
    not_rounded: str
    label: str
    reduction: str
    engagement: str
    points: str
    cap: str
    granted: str
    final: str
    refused: str
    text_was: str
    bounds_are: str
    capped_units: dict[Literal["points", "reduction", "acts"], str]
    confidences: dict[str, str]
    relations: dict[str, str]
    unmapped: str
    window: str
    unpublished: str
    closed: str
    rating: str
    no_points: str
    modes: dict[RoundingMode, str]
    reasons: dict[Rejection, str]


_ZH = Words(
    mapping="映射规则 {id} 第 {version} 版（{title}），摘要 {digest}",
    rows="本行为由 {count} 行合成",
    day="行为日期 {day}（{zone}）",
    behaviour="行为类别 {behaviour}：代码表 {table} 的代码 {code}",
    input="{name}：原文 {text}，读作 {value}",
    class_input="{name}：原文 {text}，按代码表 {table} 归为“{of}”",
    constant="行为类别 {behaviour}：规则中声明的常量",
    figure="系数 {name} = {value}，自 {since} 起；{source}",
    figure_of="系数 {name}（{of}）= {value}，自 {since} 起；{source}",
    source="依据 {ref}《{title}》{clause}",
    confirmed="，最近确认于 {day}",
    sureness="，{year} 年{confidence}",
    no_basis="未注明依据",
    limit="合理性限值 {name}：{quantity}，用时 {seconds} 秒，允许 {allowed}：{verdict}",
    limit_duration="合理性限值 {name}：用时 {seconds} 秒，允许 {allowed}：{verdict}",
    within="符合",
    beyond="超出",
    allowed_up_to="至多 {high}",
    allowed_between="{low} 至 {high}",
    finding="疑点 {rule}：{found}，规则为 {expected}；照常计入，另列供人工核查",
    table="分段表 {name}：{argument} 落在第 {row} 行（始于 {at}），自 {since} 起；{source}",
    table_label="，评级“{label}”",
    formula="步骤 {name} = {expression}",
    numbers="  代入 {expression}",
    exact="  精确值 {value}",
    rounded="  保留 {scale} 位小数，{mode}：{value}",
    unchanged="  保留 {scale} 位小数，无需舍入：{value}",
    not_rounded="  不舍入，精确值用于下一步",
    label="  评级：{label}",
    reduction="减排量 {mg} mg CO2e",
    engagement="本类积分不对应减排量",
    points="封顶前积分 {points} {unit}",
    cap="封顶 {name}（{period}）：此前已用 {used}/{maximum} {unit}，"
    "申请 {asked}，给予 {granted}，此后已用 {after}",
    granted="给予积分 {points} {unit}",
    final="按规则，积分给予后不再收回",
    refused="未换算：{reason}（{code}，{field}）",
    text_was="  原文 {text}",
    bounds_are="  允许范围 {low} 至 {high}，至多 {scale} 位小数",
    capped_units={"points": "积分", "reduction": "mg CO2e", "acts": "次"},
    confidences={"published": "公布值", "derived": "推算值", "secondary": "转述值", "assumed": "假定值"},
    relations={"same": "", "narrower": "，平台的类别窄于此", "broader": "，平台的类别宽于此"},
    unmapped="  原因：{reason}",
    window="  须自行为日后第 {opens} 天起、第 {closes} 天前领取；{source}",
    unpublished="本平台的系数均未公布：行为类别已登记，不予换算",
    closed="该项目已于 {on} 结束：{snapshot}",
    rating="本规则只评级，不产生减排量和积分",
    no_points="积分规则未公布，只计减排量",
    modes={
        "half_up": "四舍五入（恰为一半时远离零）",
        "half_even": "四舍六入五成双",
        "half_down": "五舍六入（恰为一半时向零）",
        "floor": "向下取整（向负无穷）",
        "ceiling": "向上取整（向正无穷）",
        "down": "截尾（向零）",
        "up": "进位（远离零）",
    },
    reasons={
        Rejection.MALFORMED_ROW: "这一行或其中的日期、时间写法不对",
        Rejection.MISSING_FIELD: "缺少必需的字段",
        Rejection.NOT_A_DECIMAL: "不是规定写法的十进制数",
        Rejection.EXCESS_DIGITS: "小数位数多于声明的位数",
        Rejection.OUT_OF_BOUNDS: "数值超出声明的范围",
        Rejection.UNKNOWN_CODE: "代码表中没有这个代码",
        Rejection.UNKNOWN_PLACE: "地点无法识别",
        Rejection.QUANTITY_UNKNOWN: "行为的数量无从得知",
        Rejection.UNPAIRED: "找不到与之配对的另一条记录",
        Rejection.IMPLAUSIBLE: "内容不合情理",
        Rejection.MAPPING_NOT_IN_FORCE: "行为当日没有生效的规则版本",
        Rejection.NO_FIGURE: "当日或该类别没有可用的系数",
        Rejection.UNMAPPED: "平台有此类行为，但未公布系数",
        Rejection.NO_REDUCTION: "没有产生减排量",
        Rejection.NOT_PERSONAL: "减排量已不归个人所有",
        Rejection.DUPLICATE_EVENT: "同一事件已经提交过",
        Rejection.ALREADY_CLAIMED: "同一行为已被主张",
        Rejection.UNCLAIMED: "尚未领取",
        Rejection.EARLY: "领取过早",
        Rejection.LATE: "提交或领取过晚",
        Rejection.CAPPED_OUT: "封顶额度已用完",
    },
)

_EN = Words(
    mapping="mapping {id} version {version} ({title}), digest {digest}",
    rows="the act is made of {count} rows",
    day="day of the act {day} ({zone})",
    behaviour="behaviour {behaviour}: code {code} of the code table {table}",
    input="{name}: written {text}, read as {value}",
    class_input="{name}: written {text}, class {of} by the code table {table}",
    constant="behaviour {behaviour}: a constant of the mapping",
    figure="factor {name} = {value}, since {since}; {source}",
    figure_of="factor {name} ({of}) = {value}, since {since}; {source}",
    source="source {ref} {title} {clause}",
    confirmed=", last confirmed {day}",
    sureness=", {confidence}, of {year}",
    no_basis="no source stated",
    limit="limit {name}: {quantity} in {seconds} s, allowed {allowed}: {verdict}",
    limit_duration="limit {name}: {seconds} s, allowed {allowed}: {verdict}",
    within="within",
    beyond="beyond",
    allowed_up_to="at most {high}",
    allowed_between="{low} to {high}",
    finding="finding {rule}: {found}, expected {expected}; counted all the same and set aside for people",
    table="table {name}: {argument} lies in row {row} (from {at}), since {since}; {source}",
    table_label=", rating {label}",
    formula="step {name} = {expression}",
    numbers="  with numbers {expression}",
    exact="  exactly {value}",
    rounded="  rounded to {scale} decimals, {mode}: {value}",
    unchanged="  to {scale} decimals, nothing to round: {value}",
    not_rounded="  not rounded: the exact value goes on",
    label="  rating: {label}",
    reduction="reduction {mg} mg CO2e",
    engagement="these points stand for no reduction",
    points="points before caps {points} {unit}",
    cap="cap {name} ({period}): {used} of {maximum} {unit} used before, "
    "asked {asked}, granted {granted}, {after} used after",
    granted="points granted {points} {unit}",
    final="by the rules, points once granted are not taken back",
    refused="not converted: {reason} ({code}, {field})",
    text_was="  written {text}",
    bounds_are="  allowed from {low} to {high}, with at most {scale} decimals",
    capped_units={"points": "points", "reduction": "mg CO2e", "acts": "acts"},
    confidences={one: one for one in CONFIDENCES},
    relations={
        "same": "",
        "narrower": ", the platform's kind of act is narrower",
        "broader": ", the platform's kind of act is broader",
    },
    unmapped="  because {reason}",
    window="  to be claimed from {opens} days after the act on, before {closes} days after it; {source}",
    unpublished="no figure of this platform is published: its kinds of act are known, nothing is converted",
    closed="the programme ended on {on}: {snapshot}",
    rating="these rules give a rating, no reduction and no points",
    no_points="no rule of points is published: the reduction alone counts",
    modes={
        "half_up": "to the nearest, ties away from zero",
        "half_even": "to the nearest, ties to the even digit",
        "half_down": "to the nearest, ties towards zero",
        "floor": "down, towards minus infinity",
        "ceiling": "up, towards plus infinity",
        "down": "towards zero",
        "up": "away from zero",
    },
    reasons={
        Rejection.MALFORMED_ROW: "the row, or a date or time in it, is not written as it must be",
        Rejection.MISSING_FIELD: "a needed field is absent",
        Rejection.NOT_A_DECIMAL: "this is not a decimal of the strict form",
        Rejection.EXCESS_DIGITS: "there are more decimals than declared",
        Rejection.OUT_OF_BOUNDS: "the value lies outside the declared bounds",
        Rejection.UNKNOWN_CODE: "the code table does not have this code",
        Rejection.UNKNOWN_PLACE: "the place is not known",
        Rejection.QUANTITY_UNKNOWN: "the quantity of the act cannot be known",
        Rejection.UNPAIRED: "the other half of the act is missing",
        Rejection.IMPLAUSIBLE: "the content is not plausible",
        Rejection.MAPPING_NOT_IN_FORCE: "no version of the rules is in force on that day",
        Rejection.NO_FIGURE: "there is no figure for that day or class",
        Rejection.UNMAPPED: "the platform has this kind of act, and no figure is published",
        Rejection.NO_REDUCTION: "the act has no reduction",
        Rejection.NOT_PERSONAL: "the reduction no longer belongs to the person",
        Rejection.DUPLICATE_EVENT: "the same event has been submitted before",
        Rejection.ALREADY_CLAIMED: "the same act has been claimed",
        Rejection.UNCLAIMED: "it has not been claimed",
        Rejection.EARLY: "it was claimed too early",
        Rejection.LATE: "it was submitted or claimed too late",
        Rejection.CAPPED_OUT: "the cap is used up",
    },
)

WORDS: Final[dict[Lang, Words]] = {"zh": _ZH, "en": _EN}
