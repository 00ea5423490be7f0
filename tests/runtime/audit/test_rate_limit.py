"""A flood gets one line a second; what got none is counted, and its last is never lost."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.monitoring.audit.events import MessageRefused
from holdfast.runtime.audit.rate_limit import EVERY_NS, AuditRateLimit


def refused(reason: str) -> MessageRefused:
    return MessageRefused(what="start", reason=reason, uid=0, pid=1)


def told(events: object) -> list[tuple[str, int]]:
    return [(event.reason, event.repeats) for event in events]  # type: ignore[attr-defined]


def test_the_first_passes_at_once_and_the_newest_when_its_time_has_come() -> None:
    limit = AuditRateLimit()
    assert told(limit.passes("a", refused("1"), 0)) == [("1", 0)]
    assert told(limit.passes("a", refused("2"), 1)) == []
    assert told(limit.passes("a", refused("3"), EVERY_NS - 1)) == []
    assert told(limit.due(EVERY_NS - 1)) == []
    assert told(limit.due(EVERY_NS)) == [("3", 1)]
    assert told(limit.due(5 * EVERY_NS)) == []
    assert told(limit.passes("a", refused("4"), 2 * EVERY_NS - 1)) == []
    assert told(limit.passes("a", refused("5"), 2 * EVERY_NS)) == [("5", 1)]


def test_one_that_comes_alone_has_no_repeats() -> None:
    limit = AuditRateLimit()
    told(limit.passes("a", refused("1"), 0))
    assert told(limit.passes("a", refused("2"), EVERY_NS)) == [("2", 0)]


def test_keys_do_not_wait_for_each_other() -> None:
    limit = AuditRateLimit()
    told(limit.passes("a", refused("1"), 0))
    assert told(limit.passes("b", refused("2"), 1)) == [("2", 0)]
    told(limit.passes("a", refused("3"), 2))
    told(limit.passes("b", refused("4"), 3))
    assert told(limit.due(EVERY_NS)) == [("3", 0)]
    assert told(limit.due(EVERY_NS, at_end=True)) == [("4", 0)]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, EVERY_NS)), max_size=30))
def test_every_event_is_told_or_counted_once(sent: list[tuple[str, int]]) -> None:
    limit, lines, now_ns = AuditRateLimit(), [], 0
    for key, pause_ns in sent:
        now_ns += pause_ns
        lines += told(limit.passes(key, refused(key), now_ns))
    lines += told(limit.due(now_ns, at_end=True))
    assert sum(1 + repeats for _, repeats in lines) == len(sent)
