"""The words of a difference, in Chinese and in English."""

from datetime import date, timedelta
from typing import Final

from gateway.convert.wording import Lang
from gateway.review.diff.change import Change, Days, Effect, Kind

__all__ = ["EFFECTS", "KINDS", "days_text", "sentence"]

KINDS: Final[dict[Lang, dict[Kind, str]]] = {
    "zh": {
        "identity": "标识", "status": "来源等级", "text": "说明文字", "source": "依据", "test": "测试",
        "days": "适用日期", "reading": "读取方式", "code": "代码", "bounds": "取值范围",
        "threshold": "合理性限值", "factor": "系数", "table": "分段表", "formula": "公式",
        "rounding": "舍入", "credit": "积分",
        "cap": "封顶", "expiry": "有效期", "other": "其他",
    },
    "en": {
        "identity": "identity", "status": "status", "text": "text", "source": "source", "test": "test",
        "days": "days", "reading": "reading", "code": "code", "bounds": "bounds", "threshold": "threshold",
        "factor": "factor", "table": "table", "formula": "formula", "rounding": "rounding",
        "credit": "credit", "cap": "cap", "expiry": "expiry", "other": "other",
    },
}  # fmt: skip

EFFECTS: Final[dict[Lang, dict[Effect, str]]] = {
    "zh": {"editorial": "不影响换算", "forward-only": "仅影响今后", "retroactive": "追溯既往"},
    "en": {"editorial": "editorial", "forward-only": "forward-only", "retroactive": "retroactive"},
}

_ABOUT: Final = {"zh": "{label} {about}：", "en": "{label} {about}: "}
_WHAT: Final[dict[Lang, dict[str, str]]] = {
    "zh": {"changed": "{old} → {new}", "new": "新增 {new}", "gone": "删除（原为 {old}）",
           "written": "写法不同，含义不变"},
    "en": {"changed": "{old} → {new}", "new": "new, {new}", "gone": "removed, was {old}",
           "written": "written otherwise, means the same"},
}  # fmt: skip
_DAYS: Final[dict[Lang, dict[str, str]]] = {
    "zh": {"from": "，自 {first} 起", "between": "，{first} 至 {last}", "until": "，至 {last} 止"},
    "en": {"from": ", from {first}", "between": ", from {first} to {last}", "until": ", until {last}"},
}
_PAST: Final[dict[Lang, str]] = {
    "zh": "；{first} 至 {last} 的行为已按旧版计入，将有所不同",
    "en": "; acts of {first} to {last}, which the old version counts, would count otherwise",
}
_COMPARED: Final = frozenset({"factor", "table", "formula", "code"})
SHOWN_MAX: Final = 160  # a whole section that is new is named by its beginning


def sentence(change: Change, lang: Lang) -> str:
    """Tell a change in one sentence: what it is about, the old and the new, and for which days it holds."""
    head = _ABOUT[lang].format(label=KINDS[lang][change.kind], about=" ".join(change.about))
    text = head + _what(change, lang) + days_text(change.days, lang)
    if change.past is None:
        return text
    first, last = (day.isoformat() for day in (change.past.first, change.past.until - timedelta(days=1)))
    return text + _PAST[lang].format(first=first, last=last)


def _what(change: Change, lang: Lang) -> str:
    if change.kind in _COMPARED and change.effect == "editorial" and change.about[-1:] != ("order",):
        return _WHAT[lang]["written"]
    form = "changed" if change.old and change.new else "new" if change.new else "gone"
    unit = f" {change.unit}" if change.unit not in {"", "1"} else ""
    old = _shown(change.old) + (unit if form == "gone" else "")
    return _WHAT[lang][form].format(old=old, new=_shown(change.new) + unit)


def _shown(text: str) -> str:
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}…"


def days_text(days: Days | None, lang: Lang) -> str:
    """Say for which days a change holds; nothing where that is none or all."""
    if days is None or (days.first, days.until) == (date.min, date.max):
        return ""
    form = "from" if days.until == date.max else "until" if days.first == date.min else "between"
    last = "" if days.until == date.min else (days.until - timedelta(days=1)).isoformat()
    return _DAYS[lang][form].format(first=days.first.isoformat(), last=last)
