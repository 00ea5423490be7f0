"""Who guards each protection goal of a site, as a table for people and as rows for programs."""

from collections.abc import Iterable, Iterator
from typing import assert_never

from holdfast.safety.goals import Accepted, Assurance, ByDevice, ByHoldfast, Guard, Nobody


def guard_rows(assurances: Iterable[Assurance]) -> Iterator[tuple[str, ...]]:
    """Yields a row a goal: whose it is, what it is, who guards it, and what that rests on."""
    for each in assurances:
        guard, rests_on = _told(each.guard)
        yield f"  {each.owner}", each.goal, guard, rests_on


def guard_content(assurances: Iterable[Assurance]) -> list[dict[str, object]]:
    """Returns the same for programs, with the highest authority that each goal permits."""
    return [
        {
            "owner": each.owner,
            "goal": each.goal,
            "guard": guard.lower(),
            "rests_on": rests_on,
            "authority": each.permits.key,
        }
        for each in assurances
        for guard, rests_on in (_told(each.guard),)
    ]


def _told(guard: Guard) -> tuple[str, str]:
    match guard:
        case ByHoldfast(rows=rows):
            return "watched", ", ".join(rows)
        case ByDevice(source=source):
            return "device", source
        case Accepted(reason=reason):
            return "accepted", reason
        case Nobody(why=why):
            return "NOBODY", why
        case _:
            assert_never(guard)
