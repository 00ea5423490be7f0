# ruff: noqa: E501 - lines of the source, as they stand there
"""Mutants that are no other program, each found by hand, each with the reason."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mutants.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalent:
    """One line, one change, one reason."""

    module: str
    line: str
    """The line of the source, without its indent."""
    change: str
    """As ``python -m mutants --list`` prints it."""
    reason: str
    times: int = 1
    """How many sites have this line and change; if it is another number, the entry is stale."""
    nth: int | None = None
    """Which of them, counted from 1; None: all."""


EQUIVALENT: tuple[Equivalent, ...] = (
    Equivalent(
        module="holdfast.site.assurance",
        line="if commanded and all(commanded):  # a device that is only read is found wrong by the others",
        change="commanded and all(commanded) -> all(commanded)",
        reason="nothing is commanded of the site alone, and it has no such goal; a unit has an inverter, which is",
    ),
    Equivalent(
        module="holdfast.devices.verbs",
        line="return self.requests_of(self.verbs[Verb.RELEASE], 0.0, held)",
        change="0.0 -> 1.0",
        reason="release has no power (_TAKES), so nothing is told of the value",
    ),
    Equivalent(
        module="holdfast.devices.verbs",
        line="return self.requests_of(self.verbs[Verb.RELEASE], 0.0, held)",
        change="0.0 -> -1.0",
        reason="release has no power (_TAKES), so nothing is told of the value",
    ),
    Equivalent(
        module="holdfast.control.cycle",
        line="dt_s = 0.0 if state.time_ns is None else s_from_ns(snapshot.time_ns - state.time_ns)",
        change="0.0 -> -1.0",
        reason="time backwards allows no step, as no time does",
    ),
    Equivalent(
        module="holdfast.control.storage.dispatch",
        line="return 0.0",
        change="0.0 -> -1.0",
        reason="a room below zero sums to no room, and no room gives zeros",
    ),
    Equivalent(
        module="holdfast.control.storage.dispatch",
        line="sign = 1.0 if power_w > 0.0 else -1.0",
        change="power_w > 0.0 -> power_w >= 0.0",
        reason="for 0 W there is no room, and the line is not reached",
    ),
    Equivalent(
        module="holdfast.control.connection.operator_signal",
        line="elif after.last_ns is not None:",
        change="after.last_ns is not None -> True",
        reason="where there was no beat there is no first one either: both stay None",
    ),
    Equivalent(
        module="holdfast.control.connection.operator_signal",
        line="if not waits and memory.state not in (OperatorState.FAILSAFE, OperatorState.AUTONOMOUS):",
        change="without OperatorState.AUTONOMOUS",
        reason="no way leads out of it for LOST, nor for OVER, which would come otherwise",
    ),
    Equivalent(
        module="holdfast.devices.can_frames",
        line="return max(self._masks, default=self.byte or 0) + 1",
        change="self.byte or 0 -> self.byte",
        reason="without a byte it has masks, and the default does not count",
    ),
    Equivalent(
        module="holdfast.devices.can_frames",
        line="longest = max(self.length, *(field.finer.end for field in self.fields if field.finer), 0)",
        change="0 -> 1",
        reason="a frame that carries something has a byte at least",
    ),
    Equivalent(
        module="holdfast.devices.can_frames",
        line="longest = max(self.length, *(field.finer.end for field in self.fields if field.finer), 0)",
        change="0 -> -1",
        reason="a frame that carries something has a byte at least",
    ),
    Equivalent(
        module="holdfast.devices.can_profile",
        line="return rows",
        change="return rows -> return None",
        reason="what is no list is refused as none, whatever it is",
    ),
    Equivalent(
        module="holdfast.devices.profile",
        line='return Path(path).read_text(encoding="utf-8")',
        change="'utf-8' -> 'utf-8_'",
        reason="Python takes utf-8_ for utf-8",
    ),
    Equivalent(
        module="holdfast.devices.registers",
        line='return float(raw) if self.type == "float32" else int(raw)',
        change="self.type == 'float32' -> True",
        reason="a whole number of 32 bits is the same as a float",
    ),
    Equivalent(
        module="holdfast.devices.mqtt_profile",
        line="period_s: Annotated[float, Field(gt=0, le=60)]",
        change="60 -> 59",
        reason="no value is good for so long: one each 41 s is refused already, by its age",
    ),
    Equivalent(
        module="holdfast.devices.mqtt_profile",
        line='self.check_rows(self.period_s, _LATE, "mqtt")',
        change="'mqtt' -> 'mqtt_'",
        reason="a word in a message",
    ),
    Equivalent(
        module="holdfast.devices.stepped_write",
        line="if isinstance(step.value, str) and step.value in RESTS_ON",
        change="isinstance(step.value, str) and step.value in RESTS_ON -> step.value in RESTS_ON",
        reason="no number is among the names",
    ),
    Equivalent(
        module="holdfast.core.config.site",
        line="hybrid, pv = self.storage[0].hybrid, self.pv",
        change="0 -> -1",
        reason="of several units none is a hybrid, for that is refused before",
    ),
    Equivalent(
        module="holdfast.control.reserve",
        line="kept_pct = asked_pct if not asked_pct <= kept_pct else kept_pct",
        change="asked_pct <= kept_pct -> asked_pct < kept_pct",
        reason="where both are the same it is all one which is taken",
    ),
    Equivalent(
        module="holdfast.site.site_file",
        line='_AnySection = TypeVar("_AnySection", bound=Section)',
        change="'_AnySection' -> '_AnySection_'",
        reason="nothing reads the name of a type variable",
    ),
    Equivalent(
        module="holdfast.site.site_file",
        line='content = parse_yaml(path.read_text(encoding="utf-8"))',
        change="'utf-8' -> 'utf-8_'",
        reason="Python takes utf-8_ for utf-8",
    ),
    Equivalent(
        module="holdfast.site.devices",
        line="if SIGNALS[signal].producer in MAY_BE_SLOW and isinstance(connection, Modbus):",
        change="SIGNALS[signal].producer in MAY_BE_SLOW and isinstance(connection, Modbus) -> SIGNALS[signal].producer in MAY_BE_SLOW",
        reason="who may be slow is reached over Modbus, where not over CAN and not by JSON",
    ),
    Equivalent(
        module="holdfast.control.mode_manager",
        line="if slot is not None and plan is not None:",
        change="slot is not None and plan is not None -> slot is not None",
        reason="a slot is one of a plan",
    ),
    Equivalent(
        module="holdfast.control.mode_manager",
        line="if leader is not None and view is not None:",
        change="leader is not None and view is not None -> leader is not None",
        reason="somebody leads only while the rest is known, and so seen",
    ),
    Equivalent(
        module="holdfast.control.mode_manager",
        line="if rest_w is not None and mean_rest_w is not None:",
        change="rest_w is not None and mean_rest_w is not None -> True",
        reason="where the rest is not known nobody leads and PV is on, whatever is seen beside it",
    ),
    Equivalent(
        module="holdfast.control.mode_manager",
        line="def __init__(self, site: Site, *, coarse_w: float = 0.0) -> None:",
        change="0.0 -> -1.0",
        reason="the wider of it and of a share of the rated power counts, which is above zero",
    ),
    Equivalent(
        module="holdfast.control.mode_manager",
        line="if rest_w is not None and mean_rest_w is not None:",
        change="rest_w is not None and mean_rest_w is not None -> rest_w is not None or mean_rest_w is not None",
        reason="where the rest is not known nobody leads and PV is on, whatever is seen beside it",
    ),
    Equivalent(
        module="holdfast.control.mode_manager",
        line="if rest_w is not None and mean_rest_w is not None:",
        change="rest_w is not None and mean_rest_w is not None -> mean_rest_w is not None",
        reason="where the rest is not known nobody leads and PV is on, whatever is seen beside it",
    ),
    Equivalent(
        module="holdfast.control.mode_manager",
        line="if rest_w is not None and mean_rest_w is not None:",
        change="rest_w is not None and mean_rest_w is not None -> rest_w is not None",
        reason="a rest that is known has a mean: itself, if there was none before",
    ),
    Equivalent(
        module="holdfast.control.plan_gate",
        line='word = "gap" if slot.start > plan.slots[index - 1].end else "overlap"',
        change="slot.start > plan.slots[index - 1].end -> slot.start >= plan.slots[index - 1].end",
        reason="the two differ here: that is what is being refused",
    ),
    Equivalent(
        module="holdfast.control.storage.power_ramper",
        line="if abs(permitted_w) > abs(start_w) + step_w:",
        change="abs(permitted_w) > abs(start_w) + step_w -> abs(permitted_w) >= abs(start_w) + step_w",
        reason="where both are equal, both branches give the same power",
    ),
    Equivalent(
        module="holdfast.control.storage.power_ramper",
        line="power_w = start_w + step_w if permitted_w > 0.0 else start_w - step_w",
        change="permitted_w > 0.0 -> permitted_w >= 0.0",
        reason="0 W is never further away than the start, so it does not come here",
    ),
    Equivalent(
        module="holdfast.control.storage.power_ramper",
        line="power_w=permit.envelope.clamp(power_w),",
        change="permit.envelope.clamp(power_w) -> power_w",
        reason="belt and braces: what the ramp computes lies between 0 W and what is permitted",
    ),
    Equivalent(
        module="holdfast.control.storage.power_ramper",
        line="start_w = last_w if last_w * permitted_w > 0.0 else 0.0",
        change="last_w * permitted_w > 0.0 -> last_w * permitted_w >= 0.0",
        reason="with either at 0 W the result is the same from any start: towards zero it goes at once",
    ),
    Equivalent(
        module="holdfast.control.safety_wrapper",
        line='return up_to(charge_w=site.charge_power_max_w, discharge_w=0.0, by="mode_charge_only")',
        change="0.0 -> -1.0",
        reason="a magnitude below zero permits nothing, as zero does",
    ),
    Equivalent(
        module="holdfast.core.config.storage",
        line="soc_max_pct: Annotated[float, Field(ge=0, le=100)] = 95.0",
        change="0 -> -1",
        reason="it must be above soc_min_pct, which is 0 at least",
    ),
    Equivalent(
        module="holdfast.core.config.storage",
        line="soc_min_pct: Annotated[float, Field(ge=0, le=100)] = 10.0",
        change="100 -> 101",
        reason="it must be below soc_max_pct, which is 100 at most",
    ),
    Equivalent(
        module="holdfast.core.data_store",
        line="if now_ns < sample.time_ns:",
        change="now_ns < sample.time_ns -> now_ns <= sample.time_ns",
        reason="a sample of this very instant is young enough, and does not come here",
    ),
    Equivalent(
        module="holdfast.core.sealed",
        line='body, checksum, rest = content.decode("utf-8").split("\\n")',
        change="'utf-8' -> 'utf-8_'",
        reason="Python takes utf-8_ for utf-8",
    ),
    Equivalent(
        module="holdfast.core.config.local_window",
        line="if window.from_minute < window.to_minute:",
        change="window.from_minute < window.to_minute -> window.from_minute <= window.to_minute",
        reason="a window whose two ends are the same is refused",
    ),
    Equivalent(
        module="holdfast.core.strict_yaml",
        line="def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - the library's signature",
        change="False -> True",
        reason="the library passes it or does not; the finished document is the same",
    ),
    Equivalent(
        module="holdfast.site.state_dir",
        line='return config.read_text(encoding="utf-8", errors="replace")',
        change="'utf-8' -> 'utf-8_'",
        reason="Python takes utf-8_ for utf-8",
    ),
    Equivalent(
        module="holdfast.site.state_dir",
        line='return ""',
        change="'' -> '_'",
        reason="neither is a mapping, nor has it a line for state_dir",
    ),
    Equivalent(
        module="holdfast.core.mistakes",
        line="items = error.errors(include_url=False)",
        change="False -> True",
        reason="the address of the message's explanation is not shown",
    ),
    Equivalent(
        module="holdfast.core.state_machine",
        line="auto_transitions=False,",
        change="False -> True",
        reason="belt and braces: only listed events are dispatched, and none is called to_something",
    ),
    Equivalent(
        module="holdfast.core.state_machine",
        line="if not events:",
        change="not events -> False",
        reason="a short cut: no events give the same further down",
    ),
    Equivalent(
        module="holdfast.core.state_machine",
        line="ignore_invalid_triggers=True,",
        change="True -> False",
        reason="belt and braces: only listed events are dispatched",
    ),
    Equivalent(
        module="holdfast.core.state_machine",
        line="initial=State.BOOT,",
        change="State.BOOT -> State.IDLE",
        reason="every step sets the state before it moves",
    ),
    Equivalent(
        module="holdfast.core.state_machine",
        line="ordered = sorted(set(events))",
        change="sorted(set(events)) -> set(events)",
        reason="CPython iterates a set of the numbers 0 to 7 in their order; sorting does not rely on that",
    ),
    Equivalent(
        module="holdfast.devices.bms_safety_wrapper",
        line="rules = self._rules if power_w <= 0.0 else self._rules[::-1]",
        change="power_w <= 0.0 -> power_w < 0.0",
        reason="at 0 W two zeros are written, in either order",
    ),
    Equivalent(
        module="holdfast.devices.inverter_safety_wrapper",
        line="if mode is None and self._is_led(last, snapshot):",
        change="mode is None and self._is_led(last, snapshot) -> self._is_led(last, snapshot)",
        reason="in a mode the setpoint has no rule, forced or not",
    ),
    Equivalent(
        module="holdfast.devices.inverter_safety_wrapper",
        line="self._settle_ns = max((rule.settle_ns for rule in self._rules), default=0)",
        change="0 -> -1",
        reason="without a rule nothing is written, and nothing waited for",
    ),
    Equivalent(
        module="holdfast.devices.inverter_safety_wrapper",
        line="self._settle_ns = max((rule.settle_ns for rule in self._rules), default=0)",
        change="0 -> 1",
        reason="without a rule nothing is written, and nothing waited for",
    ),
    Equivalent(
        module="holdfast.devices.inverter_safety_wrapper",
        line="resolution=1.0,",
        change="1.0 -> 0.9",
        reason="all four points take whole numbers only",
        times=4,
    ),
    Equivalent(
        module="holdfast.devices.inverter_safety_wrapper",
        line="resolution=1.0,",
        change="1.0 -> 1.1",
        reason="the revert timer is always written the same whole number",
        times=4,
        nth=4,
    ),
    Equivalent(
        module="holdfast.devices.inverter_safety_wrapper",
        line="safe=1.0,",
        change="1.0 -> 1.1",
        reason="a switch is told 0 or 1, and of these no other lies between what is held and 1.1",
    ),
    Equivalent(
        module="holdfast.devices.power_follow_up",
        line="or (high_w < 0.0 and power_w > high_w + tolerance_w)",
        change="0.0 -> 1.0",
        reason="for a high end from 0 W on the check before has answered",
    ),
    Equivalent(
        module="holdfast.devices.power_follow_up",
        line="or (high_w < 0.0 and power_w > high_w + tolerance_w)",
        change="high_w -> low_w",
        reason="for a high end from 0 W on the check before has answered",
        times=2,
        nth=1,
    ),
    Equivalent(
        module="holdfast.devices.power_follow_up",
        line="or (high_w < 0.0 and power_w > high_w + tolerance_w)",
        change="high_w < 0.0 -> high_w <= 0.0",
        reason="for a high end from 0 W on the check before has answered",
    ),
    Equivalent(
        module="holdfast.devices.power_follow_up",
        line="or (high_w < 0.0 and power_w > high_w + tolerance_w)",
        change="high_w < 0.0 and power_w > high_w + tolerance_w -> power_w > high_w + tolerance_w",
        reason="for a high end from 0 W on the check before has answered",
    ),
    Equivalent(
        module="holdfast.devices.power_follow_up",
        line="(low_w > 0.0 and power_w < low_w - tolerance_w)",
        change="0.0 -> -1.0",
        reason="for a low end up to 0 W the check before has answered",
    ),
    Equivalent(
        module="holdfast.devices.power_follow_up",
        line="(low_w > 0.0 and power_w < low_w - tolerance_w)",
        change="low_w -> high_w",
        reason="for a low end up to 0 W the check before has answered",
        times=2,
        nth=1,
    ),
    Equivalent(
        module="holdfast.devices.power_follow_up",
        line="(low_w > 0.0 and power_w < low_w - tolerance_w)",
        change="low_w > 0.0 -> low_w >= 0.0",
        reason="for a low end up to 0 W the check before has answered",
    ),
    Equivalent(
        module="holdfast.devices.power_follow_up",
        line="(low_w > 0.0 and power_w < low_w - tolerance_w)",
        change="low_w > 0.0 and power_w < low_w - tolerance_w -> power_w < low_w - tolerance_w",
        reason="for a low end up to 0 W the check before has answered",
    ),
    Equivalent(
        module="holdfast.devices.power_follow_up",
        line="return _Witness(role=Role.INVERTER, read=read, lag_ns=0, tolerance=0.0, tells_short=True)",
        change="0.0 -> -1.0",
        reason="less than no share of what is asked for is below what is right at least, too",
    ),
    Equivalent(
        module="holdfast.devices.power_follow_up",
        line="wrong_way = power_w < 0.0 < high_w or low_w < 0.0 < power_w",
        change="low_w < 0.0 < power_w -> low_w < 0.0 <= power_w",
        reason="0 W is within every tolerance, and does not come here",
    ),
    Equivalent(
        module="holdfast.devices.power_follow_up",
        line="wrong_way = power_w < 0.0 < high_w or low_w < 0.0 < power_w",
        change="power_w < 0.0 < high_w -> power_w <= 0.0 < high_w",
        reason="0 W is within every tolerance, and does not come here",
    ),
    Equivalent(
        module="holdfast.devices.can_profile",
        line="slowest = min(SIGNALS[signal].max_age_s for signal in self.signals)",
        change="min((SIGNALS[signal].max_age_s for signal in self.signals)) -> max((SIGNALS[signal].max_age_s for signal in self.signals))",
        reason="the table has one role, and what a BMS tells has one maximum age",
    ),
    Equivalent(
        module="holdfast.devices.power_follow_up",
        line="if power is None or voltage_v is None:",
        change="power is None or voltage_v is None -> power is None",
        reason="there is no power at the pack without its voltage; the types do not know it",
    ),
    Equivalent(
        module="holdfast.devices.contactor.precharge",
        line="if gap_v is not None and not gap_v < 2.0 * COMPLETE_BELOW_V:",
        change="2.0 * COMPLETE_BELOW_V -> 2.0 / COMPLETE_BELOW_V",
        reason="it is 1 V: a factor as much as a divisor",
    ),
    Equivalent(
        module="holdfast.devices.contactor.precharge",
        line='welded = memory.fault is not None and memory.fault.row.endswith("contactor_welded")',
        change="memory.fault is not None and memory.fault.row.endswith('contactor_welded') -> memory.fault.row.endswith('contactor_welded')",
        reason="nothing is locked out without a fault",
    ),
    Equivalent(
        module="holdfast.devices.registers",
        line="return int(bool(words[0]))",
        change="0 -> -1",
        reason="a bool is one word, the first and the last",
    ),
    Equivalent(
        module="holdfast.devices.scaled",
        line="_HAIR = 1.0 + 1e-9",
        change="1e-09 -> 1.1000000000000001e-09",
        reason="what calculating may add is much less, and a step of a register much more",
    ),
    Equivalent(
        module="holdfast.devices.scaled",
        line="_HAIR = 1.0 + 1e-9",
        change="1e-09 -> 9.000000000000001e-10",
        reason="what calculating may add is much less, and a step of a register much more",
    ),
    Equivalent(
        module="holdfast.devices.scaled",
        line="return value_w > limit_w * _HAIR",
        change="value_w > limit_w * _HAIR -> value_w >= limit_w * _HAIR",
        reason="no power is beyond a limit by just this hair, and no limit is 0",
    ),
    Equivalent(
        module="holdfast.devices.sunspec.binding",
        line='return Position(address=2 * number, type="int32", not_available=(), power_from=None)',
        change="2 -> 3",
        reason="places that no device has are as good with a gap between them",
    ),
    Equivalent(
        module="holdfast.devices.sunspec.discovery",
        line="return Ask(address=0, count=0)",
        change="0 -> 1",
        reason="where no registers would be does not matter",
        times=2,
        nth=1,
    ),
    Equivalent(
        module="holdfast.devices.sunspec.discovery",
        line="return Ask(address=0, count=0)",
        change="0 -> -1",
        reason="where no registers would be does not matter",
        times=2,
        nth=1,
    ),
    Equivalent(
        module="holdfast.devices.sunspec.model_files",
        line='return parse_model(json.loads(file.read_text(encoding="utf-8")))',
        change="'utf-8' -> 'utf-8_'",
        reason="Python takes utf-8_ for utf-8",
    ),
    Equivalent(
        module="holdfast.devices.written_point",
        line="towards_zero = value * memory.value < 0.0 or abs(value) < abs(memory.value)",
        change="abs(value) < abs(memory.value) -> abs(value) <= abs(memory.value)",
        reason="as far from zero as before is either the same value or a reversal",
    ),
    Equivalent(
        module="holdfast.safety.battery_limits",
        line="bms_a = 0.0",
        change="0.0 -> -1.0",
        reason="a current below zero is no magnitude, and permits nothing as zero does",
    ),
    Equivalent(
        module="holdfast.safety.battery_limits",
        line="by=charge_by,",
        change="charge_by -> discharge_by",
        reason="the names are given anew in the next statement",
    ),
    Equivalent(
        module="holdfast.safety.derating",
        line="_CHARGE, _DISCHARGE = 1, -1",
        change="1 -> 0",
        reason="the directions are only told apart, never calculated with",
        times=2,
    ),
    Equivalent(
        module="holdfast.safety.derating",
        line="_CHARGE, _DISCHARGE = 1, -1",
        change="1 -> 2",
        reason="the directions are only told apart, never calculated with",
        times=2,
    ),
    Equivalent(
        module="holdfast.safety.derating",
        line="_HOT = ((0.0, 0.0), (5.0, 0.25), (10.0, 0.5), (15.0, 1.0))",
        change="without (5.0, 0.25)",
        reason="the corner lies on the line between its neighbours; it is kept as the data sheet has it",
    ),
    Equivalent(
        module="holdfast.safety.battery_limits",
        line="return 0.0",
        change="0.0 -> -1.0",
        reason="a share below zero gives a current that is no magnitude, and permits nothing as zero does",
    ),
    Equivalent(
        module="holdfast.safety.battery_limits",
        line="return 1.0",
        change="1.0 -> 1.1",
        reason="a share of all or more is never smaller than what the curves leave",
    ),
    Equivalent(
        module="holdfast.safety.derating",
        line="(x0, y0), (x1, y1) = next(part for part in pairwise(row.points) if distance < part[1][0])",
        change="distance < part[1][0] -> distance <= part[1][0]",
        reason="at the corner itself both ways give its value",
    ),
    Equivalent(
        module="holdfast.safety.derating",
        line="if not distance > first[0]:",
        change="distance > first[0] -> distance >= first[0]",
        reason="at the corner itself both ways give its value",
    ),
    Equivalent(
        module="holdfast.safety.envelope",
        line="if power_w < 0.0:",
        change="0.0 -> 1.0",
        reason="what is not below zero was answered before, but for NaN, which is below nothing",
    ),
    Equivalent(
        module="holdfast.safety.envelope",
        line="if power_w < 0.0:",
        change="power_w < 0.0 -> power_w <= 0.0",
        reason="0 W was answered before",
    ),
    Equivalent(
        module="holdfast.safety.envelope",
        line="if power_w >= 0.0:",
        change="power_w >= 0.0 -> power_w > 0.0",
        reason="0 W comes out as 0 W on each of the three ways",
    ),
    Equivalent(
        module="holdfast.safety.envelope",
        line="return power_w if 0.0 <= power_w < math.inf else 0.0",
        change="0.0 <= power_w < math.inf -> 0.0 < power_w < math.inf",
        reason="0 W comes out as 0 W on both ways",
    ),
    Equivalent(
        module="holdfast.safety.finding",
        line="charge, discharge = 0.0, 1.0",
        change="1.0 -> 1.1",
        reason="an end that is wider narrows nothing when intersected",
    ),
    Equivalent(
        module="holdfast.safety.finding",
        line="charge, discharge = 1.0, 0.0",
        change="1.0 -> 1.1",
        reason="an end that is wider narrows nothing when intersected",
    ),
    Equivalent(
        module="holdfast.safety.limit_monitor",
        line="continue",
        change="continue -> pass",
        reason="a short cut for speed: judging a value at rest gives the same",
    ),
    Equivalent(
        module="holdfast.safety.limit_monitor",
        line="elif before is not None and before.inside_since_ns is not None:",
        change="before is not None and before.inside_since_ns is not None -> before.inside_since_ns is not None",
        reason="a row without memory was passed over before if its value is not good",
    ),
    Equivalent(
        module="holdfast.safety.limit_monitor",
        line="history=history, sample_ns=-1, level=Level.NORMAL, since_ns=now_ns, inside_since_ns=None",
        change="-1 -> 1",
        reason="the time of the sample is set before anybody looks at it",
    ),
    Equivalent(
        module="holdfast.safety.limit_monitor",
        line="history=history, sample_ns=-1, level=Level.NORMAL, since_ns=now_ns, inside_since_ns=None",
        change="1 -> 0",
        reason="the time of the sample is set before anybody looks at it",
    ),
    Equivalent(
        module="holdfast.safety.limit_monitor",
        line="history=history, sample_ns=-1, level=Level.NORMAL, since_ns=now_ns, inside_since_ns=None",
        change="1 -> 2",
        reason="the time of the sample is set before anybody looks at it",
    ),
    Equivalent(
        module="holdfast.safety.limit_monitor",
        line="if before is None and (",
        change="before is None and (not isinstance(reading, Good) or side * reading.value < calm_below) -> False",
        reason="a short cut for speed: judging a value at rest gives the same",
    ),
    Equivalent(
        module="holdfast.safety.limit_monitor",
        line="not isinstance(reading, Good) or side * reading.value < calm_below",
        change="not isinstance(reading, Good) or side * reading.value < calm_below -> not isinstance(reading, Good)",
        reason="a short cut for speed: judging a value at rest gives the same",
    ),
    Equivalent(
        module="holdfast.safety.rising",
        line="step = RISE_PER_S * dt_s if 0.0 < dt_s < 60.0 else 0.0",
        change="0.0 < dt_s < 60.0 -> 0.0 <= dt_s < 60.0",
        reason="no time is no step either way",
    ),
    Equivalent(
        module="holdfast.safety.trend_analyzer",
        line="return 1.0",
        change="1.0 -> 1.1",
        reason="who asks wants to know whether it is below 1",
    ),
    Equivalent(
        module="holdfast.safety.trend_analyzer",
        line="if left < 1.0:",
        change="1.0 -> 1.1",
        reason="a short cut: scaling by 1 narrows nothing",
    ),
    Equivalent(
        module="holdfast.safety.trend_analyzer",
        line="if left < 1.0:",
        change="left < 1.0 -> True",
        reason="a short cut: scaling by 1 narrows nothing",
    ),
    Equivalent(
        module="holdfast.safety.trend_analyzer",
        line="if left < 1.0:",
        change="left < 1.0 -> left <= 1.0",
        reason="a short cut: scaling by 1 narrows nothing",
    ),
    Equivalent(
        module="holdfast.safety.trend_analyzer",
        line="max_w=envelope.max_w * (left if row.charge else 1.0),",
        change="1.0 -> 1.1",
        reason="an end that is wider narrows nothing when intersected",
    ),
    Equivalent(
        module="holdfast.safety.trend_analyzer",
        line="min_w=envelope.min_w * (left if row.discharge else 1.0),",
        change="1.0 -> 1.1",
        reason="an end that is wider narrows nothing when intersected",
    ),
    Equivalent(
        module="holdfast.safety.trend_analyzer",
        line="per_minute = 0.0 if track.slope_per_s is None else track.slope_per_s * 60.0",
        change="0.0 -> -1.0",
        reason="without a slope there is no level, and so no finding",
    ),
    Equivalent(
        module="holdfast.safety.trend_analyzer",
        line="per_minute = 0.0 if track.slope_per_s is None else track.slope_per_s * 60.0",
        change="0.0 -> 1.0",
        reason="without a slope there is no level, and so no finding",
    ),
    Equivalent(
        module="holdfast.safety.trend_analyzer",
        line="per_minute = 0.0 if track.slope_per_s is None else track.slope_per_s * 60.0",
        change="track.slope_per_s is None -> False",
        reason="without a slope there is no level, and so no finding",
    ),
    Equivalent(
        module="holdfast.safety.phases",
        line="power_w, told_a = shown[index] or 0.0, shown[index + len(self._numbers)]",
        change="index + len(self._numbers) -> index - len(self._numbers)",
        reason="there are as many powers as currents: counted from the end it is the same place",
    ),
    Equivalent(
        module="holdfast.safety.phases",
        line="power_w, told_a = shown[index] or 0.0, shown[index + len(self._numbers)]",
        change="shown[index] or 0.0 -> shown[index]",
        reason="all powers are known there, or nothing is followed",
    ),
    Equivalent(
        module="holdfast.safety.phases",
        line="swing_w: tuple[float, float] = (0.0, 0.0),",
        change="0.0 -> -1.0",
        reason="the other end is taken last: beyond it nothing is left, as with 0 W",
        times=2,
        nth=2,
    ),
    Equivalent(
        module="holdfast.control.connection.at_meter",
        line="highest_w = at_w + max(room_w - counted_w, 0.0) / slope",
        change="0.0 -> -1.0",
        reason="no more is counted than there is room",
    ),
    Equivalent(
        module="holdfast.control.connection.at_meter",
        line="highest_w = at_w + max(room_w - counted_w, 0.0) / slope",
        change="max(room_w - counted_w, 0.0) -> room_w - counted_w",
        reason="no more is counted than there is room",
    ),
    Equivalent(
        module="holdfast.control.connection.at_meter",
        line="highest_w = at_w",
        change="highest_w = at_w -> pass",
        reason="once a part counts, the slope is above zero, and the power is worked out below",
    ),
    Equivalent(
        module="holdfast.control.connection.at_meter",
        line="if reached_w > room_w:",
        change="reached_w > room_w -> reached_w >= room_w",
        reason="where the room is just used up, the lines before and after lead to the same power",
    ),
    Equivalent(
        module="holdfast.control.connection.band",
        line="return (middle_w, middle_w) if math.isfinite(middle_w) else (0.0, 0.0)",
        change="0.0 -> 1.0",
        reason="the upper end is taken first, and the lower one never passes it",
        times=2,
        nth=1,
    ),
    Equivalent(
        module="holdfast.control.connection.batteries",
        line="kept_pct = max(operation.soc_min_pct, operation.backup_reserve_pct, reserve_pct or 0.0)",
        change="0.0 -> -1.0",
        reason="the others beside it are 0 % at least",
    ),
    Equivalent(
        module="holdfast.control.connection.connection",
        line="if signal is not None and row is not None:",
        change="signal is not None and row is not None -> row is not None",
        reason="whom he does not limit stays in INIT, which is no finding",
    ),
    Equivalent(
        module="holdfast.control.connection.connection",
        line="if bound is None or battery_w is None:",
        change="bound is None or battery_w is None -> bound is None",
        reason="there is a bound only where the rest is known, and that needs each battery",
    ),
    Equivalent(
        module="holdfast.control.connection.connection",
        line="load_w=max(rest_of_site_w(snapshot) or 0.0, 0.0),",
        change="0.0 -> -1.0",
        reason="what is below zero becomes zero beside it",
        times=2,
        nth=1,
    ),
    Equivalent(
        module="holdfast.control.connection.connection",
        line="if self._grid.operator is None:",
        change="self._grid.operator is None -> False",
        reason="a box is refused where there is no limit of his: then none of its signals can be read",
    ),
    Equivalent(
        module="holdfast.control.connection.rows",
        line="top_w = max(min(top_w, high_w(meter.parts, meter.allowance.charging_w)), 0.0)",
        change="min(top_w, high_w(meter.parts, meter.allowance.charging_w)) -> high_w(meter.parts, meter.allowance.charging_w)",
        reason="charging may never bring the import further than the interval lets it",
    ),
    Equivalent(
        module="holdfast.control.connection.rows",
        line="if top_w > 0.0:",
        change="top_w > 0.0 -> top_w >= 0.0",
        reason="0 W stays 0 W",
    ),
    Equivalent(
        module="holdfast.control.connection.rows",
        line="bound = _between(meter, by, meter.consumption_w if of_connection else None, meter.production_w)",
        change="of_connection -> True",
        reason="where it is not of the connection the upper end is worked out below",
    ),
    Equivalent(
        module="holdfast.control.connection.rows",
        line="of_connection = meter.site.grid.operator is not None and (",
        change="meter.site.grid.operator is not None and meter.site.grid.operator.counts == 'connection' -> meter.site.grid.operator.counts == 'connection'",
        reason="without an operator there is no limit of his, and the line is not reached",
    ),
    Equivalent(
        module="holdfast.control.connection.mean_import",
        line="faded = 1.0 - min(since_s / PEAK_LASTS_S / 3.0, 1.0)",
        change="1.0 -> 1.1",
        reason="what has faded below zero is less than any load, as zero is",
        times=2,
        nth=2,
    ),
    Equivalent(
        module="holdfast.control.connection.mean_import",
        line="faded = 1.0 - min(since_s / PEAK_LASTS_S / 3.0, 1.0)",
        change="min(since_s / PEAK_LASTS_S / 3.0, 1.0) -> since_s / PEAK_LASTS_S / 3.0",
        reason="what has faded below zero is less than any load, as zero is",
    ),
    Equivalent(
        module="holdfast.core.config.grid",
        line="return PHASES[: self.phases] if self.is_of_phases and self.phases is not None else ()",
        change="self.is_of_phases and self.phases is not None -> self.is_of_phases",
        reason="where something counts for each phase, how many there are is known",
    ),
    Equivalent(
        module="holdfast.devices.taking_over",
        line='assert isinstance(first, RegisterWrite | VerbStep), "each is written"',
        change="assert isinstance(first, RegisterWrite | VerbStep), 'each is written' -> pass",
        reason="told to mypy: nothing else is in a group",
    ),
    Equivalent(
        module="holdfast.devices.taking_over",
        line="if together and not step.joined:",
        change="together and (not step.joined) -> not step.joined",
        reason="a group of nothing is put back by nothing",
    ),
    Equivalent(
        module="holdfast.devices.taking_over",
        line="commanded=not is_led and not math.isnan(power_w),",
        change="not is_led and (not math.isnan(power_w)) -> not math.isnan(power_w)",
        reason="a mode is apart from every verb but release, of which no power is told",
    ),
    Equivalent(
        module="holdfast.devices.taking_over",
        line="if write.point is Point.DEVICE_MODE and not isinstance(write, RegisterWrite)",
        change="Point.DEVICE_MODE -> Point.PV_ON",
        reason="a mode is apart from every verb but release, of which no power is told",
    ),
    Equivalent(
        module="holdfast.devices.taking_over",
        line="if write.point is Point.DEVICE_MODE and not isinstance(write, RegisterWrite)",
        change="write.point is Point.DEVICE_MODE and (not isinstance(write, RegisterWrite)) -> False",
        reason="a mode is apart from every verb but release, of which no power is told",
    ),
    Equivalent(
        module="holdfast.control.transfer",
        line="return not (power_w * wish_w >= 0.0 and abs(wish_w) >= abs(power_w))",
        change="abs(wish_w) >= abs(power_w) -> abs(wish_w) > abs(power_w)",
        reason="where both are the same, a step of any size is there at once",
    ),
    Equivalent(
        module="holdfast.control.transfer",
        line="return not (power_w * wish_w >= 0.0 and abs(wish_w) >= abs(power_w))",
        change="power_w * wish_w >= 0.0 -> power_w * wish_w > 0.0",
        reason="from 0 W nothing has to come back, and a step of any size is there at once",
    ),
    Equivalent(
        module="holdfast.control.kept_out",
        line="return -max(rest_w - kept_w, 0.0) if kept_w > 0.0 else -math.inf",
        change="0.0 -> 1.0",
        reason="a load counts from ON_FROM_W on, so it is nothing or much more",
        times=2,
        nth=1,
    ),
    Equivalent(
        module="holdfast.control.storage.sharing",
        line="discharge_w=-permit.envelope.min_w + min(power_w, 0.0),",
        change="0.0 -> 1.0",
        reason="an end that is wider narrows nothing when intersected",
    ),
    Equivalent(
        module="holdfast.control.storage.sharing",
        line="discharge_w=-permit.envelope.min_w + min(power_w, 0.0),",
        change="min(power_w, 0.0) -> power_w",
        reason="an end that is wider narrows nothing when intersected",
    ),
    Equivalent(
        module="holdfast.control.storage.sharing",
        line="charge_w=permit.envelope.max_w - max(power_w, 0.0),",
        change="0.0 -> -1.0",
        reason="an end that is wider narrows nothing when intersected",
    ),
    Equivalent(
        module="holdfast.control.storage.sharing",
        line="charge_w=permit.envelope.max_w - max(power_w, 0.0),",
        change="max(power_w, 0.0) -> power_w",
        reason="an end that is wider narrows nothing when intersected",
    ),
    Equivalent(
        module="holdfast.control.storage.sharing",
        line="if last_w[name] * power_w > 0.0:",
        change="last_w[name] * power_w -> last_w[name] / power_w",
        reason="a quotient has the sign of the product, and for 0 W nobody is able",
    ),
    Equivalent(
        module="holdfast.control.storage.sharing",
        line="return share + (RELIEVED_AT_SHARE if last_w[name] * power_w > 0.0 else 0.0)",
        change="last_w[name] * power_w -> last_w[name] / power_w",
        reason="a quotient has the sign of the product, and for 0 W nobody is able",
    ),
    Equivalent(
        module="holdfast.control.storage.sharing",
        line="rest = divide(left_w if left_w * power_w > 0.0 else 0.0, left)",
        change="left_w * power_w > 0.0 -> left_w * power_w >= 0.0",
        reason="of 0 W nothing is divided",
    ),
    Equivalent(
        module="holdfast.control.storage.sharing",
        line="power_w, {name: _up_to(fair.get(name, 0.0), permits[name]) for name in taking}",
        change="0.0 -> -1.0",
        reason="a magnitude below zero permits nothing, as zero does",
    ),
    Equivalent(
        module="holdfast.control.storage.sharing",
        line="name: _energy_wh(unit, snapshot, charges=power_w > 0.0)",
        change="power_w > 0.0 -> power_w >= 0.0",
        reason="of 0 W nothing is shared",
    ),
    Equivalent(
        module="holdfast.control.storage.sharing",
        line="if len(self._units) == 1:",
        change="1 -> 0",
        reason="a short way: alone a unit takes all that it may on the long one, too",
    ),
    Equivalent(
        module="holdfast.control.storage.sharing",
        line="if len(self._units) == 1:",
        change="len(self._units) == 1 -> False",
        reason="a short way: alone a unit takes all that it may on the long one, too",
    ),
    Equivalent(
        module="holdfast.safety.grid_limits",
        line="charge_share, discharge_share = dict.fromkeys(envelopes, 1.0), dict.fromkeys(envelopes, 1.0)",
        change="1.0 -> 1.1",
        reason="an end that is wider narrows nothing when intersected",
        times=2,
    ),
    Equivalent(
        module="holdfast.safety.grid_limits",
        line="return _within_phases(site, snapshot, rests, narrowed) if rests else narrowed",
        change="rests -> True",
        reason="without a phase all shares are 1, which narrows nothing",
    ),
)


def excused(sites: Iterable[Site], entries: Sequence[Equivalent] = EQUIVALENT) -> dict[Site, str]:
    """The reasons, by site."""
    by_key: dict[tuple[str, str, str], list[Equivalent]] = {}
    for entry in entries:
        by_key.setdefault((entry.module, entry.line, entry.change), []).append(entry)
    reasons: dict[Site, str] = {}
    seen: dict[tuple[str, str, str], int] = {}
    for site in sites:
        key = (site.module, site.source, site.change)
        seen[key] = seen.get(key, 0) + 1
        for entry in by_key.get(key, ()):
            if entry.nth in (None, seen[key]):
                reasons[site] = entry.reason
    return reasons


def stale(sites: Iterable[Site], entries: Sequence[Equivalent] = EQUIVALENT) -> list[str]:
    """Entries that do not match as many of all ``sites`` as they say: the code has changed."""
    found: dict[tuple[str, str, str], int] = {}
    for site in sites:
        key = (site.module, site.source, site.change)
        found[key] = found.get(key, 0) + 1
    complaints = []
    for entry in entries:
        count = found.get((entry.module, entry.line, entry.change), 0)
        if count != entry.times:
            complaints.append(
                f"{entry.module}: {entry.line!r}: {entry.change!r} matches {count} sites, "
                f"not {entry.times}"
            )
    return complaints
