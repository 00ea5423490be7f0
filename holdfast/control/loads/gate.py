"""The load gate says which loads may run now. It knows nothing of who asks for it.

BOOT permits none: nothing is switched on before the self-test is through. STOPPED permits none,
and no trip does while its cause is there. Once the cause is gone a site in ERROR lets its loads
run: the battery waits for a person, for days perhaps, and a house must not get cold meanwhile.

A connection above its import limit sheds them, and so does a limit at the meter that the batteries
cannot hold: the grid operator's, a quarter hour's, an owner's cap. They stay off for a while after:
what is shed takes its own cause away, and would be back in seconds. On an island they are off, too:
what can wait neither drains the battery nor overloads its inverter. A meter that cannot be read
sheds nothing: no safety rests on a load, and the fuse protects the connection.
"""

from holdfast.control.safety_wrapper import permit_lifetime_ns
from holdfast.core.config import Site
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_S
from holdfast.safety.assessment import Assessment
from holdfast.safety.faults import FAULTS
from holdfast.safety.limits import SITE_LIMITS
from holdfast.safety.permit import LoadPermit

IMPORT_LIMIT = "grid_import_high"
"""Is told of loads that are shed."""
SHEDS = frozenset({IMPORT_LIMIT, "import_missed", "mean_import_missed"})
"""These rows of the tables of limits and faults shed loads."""
assert SHEDS.issubset({row.id for row in SITE_LIMITS} | FAULTS.keys())
SHED_NS = 300 * NS_PER_S
"""It is assumed that a relay, or a compressor behind it, bears twelve tries an hour."""
_NEVER_RUN_IN = frozenset({State.BOOT, State.STOPPED})


class LoadGate:
    """Gives permits from the assessment, the state and the stage of authority. Holds no state."""

    def __init__(self, site: Site) -> None:
        self._may_write = site.authority != "observe"
        self._lifetime_ns = permit_lifetime_ns(site)

    def authorise(
        self, state: State, assessment: Assessment, shed_ns: int | None, now_ns: int
    ) -> tuple[LoadPermit, int | None]:
        """Returns the permit of every load, and when import last shed them.

        ``shed_ns`` is what the last cycle told of that.
        """
        if any(found.row in SHEDS for found in assessment.findings):
            shed_ns = now_ns
        elif shed_ns is not None and now_ns - shed_ns >= SHED_NS:
            shed_ns = None
        blocked_by = self._blocked_by(state, assessment, is_shed=shed_ns is not None)
        permit = LoadPermit(
            may_write=self._may_write,
            may_run=not blocked_by,
            blocked_by=blocked_by,
            expires_ns=now_ns + self._lifetime_ns,
        )
        return permit, shed_ns

    def _blocked_by(self, state: State, assessment: Assessment, *, is_shed: bool) -> str:
        if not self._may_write:
            return "authority_observe"
        if state in _NEVER_RUN_IN:
            return f"state_{state}"
        trips = assessment.trips
        if trips:
            return trips[0].key
        if is_shed:
            return IMPORT_LIMIT
        return "island" if assessment.islanded else ""
