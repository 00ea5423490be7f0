"""Markup: whatever a text holds, it comes out as that text, and the page stays well-formed."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.ui.safety_display.markup import Markup, element, joined
from tests.ui.bench import WellFormed

TEXTS = st.text(st.characters(exclude_characters="\x00\r", exclude_categories=["Cs"]), max_size=40)


@given(TEXTS, TEXTS)
def test_any_text_comes_out_as_it_is(text: str, other: str) -> None:
    made = element("p", text, element("b", other), title=other)
    shown = WellFormed(made)
    assert shown.tags == ["p", "b"]
    assert "".join(shown.words) == text + other
    assert shown.attributes == [("p", "title", other)]


def test_markup_stays_what_it_is_when_it_is_joined() -> None:
    assert joined("<", Markup("<br>"), ">") == "&lt;<br>&gt;"
    assert isinstance(joined("x"), Markup)
    assert isinstance(element("p"), Markup)
