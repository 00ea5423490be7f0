"""Prints docs/hazards.md: ``python -m tests.hazards.page``."""

import sys
from collections.abc import Iterator

from holdfast.safety.faults import FAULTS, names_of
from holdfast.testing.faults.table import FAULTS as INJECTED
from tests.hazards.hazard import FailureMode, Hazard
from tests.hazards.table import FAILURE_MODES, HAZARDS

INJECTION_TEST = "faults/test_faults.py::test_a_fault_ends_in_its_reaction_in_time"
_TOP = """\
# Hazards and failure modes

Made by `python -m tests.hazards.page`; do not edit. What can harm, what can fail, what Holdfast does
about it, and what shows that: rows of the [limits and faults](limits.md), tests (below `tests/`), and
proofs (`make prove`; [proof.md](proof.md)). A test sees that every row of the fault table and of the limit
table is in here, and that every test and proof that is named exists.

## What this is, and what it is not

**Holdfast is not the last line before an accident, and claims no SIL and no PL.** It is one program on an
ordinary computer with an ordinary operating system; no failure rate was computed, nobody else has
assessed it, and none of it has yet been run on hardware by us. What is shown is shown in simulation, on
real protocols, and for the pure safety path by proof. Nothing that a law, a standard or a maker
demands as protection may be left out because Holdfast is there.

The last line, in each site, whoever controls it:

| who | against |
|---|---|
| BMS, with a switch of its own | each cell's voltage, temperature and current |
| the inverter's own protection, certified for the grid | over-current, islanding, voltage and frequency |
| fuses and breakers | short circuits, overload of cables |
| residual current device, earthing, insulation monitor | electric shock |
| an emergency stop that is hard-wired, without a computer in between | all that somebody sees |
| who plans, installs and inspects | what none of these see |

Severity and frequency are not given as numbers: they belong to a site, and who puts Holdfast into
one makes his own assessment; this page is for him to begin with. Risks of security are hazards as well:
[security-requirements.md](security-requirements.md)."""


def page() -> str:
    """All of it."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield from (_TOP, "", "## Hazards", "")
    yield from _table("", "hazard", "harm", "limits", "faults", "tests", "proofs", "last line")
    for hazard in HAZARDS:
        yield _hazard(hazard)
    yield from ("", "## Failure modes", "")
    yield (
        "One row for each of the fault table. What follows and who clears it is that table's; "
        f"injections are rows of [faults.md](faults.md), run by `{INJECTION_TEST}`. That a finding only "
        "ever narrows is the proof `finding.narrow` of its reaction; that a trip stays latched and "
        "nothing leads from it to RUNNING is found by searching the whole state machine."
    )
    yield ""
    yield from _table(
        "fault", "what fails", "cause", "effect, if nobody acts", "hazard", "what follows",
        "cleared", "injected as", "tests", "proofs",
    )  # fmt: skip
    for mode in FAILURE_MODES:
        yield _failure(mode)


def _hazard(hazard: Hazard) -> str:
    faults = [mode.row for mode in FAILURE_MODES if hazard.id in mode.hazards]
    return _cells(
        hazard.id, hazard.what, hazard.harm, ", ".join(hazard.limits) or "–", ", ".join(faults) or "–",
        _code(hazard.tests), _code(hazard.proofs), hazard.last_line,
    )  # fmt: skip


def _failure(mode: FailureMode) -> str:
    fault = FAULTS[mode.row]
    return _cells(
        mode.row, fault.text, mode.cause, mode.effect, ", ".join(mode.hazards),
        fault.reaction.name.lower().replace("_", " "), fault.clearing,
        "; ".join(injections(mode.row)) or "–", _code(mode.tests), _code(proofs_of(mode.row)),
    )  # fmt: skip


def injections(row: str) -> tuple[str, ...]:
    """Names of the injected faults that end in ``row``."""
    names = names_of(row)
    return tuple(fault.name for fault in INJECTED if fault.finding in names)


def proofs_of(row: str) -> tuple[str, ...]:
    """What is proven of the reaction of ``row``."""
    reaction = FAULTS[row].reaction
    narrows = f"finding.narrow.{reaction.name.lower()}"
    return (narrows, "state_machine") if reaction.name == "TRIP" else (narrows,)


def _code(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "–"


def _table(*heads: str) -> Iterator[str]:
    yield _cells(*heads)
    yield _cells(*["---"] * len(heads))


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.stdout.write(page())
