"""People are told what changes, and not the same again and again."""

import itertools
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.units import NS_PER_S
from holdfast.monitoring.notices import (
    MOST_AN_HOUR,
    OVER_AFTER_NS,
    QUIET_NS,
    REPEATS,
    Notice,
    NoticeKind,
    NoticeMemory,
    notices,
)
from holdfast.monitoring.status.schema import FindingStatus

DAY_S, HOUR_S = 86_400, 3600
START_S = 1000


def finding(
    row: str = "cell_high", reaction: str = "derate", owner: str = "house"
) -> FindingStatus:
    return FindingStatus(
        owner=owner, row=row, level="alarm", reaction=reaction, for_s=0.0, text=f"{row} is high"
    )


def day(
    there: Callable[[int], list[FindingStatus]], hours: float = 24, step_s: int = 5
) -> Iterator[tuple[int, Notice]]:
    """Each notice of a day with its second, where ``there`` tells what there is in each."""
    memory = NoticeMemory()
    for second in range(0, round(hours * HOUR_S), step_s):
        told, memory = notices(memory, there(second), (START_S + second) * NS_PER_S)
        yield from ((second, notice) for notice in told)


def kinds(found: list[tuple[int, Notice]]) -> list[NoticeKind]:
    return [notice.kind for _, notice in found]


def most_an_hour(found: list[tuple[int, Notice]]) -> int:
    times = [second for second, _ in found]
    return max(sum(t <= other < t + HOUR_S for other in times) for t in times)


def test_a_finding_is_told_when_it_comes_and_once_when_it_is_over() -> None:
    found = list(day(lambda s: [finding()] if 100 <= s < 1000 else [], hours=2))
    assert kinds(found) == [NoticeKind.NEW, NoticeKind.OVER]
    assert found[0][0] == 100
    assert found[1][0] == 1000 + OVER_AFTER_NS // NS_PER_S - 5
    assert found[0][1].text == "cell_high is high"


def test_nothing_that_lasts_is_told_again_but_by_the_rows_of_the_table() -> None:
    found = list(day(lambda s: [finding()], step_s=30))
    assert kinds(found) == [NoticeKind.NEW, NoticeKind.STILL, NoticeKind.STILL]
    assert [second for second, _ in found[1:]] == [row.after_ns // NS_PER_S for row in REPEATS[:2]]
    assert found[1][1].text == "cell_high is high (for an hour)"


def test_one_that_comes_and_goes_each_20_s_for_a_day_is_told_a_few_times() -> None:
    """Of a day with 2,160 changes a person is told four times, and once that it is over."""
    found = list(day(lambda s: [finding()] if s < DAY_S and s % 40 < 20 else [], hours=26))
    assert kinds(found) == [NoticeKind.NEW, *[NoticeKind.STILL] * 3, NoticeKind.OVER]
    assert "(for an hour, 91 times)" in found[1][1].text
    assert found[-1][1].times == 2160
    seconds = [second for second, _ in found]
    assert all(b - a >= QUIET_NS // NS_PER_S for a, b in itertools.pairwise(seconds))
    assert most_an_hour(found) <= MOST_AN_HOUR


def test_many_that_come_and_go_are_no_more_than_six_an_hour() -> None:
    rows = [f"row_{index}" for index in range(30)]
    found = list(
        day(lambda s: [finding(row) for i, row in enumerate(rows) if (s // 20 + i) % 2], step_s=20)
    )
    assert most_an_hour(found) <= MOST_AN_HOUR
    assert {notice.row for _, notice in found} == set(rows)


def test_what_becomes_worse_is_told_at_once_and_once() -> None:
    def there(second: int) -> list[FindingStatus]:
        return [finding(reaction="ramp_to_zero" if second >= 60 and second % 40 < 20 else "log")]

    found = list(day(there, hours=0.5))
    assert kinds(found) == [NoticeKind.NEW, NoticeKind.WORSE]
    assert found[1][0] == 80
    assert found[1][1].reaction == "ramp_to_zero"


def test_a_trip_waits_for_no_other_notice() -> None:
    def there(second: int) -> list[FindingStatus]:
        small = [finding(f"row_{index}") for index in range(10)]
        return [*small, finding("cell_voltage", "trip")] if second >= 60 else small

    found = list(day(there, hours=0.5))
    assert len(found) == MOST_AN_HOUR + 1
    assert found[-1][0] == 60
    assert found[-1][1].row == "cell_voltage"


def test_of_several_the_strongest_is_told_first() -> None:
    told, _ = notices(NoticeMemory(), [finding("a", "log"), finding("b", "ramp_to_zero")], 10**12)
    assert [notice.row for notice in told] == ["b", "a"]


def test_what_comes_again_after_it_was_over_is_new() -> None:
    found = list(day(lambda s: [finding()] if s % 3000 < 900 else [], hours=1.5))
    assert kinds(found) == [NoticeKind.NEW, NoticeKind.OVER, NoticeKind.NEW, NoticeKind.OVER]


def test_the_same_row_of_two_owners_are_two_findings() -> None:
    both = [finding(owner="house"), finding(owner="barn")]
    told, _ = notices(NoticeMemory(), both, 10**12)
    assert {notice.owner for notice in told} == {"house", "barn"}


def test_what_was_gone_before_there_was_room_to_tell_it_is_no_news() -> None:
    def there(second: int) -> list[FindingStatus]:
        first = [finding(f"row_{index}") for index in range(MOST_AN_HOUR)]
        return [*first, finding("short")] if second == 0 else first

    found = list(day(there, hours=3))
    assert "short" not in {notice.row for _, notice in found}


STEPS = st.lists(
    st.tuples(
        st.integers(1, 4000),
        st.lists(
            st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["log", "derate", "trip"]))
        ),
    ),
    max_size=60,
)


@pytest.mark.parametrize("strong", [True, False])
@given(steps=STEPS)
def test_whatever_happens_nobody_is_flooded(
    strong: bool, steps: list[tuple[int, list[tuple[str, str]]]]
) -> None:
    memory, now_s = NoticeMemory(), START_S
    found: list[tuple[int, Notice]] = []
    for step_s, there in steps:
        now_s += step_s
        shown = {
            row: finding(row, reaction if strong or reaction != "trip" else "hold")
            for row, reaction in there
        }
        told, memory = notices(memory, shown.values(), now_s * NS_PER_S)
        found += [(now_s, notice) for notice in told]
    if found and not strong:
        assert most_an_hour(found) <= MOST_AN_HOUR
    for row in "abcdefgh":
        own = [(second, notice) for second, notice in found if notice.row == row]
        for (before_s, before), (after_s, after) in itertools.pairwise(own):
            if after.kind is not NoticeKind.WORSE and after.kind is not NoticeKind.NEW:
                assert after_s - before_s >= QUIET_NS // NS_PER_S
            assert (after.kind is NoticeKind.NEW) == (before.kind is NoticeKind.OVER)
