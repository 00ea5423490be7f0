"""Markup is HTML that is well-formed and escaped by the way in which it is made."""

from html import escape

_VOID = frozenset({"br", "input", "link", "meta"})
"""These have no content, and no end."""


class Markup(str):
    """Holds HTML; any other text is escaped where it becomes a part of some."""

    __slots__ = ()


NOTHING = Markup("")


def element(tag: str, /, *content: str, **attributes: str) -> Markup:
    """Returns an element. An underscore in an attribute's name stands for a hyphen, one at its end
    for nothing.

    >>> element("p", "1 < 2 ", element("b", "&"), class_="a b")
    '<p class="a b">1 &lt; 2 <b>&amp;</b></p>'
    >>> element("meta", http_equiv="refresh", content='"3"')
    '<meta http-equiv="refresh" content="&quot;3&quot;">'
    """
    named = "".join(
        f' {key.removesuffix("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
    )
    if tag in _VOID:
        return Markup(f"<{tag}{named}>")
    return Markup(f"<{tag}{named}>{joined(*content)}</{tag}>")


def joined(*content: str) -> Markup:
    """Returns all of ``content``, one after the other."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in content))
