"""Load control asks, permits and keeps all loads that Holdfast switches, together."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from holdfast.control.loads.gate import LoadGate
from holdfast.control.loads.requests import LoadRequest, LoadRequests
from holdfast.control.plan_gate import AcceptedPlan
from holdfast.core.commands import Point, Write
from holdfast.core.config import Site
from holdfast.core.data_store import Snapshot
from holdfast.core.state_machine import State
from holdfast.devices.load_safety_wrapper import LoadSafetyWrapper
from holdfast.devices.point_traits import NO_TRAITS, Traits
from holdfast.devices.written_point import DeviceMemory
from holdfast.safety.assessment import Assessment
from holdfast.safety.finding import Finding
from holdfast.safety.permit import LoadPermit


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadsStep:
    """Tells what became of the loads in a cycle; of a site without switches, nothing."""

    requests: Mapping[str, LoadRequest] = field(default_factory=dict)
    permits: Mapping[str, LoadPermit] = field(default_factory=dict)
    writes: tuple[Write, ...] = ()
    findings: tuple[Finding, ...] = ()
    memory: Mapping[str, DeviceMemory] = field(default_factory=dict)
    """Goes to the next cycle, as what follows does."""
    shed_ns: int | None = None
    """Tells when an import limit last kept them off, unless that is long ago."""


_NOTHING = LoadsStep()


class LoadControl:
    """Runs requests, gate and wrappers of all load switches of a site. Holds no state."""

    def __init__(
        self, site: Site, points: Mapping[str, Collection[Point]], traits: Mapping[str, Traits]
    ) -> None:
        self._requests = LoadRequests(site, points)
        self._gate = LoadGate(site)
        self._switches = {
            name: LoadSafetyWrapper(name, points[name], traits.get(name, NO_TRAITS))
            for name in site.switches
        }

    def step(
        self,
        memory: Mapping[str, DeviceMemory],
        shed_ns: int | None,
        snapshot: Snapshot,
        plan: AcceptedPlan | None,
        state: State,
        assessment: Assessment,
    ) -> LoadsStep:
        """Runs one cycle, after ``memory`` and ``shed_ns`` of the last one."""
        if not self._switches:
            return _NOTHING
        requests = self._requests.request(snapshot, plan, state, memory)
        permit, shed_ns = self._gate.authorise(state, assessment, shed_ns, snapshot.time_ns)
        writes: list[Write] = []
        findings: list[Finding] = []
        after: dict[str, DeviceMemory] = {}
        for name, switch in self._switches.items():
            asked = requests[name]
            new, after[name], found = switch.decide(
                permit, snapshot, memory.get(name, {}), on=asked.on, setpoint_c=asked.setpoint_c
            )
            writes += new
            findings += found
        return LoadsStep(
            requests=requests,
            permits=dict.fromkeys(requests, permit),
            writes=tuple(writes),
            findings=tuple(findings),
            memory=after,
            shed_ns=shed_ns,
        )
