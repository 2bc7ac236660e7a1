"""The words of the pages that are not sentences of a template: closed sets, in Chinese and in English."""

from typing import Final

from gateway.convert.program import Text

__all__ = ["CONFIDENCES", "KINDS", "RELATIONS", "STATUSES", "STEPS", "plain"]

STATUSES: Final = {
    "official": Text("发布方正式公布", "published by the issuer"),
    "press": Text("依据新闻报道，非官方", "from press reports, not official"),
    "study": Text("依据研究文献，非官方", "from studies, not official"),
    "unpublished": Text("平台已知，数值未公布", "platform known, figures not published"),
    "illustrative": Text("示例，数值为虚构", "an example, figures invented"),
}
KINDS: Final = {
    "gram": Text("积分是减排量的度量", "points are a measure of the reduction"),
    "per_act": Text("按次给予积分，减排量另计", "points are granted per act, beside the reduction"),
    "engagement": Text("积分不对应减排量", "points stand for no reduction"),
    "rating": Text("只评级，不给积分", "a rating, and no points"),
    "none": Text("不给积分", "no points"),
    "unpublished": Text("未公布", "not published"),
}
CONFIDENCES: Final = {
    "published": Text("公布", "published"),
    "derived": Text("由公布数值推出", "derived"),
    "secondary": Text("他人转述", "secondary"),
    "assumed": Text("假定", "assumed"),
}
RELATIONS: Final = {
    "same": Text("相同", "same"),
    "narrower": Text("范围较窄", "narrower"),
    "broader": Text("范围较宽", "broader"),
}
STEPS: Final = {"reduction": Text("减排量", "reduction"), "points": Text("积分", "points")}


def plain(text: str) -> Text:
    """Return a text that is the same in both languages."""
    return Text(text, text)
