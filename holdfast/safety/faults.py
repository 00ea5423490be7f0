"""The fault table has the faults that are no limit of a measured value (those are rows of
:mod:`holdfast.safety.limits`)."""

from dataclasses import dataclass
from enum import Enum, StrEnum

from holdfast.core.role import Role
from holdfast.core.signals import PRODUCERS, Producer
from holdfast.safety.finding import Finding, Level, Reaction


class Clearing(StrEnum):
    """Tells who ends what a row did."""

    BY_ITSELF = "by itself"
    """It latches nothing: it ends once its cause has been gone for its hold time."""
    OPERATOR = "operator"
    """`holdfast reset` clears the trip: whoever looks at the site can judge it."""
    SERVICE = "service"
    """Only `holdfast reset --service` clears the trip, after an inspection."""


class Guards(Enum):
    """Tells whom a fault's reaction guards; on an island only the battery counts."""

    BATTERY = "battery"
    """The reaction guards the battery, or people."""
    SITE = "site"
    """The reaction guards grid, inverter, setpoints or Holdfast itself."""
    DEVICE = "device"
    """The reaction guards what the device guards that has the fault."""


_GUARDING: frozenset[Producer] = frozenset({Role.BMS, Role.EMERGENCY_INPUT})


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRow:
    """Describes a fault that is found by other means than a limit."""

    guards: Guards
    reaction: Reaction
    clearing: Clearing
    hold_s: float = 0.0
    """What clears by itself stays for this long after its cause is gone. A trip is latched."""
    bms_hold_s: float | None = None
    """Tells the same for the BMS, where it is another."""
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
    ("data_frozen",          _DEVICE,  _R.RAMP_TO_ZERO, _ITSELF,    60.0,  None, "the same values again and again while they must have changed",       "Omnibattery #479, yambms PR 77: a meter or a converter that repeats itself; held so that a converter that hangs now and then is no seesaw"),
    ("data_slow",            _DEVICE,  _R.LOG,          _ITSELF,    60.0,  None, "new values come slowly, and control waits for each of them",         "DSMR 4: a telegram every 10 s"),
    ("data_gone",            _DEVICE,  _R.TRIP,         _OPERATOR,   0.0,  None, "no data for so long that it counts as gone",                         "Battery-Emulator: 60 s without its battery; what is not seen to be at zero is opened"),
    ("cycle_gap",            _SITE,    _R.TRIP,         _OPERATOR,   0.0,  None, "the control loop stood still for longer than the watchdog waits",    "fault catalogue 72, 84: the watchdog may have acted meanwhile"),
    ("setpoint_ignored",     _SITE,    _R.TRIP,         _OPERATOR,   0.0,  None, "the device does not store the setpoint that it acknowledged",        "fault catalogue 40, 51: three tries, then trip"),
    ("export_limit_ignored", _SITE,    _R.LOG,          _ITSELF,     0.0,  None, "the inverter does not store its export limit",                       "decision 0014: what is exported too much costs money and harms no battery; grid_export_high guards the grid connection"),
    ("pv_switch_ignored",    _SITE,    _R.LOG,          _ITSELF,     0.0,  None, "the inverter does not store whether its PV is on",                   "decision 0014: PV that stays off, or on, costs money and harms no battery"),
    ("setpoint_overwritten", _SITE,    _R.LOG,          _ITSELF,     0.0,  None, "a setpoint has changed by itself, and was written again",            "a device that started anew, or another master; three times are no accident"),
    ("second_writer",        _SITE,    _R.TRIP,         _OPERATOR,   0.0,  None, "somebody else writes the setpoint",                                  "fault catalogue 91; a cloud, an app or another controller: nobody is in command"),
    ("under_delivery",       _SITE,    _R.LOG,          _ITSELF,     0.0,  None, "less power than asked for",                                          "fault catalogue 55: alarm; the BMS or the inverter may have its reasons"),
    ("command_held",         _SITE,    _R.LOG,          _ITSELF,     0.0,  None, "a setpoint is permitted and is not written",                         "Zendure-HA #1525: asked to charge twelve times in a minute, and the device got no command; after 2 s"),
    ("over_delivery",        _SITE,    _R.TRIP,         _OPERATOR,   0.0,  None, "more power than asked for",                                          "fault catalogue 54, 64: the inverter does not obey; only the contactor is left"),
    ("power_unseen",         _BATTERY, _R.TRIP,         _OPERATOR,   0.0,  None, "nobody can see whether power flows",                                 "ramp to zero is safe when a zero was seen; what cannot be known to be at zero is opened"),
    ("wrong_sign",           _SITE,    _R.TRIP,         _OPERATOR,   0.0,  None, "power flows the wrong way",                                          "fault catalogue 13, 53"),
    ("contactor_stuck",      _BATTERY, _R.TRIP,         _OPERATOR,   0.0,  None, "the contactor does not follow its command",                          "fault catalogue 59-61: 5 s to close or open"),
    ("contactor_dropped",    _BATTERY, _R.TRIP,         _OPERATOR,   0.0,  None, "the contactor opened though nobody told it to",                      "a coil, its supply or its feedback fails; closed again by itself it would close under load"),
    ("contactor_welded",     _BATTERY, _R.TRIP,         _SERVICE,    0.0,  None, "the contactor conducts though it shows open",                        "fault catalogue 59, 64: never closed again before a reset"),
    ("precharge_failed",     _BATTERY, _R.TRIP,         _OPERATOR,   0.0,  None, "the precharge does not complete as it should",                       "fault catalogue 62, 63; foxBMS: 2 s, three tries 3 s apart, locked for 10 s"),
    ("precharge_waits",      _BATTERY, _R.LOG,          _ITSELF,     0.0,  None, "after a precharge that was too quick the link must discharge first", "fault catalogue 63; after five minutes it is a failed precharge"),
    ("contactor_worn",       _BATTERY, _R.LOG,          _ITSELF,     0.0,  None, "the contactor nears the end of its rated life",                      "80 % of battery.contactor_cycles_rated; an opening under load counts as 100"),
    ("wear_unknown",         _BATTERY, _R.LOG,          _ITSELF,     0.0,  None, "how worn the contactor is cannot be told",                           "assumption: nobody stops for it; delete wear.json when the contactor is replaced"),
    ("soc_understated",      _BATTERY, _R.BLOCK_CHARGE, _ITSELF,    60.0,  None, "more has been charged than the state of charge shows",               "fault catalogue 23: it may be fuller than it says; held as the limits of what changes slowly are"),
    ("soc_overstated",       _BATTERY, _R.BLOCK_DISCHARGE, _ITSELF, 60.0,  None, "more has been discharged than the state of charge shows",            "fault catalogue 23: it may be emptier than it says"),
    ("voltage_stuck",        _BATTERY, _R.RAMP_TO_ZERO, _ITSELF,    30.0,  None, "the pack's voltage stands still",                                    "fault catalogue 1: stuck while current flows; held for the window in which it would be found again"),
    ("write_budget",         _SITE,    _R.LOG,          _ITSELF,     0.0,  None, "a register that wears out has nearly had its writes for today",      "fault catalogue 69: 80 % of writes_per_day in the device's table; beyond the whole of it only what takes power away is written"),
    ("setpoint_oscillation", _SITE,    _R.HOLD,         _ITSELF,    60.0,  None, "the setpoint that the inverter has stored swings to and fro",        "a limit cycle through the meter, or two controllers; held for two of the windows in which it is found"),
    ("resistance_rising",    _BATTERY, _R.LOG,          _ITSELF,     0.0,  None, "the pack's resistance has risen by half during this run",            "on the way to twice the resistance"),
    ("resistance_doubled",   _BATTERY, _R.DERATE,       _ITSELF,     0.0,  None, "the pack's resistance has doubled during this run",                  "twice the first resistance is a common end of life; a loose joint heats"),
    ("island_contradicted",  _SITE,    _R.LOG,          _ITSELF,    60.0,  None, "the inverter tells of an island that is none: strict rules hold",    "decision 0010: an island switches protections off, so it takes two witnesses"),
    ("meter_sign_wrong",     _SITE,    _R.RAMP_TO_ZERO, _ITSELF,     0.0,  None, "the grid meter does not show the batteries' steps as they are",      "fault catalogue 14: positive feedback; clears after 60 s, and is back at once"),
    ("import_missed",        _SITE,    _R.LOG,          _ITSELF,     5.0,  None, "the batteries cannot hold an import limit at the meter",             "control cases C1, C11: who has to switch something off learns it in time, and loads that can wait are shed; held so that it does not flicker"),
    ("export_missed",        _SITE,    _R.LOG,          _ITSELF,     5.0,  None, "the batteries cannot hold an export limit at the meter",             "control case C11: who has to switch something off learns it in time; held so that it does not flicker"),
    ("mean_import_missed",   _SITE,    _R.LOG,          _ITSELF,     5.0,  None, "the mean import of this interval will be above its limit",           "control case C1: what is missing is told before the interval ends"),
    ("phases_unseen",        _SITE,    _R.LOG,          _ITSELF,     5.0,  None, "the phases cannot be read, and only their sum is limited",           "control case C11: the fuse itself still guards each phase"),
    ("operator_limits",      _SITE,    _R.LOG,          _ITSELF,     0.0,  None, "the grid operator limits the site",                                  "§14a EnWG: when he did, and for how long, has to be on record"),
    ("operator_unheard",     _SITE,    _R.LOG,          _ITSELF,     0.0,  None, "nobody hears of the grid operator, and the failsafe limit holds",    "EEBUS LPC: 120 s after the last heartbeat"),
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
    """Returns a finding of the table; ``device`` tells which of the owner's devices has it."""
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
    """Tells what a finding of ``row`` of the table may be called: with its device, or without."""
    return (row, *(f"{device}_{row}" for device in PRODUCERS))


def _check_table(rows: dict[str, FaultRow]) -> None:
    for name, row in rows.items():
        trips = row.reaction >= Reaction.TRIP
        holds_s = (row.hold_s, row.bms_hold_s or row.hold_s)
        assert trips == (row.clearing is not Clearing.BY_ITSELF), f"{name}: who clears it?"
        assert min(holds_s) >= 0.0, f"{name}: a hold time below zero"
        assert not trips or max(holds_s) == 0.0, f"{name}: a trip is latched, and not held"
        assert row.source, f"{name}: no source"


_check_table(FAULTS)
