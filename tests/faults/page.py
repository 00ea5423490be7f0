"""Prints docs/faults.md: ``python -m tests.faults.page > docs/faults.md``."""

import sys
from collections.abc import Iterator

from holdfast.testing.faults.fault import Fault, Kind
from holdfast.testing.faults.scenes import SiteScene
from holdfast.testing.faults.table import FAULTS
from tests.faults.elsewhere import ELSEWHERE, NOT_HERE, Elsewhere

_TOP = """\
# Faults of devices

Made by `python -m tests.faults.page`; do not edit. What can be wrong with a device, what Holdfast
does about it, how soon at the longest, and where a test asserts that.

In the first table of each section each row is injected into the control cycle in simulated time
(`holdfast hil run --suite faults`, [fault-campaign.md](fault-campaign.md)), while the site is
idle, charges and discharges, as far as it can show there: from the beginning of the fault, just
behind a sample of the slowest device, to the command. The site is a battery on CAN that speaks
once a second, an inverter and a meter that are asked ten times, and a relay board with a precharge;
with other tables other times hold ([reaction times](limits.md#reaction-times)). "Found as" is the
row of [limits.md](limits.md) that `holdfast status` shows. A trip is 0 W, inverter off and latched;
the contactor is open within another two seconds. The outcome stays for two seconds and more,
nothing but what is said is damaged, and a site that is to be at 0 W does not start meanwhile. After
its end the site does again what it did, by itself within its hold time; after a trip or a stop it
stays latched until a reset.

The second table of each section names the tests that assert reaction and time elsewhere, below
`tests/`. Where devices lie to the real processes on real wires: `make hostile`
([proof.md](proof.md))."""


def page() -> str:
    """All of it."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield _TOP
    for kind in Kind:
        yield from ("", f"## {kind}", "")
        yield from _row("fault", "while", "what follows", "within", "found as", "why so")
        yield from _row(*["---"] * 6)
        for fault in FAULTS:
            if fault.kind is kind:
                yield from _injected(fault)
        others = [other for other in ELSEWHERE if other.kind is kind]
        if others:
            yield ""
            yield from _row("fault", "what follows", "within", "tested by", "why so")
            yield from _row(*["---"] * 5)
        for other in others:
            yield from _elsewhere(other)
    yield from ("", "## Not here", "")
    yield from _row("fault", "why")
    yield from _row("---", "---")
    for one in NOT_HERE:
        yield from _row(one.name, one.why)


def _injected(fault: Fault) -> Iterator[str]:
    scenes = "it boots" if fault.scenes == (SiteScene.BOOT,) else ", ".join(fault.scenes)
    yield from _row(fault.name, scenes, fault.outcome, fault.within, fault.finding, _why(fault))


def _why(fault: Fault) -> str:
    costs = ", ".join(sorted(kind.replace("_", " ") for kind in fault.costs))
    parts = (fault.because, costs and f"costs a {costs}", fault.lasting)
    return "; ".join(part for part in parts if part)


def _elsewhere(other: Elsewhere) -> Iterator[str]:
    tests = ", ".join(f"`{name}`" for name in other.tests)
    yield from _row(other.name, other.outcome, other.within, tests, other.because)


def _row(*cells: str) -> Iterator[str]:
    yield f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.stdout.write(page())
