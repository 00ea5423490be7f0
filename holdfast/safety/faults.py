"""The table of faults that are no limit of a measured value (those are rows of
:mod:`holdfast.safety.limits`)."""

from dataclasses import dataclass
from enum import Enum, StrEnum

from holdfast.core.signals import Producer
from holdfast.safety.finding import Finding, Level, Reaction


class Clearing(StrEnum):
    """Who ends what a row did."""

    BY_ITSELF = "by itself"
    """It latches nothing: it ends once its cause has been gone for its hold time."""
    OPERATOR = "operator"
    """A trip that `holdfast reset` clears: whoever looks at the site can judge it."""
    SERVICE = "service"
    """A trip that only `holdfast reset --service` clears, after an inspection."""


class Guards(Enum):
    """Whom a fault's reaction guards; on an island only the battery counts."""

    BATTERY = "battery"
    """The battery, or people."""
    SITE = "site"
    """Grid, inverter, setpoints, Holdfast itself."""
    DEVICE = "device"
    """What the device guards that has the fault."""


_GUARDING = frozenset({Producer.BMS, Producer.EMERGENCY_INPUT})


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRow:
    """A fault that is found by other means than a limit."""

    guards: Guards
    reaction: Reaction
    clearing: Clearing
    hold_s: float = 0.0
    """What clears by itself stays for this long after its cause is gone. A trip is latched."""
    bms_hold_s: float | None = None
    """The same for the BMS, where it is another."""
    text: str
    source: str


FAULTS: dict[str, FaultRow] = {
    "data_old": FaultRow(
        guards=Guards.DEVICE,
        reaction=Reaction.DERATE,
        clearing=Clearing.BY_ITSELF,
        hold_s=1.0,
        text="data older than half of their maximum age",
        source="fault catalogue 16, 29: derate before zero; held so that it does not flicker",
    ),
    "data_missing": FaultRow(
        guards=Guards.DEVICE,
        reaction=Reaction.RAMP_TO_ZERO,
        clearing=Clearing.BY_ITSELF,
        text="data that have never come",
        source="fault catalogue 28; not held: a site that boots has nothing else to wait for",
    ),
    "data_lost": FaultRow(
        guards=Guards.DEVICE,
        reaction=Reaction.RAMP_TO_ZERO,
        clearing=Clearing.BY_ITSELF,
        hold_s=1.0,
        bms_hold_s=30.0,
        text="data older than their maximum age",
        source="fault catalogue 15-17, 29; 68: a BMS that reboots must be stable for 30 s first, "
        "and dbus-serialbattery waits for 30 s as well",
    ),
    "data_bad": FaultRow(
        guards=Guards.DEVICE,
        reaction=Reaction.RAMP_TO_ZERO,
        clearing=Clearing.BY_ITSELF,
        hold_s=1.0,
        bms_hold_s=30.0,
        text="a value that cannot be true",
        source="fault catalogue 2, 3, 6; held as lost data are: a BMS that boots tells nonsense",
    ),
    "cycle_gap": FaultRow(
        guards=Guards.SITE,
        reaction=Reaction.TRIP,
        clearing=Clearing.OPERATOR,
        text="the control loop stood still for longer than the watchdog waits",
        source="fault catalogue 72, 84: the watchdog may have acted meanwhile",
    ),
    "setpoint_ignored": FaultRow(
        guards=Guards.SITE,
        reaction=Reaction.TRIP,
        clearing=Clearing.OPERATOR,
        text="the device does not store the setpoint that it acknowledged",
        source="fault catalogue 40, 51: three tries, then trip",
    ),
    "setpoint_overwritten": FaultRow(
        guards=Guards.SITE,
        reaction=Reaction.LOG,
        clearing=Clearing.BY_ITSELF,
        text="a setpoint has changed by itself, and was written again",
        source="a device that started anew, or another master; three times are no accident",
    ),
    "second_writer": FaultRow(
        guards=Guards.SITE,
        reaction=Reaction.TRIP,
        clearing=Clearing.OPERATOR,
        text="somebody else writes the setpoint",
        source="fault catalogue 91; a cloud, an app or another controller: nobody is in command",
    ),
    "under_delivery": FaultRow(
        guards=Guards.SITE,
        reaction=Reaction.LOG,
        clearing=Clearing.BY_ITSELF,
        text="less power than asked for",
        source="fault catalogue 55: alarm; the BMS or the inverter may have its reasons",
    ),
    "over_delivery": FaultRow(
        guards=Guards.SITE,
        reaction=Reaction.TRIP,
        clearing=Clearing.OPERATOR,
        text="more power than asked for",
        source="fault catalogue 54, 64: the inverter does not obey; only the contactor is left",
    ),
    "wrong_sign": FaultRow(
        guards=Guards.SITE,
        reaction=Reaction.TRIP,
        clearing=Clearing.OPERATOR,
        text="power flows the wrong way",
        source="fault catalogue 13, 53",
    ),
    "contactor_stuck": FaultRow(
        guards=Guards.BATTERY,
        reaction=Reaction.TRIP,
        clearing=Clearing.OPERATOR,
        text="the contactor does not follow its command",
        source="fault catalogue 59-61: 5 s to close or open",
    ),
    "contactor_welded": FaultRow(
        guards=Guards.BATTERY,
        reaction=Reaction.TRIP,
        clearing=Clearing.SERVICE,
        text="the contactor conducts though it shows open",
        source="fault catalogue 59, 64: never closed again before a reset",
    ),
    "precharge_failed": FaultRow(
        guards=Guards.BATTERY,
        reaction=Reaction.TRIP,
        clearing=Clearing.OPERATOR,
        text="the precharge does not complete as it should",
        source="fault catalogue 62, 63; foxBMS: 2 s, three tries 3 s apart, locked for 10 s",
    ),
    "precharge_waits": FaultRow(
        guards=Guards.BATTERY,
        reaction=Reaction.LOG,
        clearing=Clearing.BY_ITSELF,
        text="after a precharge that was too quick the link must discharge first",
        source="fault catalogue 63; after five minutes it is a failed precharge",
    ),
    "contactor_worn": FaultRow(
        guards=Guards.BATTERY,
        reaction=Reaction.LOG,
        clearing=Clearing.BY_ITSELF,
        text="the contactor nears the end of its rated life",
        source="80 % of battery.contactor_cycles_rated; an opening under load counts as 100",
    ),
    "wear_unknown": FaultRow(
        guards=Guards.BATTERY,
        reaction=Reaction.LOG,
        clearing=Clearing.BY_ITSELF,
        text="how worn the contactor is cannot be told",
        source="assumption: nobody stops for it; delete wear.json when the contactor is replaced",
    ),
    "soc_implausible": FaultRow(
        guards=Guards.BATTERY,
        reaction=Reaction.DERATE,
        clearing=Clearing.BY_ITSELF,
        hold_s=60.0,
        text="the state of charge does not agree with the charge that has flowed",
        source="fault catalogue 23; 10 % in an hour is beyond any SOC estimator's correction; "
        "held as the limits of what changes slowly are",
    ),
    "voltage_stuck": FaultRow(
        guards=Guards.BATTERY,
        reaction=Reaction.RAMP_TO_ZERO,
        clearing=Clearing.BY_ITSELF,
        hold_s=30.0,
        text="the pack's voltage stands still",
        source="fault catalogue 1: stuck while current flows; held for the window in which it "
        "would be found again",
    ),
    "write_budget": FaultRow(
        guards=Guards.SITE,
        reaction=Reaction.LOG,
        clearing=Clearing.BY_ITSELF,
        text="a register that wears out has nearly had its writes for today",
        source="fault catalogue 69: 80 % of writes_per_day in the device's table; beyond the whole "
        "of it only what takes power away is written",
    ),
    "setpoint_oscillation": FaultRow(
        guards=Guards.SITE,
        reaction=Reaction.HOLD,
        clearing=Clearing.BY_ITSELF,
        text="the setpoint that the inverter has stored swings to and fro",
        source="a limit cycle through the meter, or two controllers; clears after 60 s of quiet",
    ),
    "resistance_rising": FaultRow(
        guards=Guards.BATTERY,
        reaction=Reaction.LOG,
        clearing=Clearing.BY_ITSELF,
        text="the pack's resistance has risen by half during this run",
        source="on the way to twice the resistance",
    ),
    "resistance_doubled": FaultRow(
        guards=Guards.BATTERY,
        reaction=Reaction.DERATE,
        clearing=Clearing.BY_ITSELF,
        text="the pack's resistance has doubled during this run",
        source="twice the first resistance is a common end of life; a loose joint heats",
    ),
    "meter_sign_wrong": FaultRow(
        guards=Guards.SITE,
        reaction=Reaction.RAMP_TO_ZERO,
        clearing=Clearing.BY_ITSELF,
        text="the grid meter shows the batteries' steps with the wrong sign",
        source="fault catalogue 14: positive feedback; clears after 60 s, and is back at once",
    ),
    "repeated_fault": FaultRow(
        guards=Guards.BATTERY,
        reaction=Reaction.TRIP,
        clearing=Clearing.OPERATOR,
        text="a fault that clears by itself keeps coming back",
        source="Seplos: locked after five over-currents",
    ),
    "repeated_near_limit": FaultRow(
        guards=Guards.SITE,
        reaction=Reaction.DERATE,
        clearing=Clearing.BY_ITSELF,
        text="a limit is met again and again without a trip",
        source="ten times in an hour (assumption); lasts until the oldest is an hour ago",
    ),
    "crash_loop": FaultRow(
        guards=Guards.SITE,
        reaction=Reaction.TRIP,
        clearing=Clearing.OPERATOR,
        text="the controller ended uncleanly again and again",
        source="fault catalogue 81: five in ten minutes",
    ),
    "latch_file_corrupt": FaultRow(
        guards=Guards.SITE,
        reaction=Reaction.TRIP,
        clearing=Clearing.SERVICE,
        text="the latch file could not be trusted at start",
        source="fault catalogue 78; corrupt state means ERROR",
    ),
    "control_exception": FaultRow(
        guards=Guards.SITE,
        reaction=Reaction.TRIP,
        clearing=Clearing.OPERATOR,
        text="the control cycle failed",
        source="fault catalogue 71",
    ),
}


def finding(
    row: str, owner: str, since_ns: int, detail: str, *, device: Producer | None = None
) -> Finding:
    """A finding of the fault table; ``device`` tells which of the owner's devices has it."""
    fault = FAULTS[row]
    return Finding(
        owner=owner,
        row=row if device is None else f"{device}_{row}",
        level=Level.TRIP if fault.reaction >= Reaction.TRIP else Level.ALARM,
        reaction=fault.reaction,
        since_ns=since_ns,
        text=f"{fault.text}: {detail}",
        holds_on_island=fault.guards is Guards.BATTERY
        or (fault.guards is Guards.DEVICE and device in _GUARDING),
    )


def names_of(row: str) -> tuple[str, ...]:
    """What a finding of ``row`` of the fault table may be called: with its device, or without."""
    return (row, *(f"{device}_{row}" for device in Producer))


def _check_table(rows: dict[str, FaultRow]) -> None:
    for name, row in rows.items():
        trips = row.reaction >= Reaction.TRIP
        holds_s = (row.hold_s, row.bms_hold_s or row.hold_s)
        assert trips == (row.clearing is not Clearing.BY_ITSELF), f"{name}: who clears it?"
        assert min(holds_s) >= 0.0, f"{name}: a hold time below zero"
        assert not trips or max(holds_s) == 0.0, f"{name}: a trip is latched, and not held"
        assert row.source, f"{name}: no source"


_check_table(FAULTS)
