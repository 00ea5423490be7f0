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


_Cells = tuple[str, Guards, Reaction, Clearing, float, float | None, str, str]

_R = Reaction
_BATTERY, _SITE, _DEVICE = Guards
_ITSELF, _OPERATOR, _SERVICE = Clearing

# fmt: off
_TABLE: tuple[_Cells, ...] = (
    # name                   guards    reaction         clears     hold_s of BMS text                                                                  source
    ("data_old",             _DEVICE,  _R.DERATE,       _ITSELF,     1.0,  None, "data older than half of their maximum age",                          "fault catalogue 16, 29: derate before zero; held so that it does not flicker"),
    ("data_missing",         _DEVICE,  _R.RAMP_TO_ZERO, _ITSELF,     0.0,  None, "data that have never come",                                          "fault catalogue 28; not held: a site that boots has nothing else to wait for"),
    ("data_lost",            _DEVICE,  _R.RAMP_TO_ZERO, _ITSELF,     1.0,  30.0, "data older than their maximum age",                                  "fault catalogue 15-17, 29; 68: a BMS that reboots must be stable for 30 s first, and dbus-serialbattery waits for 30 s as well"),
    ("data_bad",             _DEVICE,  _R.RAMP_TO_ZERO, _ITSELF,     1.0,  30.0, "a value that cannot be true",                                        "fault catalogue 2, 3, 6; held as lost data are: a BMS that boots tells nonsense"),
    ("cycle_gap",            _SITE,    _R.TRIP,         _OPERATOR,   0.0,  None, "the control loop stood still for longer than the watchdog waits",    "fault catalogue 72, 84: the watchdog may have acted meanwhile"),
    ("setpoint_ignored",     _SITE,    _R.TRIP,         _OPERATOR,   0.0,  None, "the device does not store the setpoint that it acknowledged",        "fault catalogue 40, 51: three tries, then trip"),
    ("setpoint_overwritten", _SITE,    _R.LOG,          _ITSELF,     0.0,  None, "a setpoint has changed by itself, and was written again",            "a device that started anew, or another master; three times are no accident"),
    ("second_writer",        _SITE,    _R.TRIP,         _OPERATOR,   0.0,  None, "somebody else writes the setpoint",                                  "fault catalogue 91; a cloud, an app or another controller: nobody is in command"),
    ("under_delivery",       _SITE,    _R.LOG,          _ITSELF,     0.0,  None, "less power than asked for",                                          "fault catalogue 55: alarm; the BMS or the inverter may have its reasons"),
    ("over_delivery",        _SITE,    _R.TRIP,         _OPERATOR,   0.0,  None, "more power than asked for",                                          "fault catalogue 54, 64: the inverter does not obey; only the contactor is left"),
    ("wrong_sign",           _SITE,    _R.TRIP,         _OPERATOR,   0.0,  None, "power flows the wrong way",                                          "fault catalogue 13, 53"),
    ("contactor_stuck",      _BATTERY, _R.TRIP,         _OPERATOR,   0.0,  None, "the contactor does not follow its command",                          "fault catalogue 59-61: 5 s to close or open"),
    ("contactor_welded",     _BATTERY, _R.TRIP,         _SERVICE,    0.0,  None, "the contactor conducts though it shows open",                        "fault catalogue 59, 64: never closed again before a reset"),
    ("precharge_failed",     _BATTERY, _R.TRIP,         _OPERATOR,   0.0,  None, "the precharge does not complete as it should",                       "fault catalogue 62, 63; foxBMS: 2 s, three tries 3 s apart, locked for 10 s"),
    ("precharge_waits",      _BATTERY, _R.LOG,          _ITSELF,     0.0,  None, "after a precharge that was too quick the link must discharge first", "fault catalogue 63; after five minutes it is a failed precharge"),
    ("contactor_worn",       _BATTERY, _R.LOG,          _ITSELF,     0.0,  None, "the contactor nears the end of its rated life",                      "80 % of battery.contactor_cycles_rated; an opening under load counts as 100"),
    ("wear_unknown",         _BATTERY, _R.LOG,          _ITSELF,     0.0,  None, "how worn the contactor is cannot be told",                           "assumption: nobody stops for it; delete wear.json when the contactor is replaced"),
    ("soc_implausible",      _BATTERY, _R.DERATE,       _ITSELF,    60.0,  None, "the state of charge does not agree with the charge that has flowed", "fault catalogue 23; 10 % in an hour is beyond any SOC estimator's correction; held as the limits of what changes slowly are"),
    ("voltage_stuck",        _BATTERY, _R.RAMP_TO_ZERO, _ITSELF,    30.0,  None, "the pack's voltage stands still",                                    "fault catalogue 1: stuck while current flows; held for the window in which it would be found again"),
    ("write_budget",         _SITE,    _R.LOG,          _ITSELF,     0.0,  None, "a register that wears out has nearly had its writes for today",      "fault catalogue 69: 80 % of writes_per_day in the device's table; beyond the whole of it only what takes power away is written"),
    ("setpoint_oscillation", _SITE,    _R.HOLD,         _ITSELF,    60.0,  None, "the setpoint that the inverter has stored swings to and fro",        "a limit cycle through the meter, or two controllers; held for two of the windows in which it is found"),
    ("resistance_rising",    _BATTERY, _R.LOG,          _ITSELF,     0.0,  None, "the pack's resistance has risen by half during this run",            "on the way to twice the resistance"),
    ("resistance_doubled",   _BATTERY, _R.DERATE,       _ITSELF,     0.0,  None, "the pack's resistance has doubled during this run",                  "twice the first resistance is a common end of life; a loose joint heats"),
    ("meter_sign_wrong",     _SITE,    _R.RAMP_TO_ZERO, _ITSELF,     0.0,  None, "the grid meter shows the batteries' steps with the wrong sign",      "fault catalogue 14: positive feedback; clears after 60 s, and is back at once"),
    ("repeated_fault",       _BATTERY, _R.TRIP,         _OPERATOR,   0.0,  None, "a fault that clears by itself keeps coming back",                    "Seplos: locked after five over-currents"),
    ("repeated_near_limit",  _SITE,    _R.DERATE,       _ITSELF,     0.0,  None, "a limit is met again and again without a trip",                      "ten times in an hour (assumption); lasts until the oldest is an hour ago"),
    ("load_silent",          _SITE,    _R.LOG,          _ITSELF,     0.0,  None, "a load switch does not answer, or does not do what it is told",       "decision 0014: no safety rests on a load; its revert timer switches it off"),
    ("crash_loop",           _SITE,    _R.TRIP,         _OPERATOR,   0.0,  None, "the controller ended uncleanly again and again",                     "fault catalogue 81: five in ten minutes"),
    ("latch_file_corrupt",   _SITE,    _R.TRIP,         _SERVICE,    0.0,  None, "the latch file could not be trusted at start",                       "fault catalogue 78; corrupt state means ERROR"),
    ("control_exception",    _SITE,    _R.TRIP,         _OPERATOR,   0.0,  None, "the control cycle failed",                                           "fault catalogue 71"),
)
# fmt: on

FAULTS: dict[str, FaultRow] = {
    name: FaultRow(
        guards=guards, reaction=reaction, clearing=clearing, hold_s=hold_s, bms_hold_s=bms_hold_s,
        text=text, source=source,
    )
    for name, guards, reaction, clearing, hold_s, bms_hold_s, text, source in _TABLE
}  # fmt: skip
assert len(FAULTS) == len(_TABLE), "a row stands twice"


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
