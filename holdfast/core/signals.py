"""The signals stand in one table of names, unit, plausible range, maximum age and producer.

A value outside its plausible range is no value (quality Bad). The maximum age is what
the safety path allows; it comes from the fault catalogue (stale BMS 5 s, since a
Pylontech pack speaks once in one or two seconds; stale meter or inverter 1 s).
"""

from dataclasses import dataclass
from enum import StrEnum

from holdfast.core.device_mode import DeviceMode
from holdfast.core.role import Role
from holdfast.core.units import ns_from_s

BARE_UNITS = frozenset({"0/1", "mode", "count"})
"""What has such a unit is told without it."""
SITE = "site"
"""It owns the signals that belong to no storage unit and no load."""


class Internal(StrEnum):
    """Names who writes a signal and is no device."""

    WATCHDOG = "watchdog"
    DERIVED = "derived"
    """It is computed from other readings of the same snapshot."""
    BALANCE = "balance"
    """It is computed of the meter and all batteries of a site."""


Producer = Role | Internal
"""Names who may write a signal: devices in one role, or a part of Holdfast."""
PRODUCERS: tuple[Producer, ...] = (*Role, *Internal)


class Signal(StrEnum):
    """Names the signals; the table below says what each one is."""

    SOC_PCT = "soc_pct"
    SOH_PCT = "soh_pct"
    PACK_VOLTAGE_V = "pack_voltage_v"
    BATTERY_CURRENT_A = "battery_current_a"
    CELL_VOLTAGE_MIN_V = "cell_voltage_min_v"
    CELL_VOLTAGE_MAX_V = "cell_voltage_max_v"
    CELL_TEMPERATURE_MIN_C = "cell_temperature_min_c"
    CELL_TEMPERATURE_MAX_C = "cell_temperature_max_c"
    AMBIENT_TEMPERATURE_C = "ambient_temperature_c"
    INSULATION_KOHM = "insulation_kohm"
    CHARGE_VOLTAGE_LIMIT_V = "charge_voltage_limit_v"
    CHARGE_CURRENT_LIMIT_A = "charge_current_limit_a"
    DISCHARGE_CURRENT_LIMIT_A = "discharge_current_limit_a"
    CHARGE_ALLOWED = "charge_allowed"
    DISCHARGE_ALLOWED = "discharge_allowed"
    BMS_PROTECTION = "bms_protection"
    BMS_ALARM = "bms_alarm"
    CHARGE_POWER_READBACK_W = "charge_power_readback_w"
    DISCHARGE_POWER_READBACK_W = "discharge_power_readback_w"
    BATTERY_POWER_W = "battery_power_w"
    SETPOINT_READBACK_W = "setpoint_readback_w"
    DEVICE_MODE = "device_mode"
    EXPORT_LIMIT_READBACK_W = "export_limit_readback_w"
    PV_ON = "pv_on"
    INVERTER_ENABLED = "inverter_enabled"
    INVERTER_FAULT = "inverter_fault"
    INVERTER_TEMPERATURE_C = "inverter_temperature_c"
    REVERT_TIMEOUT_READBACK_S = "revert_timeout_readback_s"
    ISLANDED = "islanded"
    CONTACTOR_CLOSED = "contactor_closed"
    PRECHARGE_CLOSED = "precharge_closed"
    DC_LINK_VOLTAGE_V = "dc_link_voltage_v"
    GRID_POWER_W = "grid_power_w"
    GRID_VOLTAGE_V = "grid_voltage_v"
    GRID_FREQUENCY_HZ = "grid_frequency_hz"
    GRID_POWER_L1_W = "grid_power_l1_w"
    GRID_POWER_L2_W = "grid_power_l2_w"
    GRID_POWER_L3_W = "grid_power_l3_w"
    GRID_CURRENT_L1_A = "grid_current_l1_a"
    GRID_CURRENT_L2_A = "grid_current_l2_a"
    GRID_CURRENT_L3_A = "grid_current_l3_a"
    PV_POWER_W = "pv_power_w"
    EMERGENCY_LOOP_CLOSED = "emergency_loop_closed"
    CONSUMPTION_LIMITED = "consumption_limited"
    CONSUMPTION_LIMIT_W = "consumption_limit_w"
    PRODUCTION_LIMITED = "production_limited"
    PRODUCTION_LIMIT_W = "production_limit_w"
    OPERATOR_BEATS_COUNT = "operator_beats_count"
    OPERATOR_WRITES_COUNT = "operator_writes_count"
    WATCHDOG_ARMED = "watchdog_armed"
    LOAD_POWER_W = "load_power_w"
    LOAD_ON = "load_on"
    LOAD_REVERT_READBACK_S = "load_revert_readback_s"
    ROOM_TEMPERATURE_C = "room_temperature_c"
    ROOM_SETPOINT_READBACK_C = "room_setpoint_readback_c"
    CELL_IMBALANCE_V = "cell_imbalance_v"
    CELL_TEMPERATURE_SPREAD_K = "cell_temperature_spread_k"
    PACK_MISMATCH_V = "pack_mismatch_v"
    POWER_MISMATCH_W = "power_mismatch_w"
    LINK_MISMATCH_V = "link_mismatch_v"
    REST_OF_SITE_W = "rest_of_site_w"
    REST_L1_W = "rest_l1_w"
    REST_L2_W = "rest_l2_w"
    REST_L3_W = "rest_l3_w"
    REST_L1_A = "rest_l1_a"
    REST_L2_A = "rest_l2_a"
    REST_L3_A = "rest_l3_a"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRow:
    """Holds what is known of one signal before anything is read."""

    unit: str
    low: float
    """Tells the smallest plausible value."""
    high: float
    """Tells the largest plausible value."""
    max_age_s: float
    producer: Producer
    name: str
    """Names it as a sentence has it, after "the"."""
    meaning: str
    """Says what the value tells, as a table has it."""
    of_battery: bool
    """Tells of the battery itself: what rests on it is the battery's own protection."""

    @property
    def max_age_ns(self) -> int:
        """Returns the maximum age in nanoseconds."""
        return ns_from_s(self.max_age_s)

    def is_plausible(self, value: float) -> bool:
        """Says whether ``value`` can be true; False for one that is not finite."""
        return self.low <= value <= self.high

    @property
    def of_site(self) -> bool:
        """Says whether it is a signal of the site, and not one of each storage unit or load."""
        return self.producer in _OF_SITE

    @property
    def of_load(self) -> bool:
        """Says whether it is a signal of one load or heated room."""
        return self.producer in _OF_LOAD


_OF_SITE: frozenset[Producer] = frozenset(
    {
        Role.METER,
        Role.PV_METER,
        Role.GRID_OPERATOR,
        Role.EMERGENCY_INPUT,
        Internal.WATCHDOG,
        Internal.BALANCE,
    }
)
_OF_LOAD: frozenset[Producer] = frozenset({Role.LOAD_SWITCH, Role.LOAD_METER})
_OF_BATTERY: frozenset[Producer] = frozenset({Role.BMS, Internal.DERIVED})


def _row(
    producer: Producer,
    max_age_s: float,
    unit: str,
    low: float,
    high: float,
    name: str,
    meaning: str,
    *,
    of_battery: bool | None = None,
) -> SignalRow:
    """If ``of_battery`` is None, what the BMS tells and what derives from that is of it."""
    if of_battery is None:
        of_battery = producer in _OF_BATTERY
    return SignalRow(
        unit=unit,
        low=low,
        high=high,
        max_age_s=max_age_s,
        producer=producer,
        name=name,
        meaning=meaning,
        of_battery=of_battery,
    )


_BMS = (Role.BMS, 5.0)
_INVERTER = (Role.INVERTER, 1.0)
_RELAYS = (Role.RELAYS, 1.0)
_METER = (Role.METER, 1.0)
_PV_METER = (Role.PV_METER, 1.0)
_OPERATOR = (Role.GRID_OPERATOR, 10.0)  # what is lost is the failsafe limit
_SWITCH = (Role.LOAD_SWITCH, 60.0)  # no safety rests on it; wireless ones are slow
_LOAD_METER = (Role.LOAD_METER, 10.0)
_DERIVED = (Internal.DERIVED, 15.0)  # what it rests on is lost long before
_BALANCE = (Internal.BALANCE, 30.0)  # and so is the slowest meter
_S = Signal
_MODES = float(len(DeviceMode))

# fmt: off
SIGNALS: dict[Signal, SignalRow] = {
    #                                          unit    low     high    name, meaning
    _S.SOC_PCT:                    _row(*_BMS, "%",      0.0,   100.0, "state of charge", "state of charge"),
    _S.SOH_PCT:                    _row(*_BMS, "%",      0.0,   105.0, "state of health", "state of health"),
    _S.PACK_VOLTAGE_V:             _row(*_BMS, "V",      1.0,  1500.0, "battery voltage", "voltage at the battery's terminals"),
    _S.BATTERY_CURRENT_A:          _row(*_BMS, "A",  -2000.0,  2000.0, "battery current", "current, + charging"),
    _S.CELL_VOLTAGE_MIN_V:         _row(*_BMS, "V",      1.0,     5.0, "lowest cell voltage", "lowest cell"),
    _S.CELL_VOLTAGE_MAX_V:         _row(*_BMS, "V",      1.0,     5.0, "highest cell voltage", "highest cell"),
    _S.CELL_TEMPERATURE_MIN_C:     _row(*_BMS, "°C",   -40.0,   120.0, "lowest cell temperature", "coldest cell"),
    _S.CELL_TEMPERATURE_MAX_C:     _row(*_BMS, "°C",   -40.0,   120.0, "highest cell temperature", "hottest cell"),
    _S.AMBIENT_TEMPERATURE_C:      _row(*_BMS, "°C",   -40.0,   100.0, "temperature around the battery", "air around the battery"),
    _S.INSULATION_KOHM:            _row(*_BMS, "kΩ",     0.0,   1.0e6, "insulation of the pack", "pack against earth"),
    # Close to 0 V where a pack prevents charging.
    _S.CHARGE_VOLTAGE_LIMIT_V:     _row(*_BMS, "V",      0.0,  1500.0, "BMS's charge voltage limit", "BMS: charge up to this voltage"),
    _S.CHARGE_CURRENT_LIMIT_A:     _row(*_BMS, "A",      0.0,  2000.0, "BMS's charge current limit", "BMS: charge with at most this"),
    _S.DISCHARGE_CURRENT_LIMIT_A:  _row(*_BMS, "A",      0.0,  2000.0, "BMS's discharge current limit", "BMS: discharge with at most this"),
    _S.CHARGE_ALLOWED:             _row(*_BMS, "0/1",    0.0,     1.0, "BMS's permission to charge", "BMS permits charging"),
    _S.DISCHARGE_ALLOWED:          _row(*_BMS, "0/1",    0.0,     1.0, "BMS's permission to discharge", "BMS permits discharging"),
    _S.BMS_PROTECTION:             _row(*_BMS, "0/1",    0.0,     1.0, "BMS's protection", "a protection of the BMS has tripped"),
    _S.BMS_ALARM:                  _row(*_BMS, "0/1",    0.0,     1.0, "BMS's alarm", "the BMS warns"),
    _S.CHARGE_POWER_READBACK_W:    _row(*_BMS, "W",      0.0,   1.0e6, "charge power that the BMS shows", "charge power that the BMS has stored"),
    _S.DISCHARGE_POWER_READBACK_W: _row(*_BMS, "W",      0.0,   1.0e6, "discharge power that the BMS shows", "discharge power that the BMS has stored"),
    _S.BATTERY_POWER_W:       _row(*_INVERTER, "W",   -1.0e6,   1.0e6, "battery power", "measured, + charging"),
    _S.SETPOINT_READBACK_W:   _row(*_INVERTER, "W",   -1.0e6,   1.0e6, "setpoint that the inverter shows", "setpoint that the inverter has stored"),
    _S.DEVICE_MODE:           _row(*_INVERTER, "mode",   0.0,  _MODES, "device mode of the inverter", "rule that the inverter keeps by itself; 0 = it follows the setpoint"),
    # From -1 to all ones of 32 bits: some devices' words for no limit at all.
    _S.EXPORT_LIMIT_READBACK_W: _row(*_INVERTER, "W",   -1.0,   4.3e9, "export limit that the inverter shows", "most that the inverter lets the site export, by throttling PV"),
    _S.PV_ON:                 _row(*_INVERTER, "0/1",    0.0,     1.0, "inverter's PV switch", "PV behind the inverter is let through"),
    _S.INVERTER_ENABLED:      _row(*_INVERTER, "0/1",    0.0,     1.0, "inverter's power stage", "power stage may run"),
    _S.INVERTER_FAULT:        _row(*_INVERTER, "0/1",    0.0,     1.0, "inverter's fault flag", "the inverter reports a fault"),
    _S.INVERTER_TEMPERATURE_C: _row(*_INVERTER, "°C",  -40.0,   150.0, "inverter temperature", "heat sink"),
    _S.REVERT_TIMEOUT_READBACK_S: _row(*_INVERTER, "s",  0.0, 65535.0, "inverter's revert timer", "inverter goes to 0 W after this silence; 0 = never"),
    _S.ISLANDED:              _row(*_INVERTER, "0/1",    0.0,     1.0, "island flag of the inverter", "the inverter feeds the site without the grid"),
    _S.CONTACTOR_CLOSED:        _row(*_RELAYS, "0/1",    0.0,     1.0, "main contactor's feedback", "feedback contact of the main contactor"),
    _S.PRECHARGE_CLOSED:        _row(*_RELAYS, "0/1",    0.0,     1.0, "precharge relay's feedback", "feedback contact of the precharge relay"),
    _S.DC_LINK_VOLTAGE_V:       _row(*_RELAYS, "V",    -10.0,  1500.0, "DC link voltage", "behind the main contactor, at the inverter"),
    _S.GRID_POWER_W:             _row(*_METER, "W",   -1.0e6,   1.0e6, "grid power", "at the grid connection, + import"),
    _S.GRID_VOLTAGE_V:           _row(*_METER, "V",      0.0,  1000.0, "grid voltage", "phase to neutral"),
    _S.GRID_FREQUENCY_HZ:        _row(*_METER, "Hz",    40.0,    70.0, "grid frequency", "grid frequency"),
    _S.GRID_POWER_L1_W:          _row(*_METER, "W",   -1.0e6,   1.0e6, "grid power on L1", "at the grid connection, of phase 1, + import"),
    _S.GRID_POWER_L2_W:          _row(*_METER, "W",   -1.0e6,   1.0e6, "grid power on L2", "at the grid connection, of phase 2, + import"),
    _S.GRID_POWER_L3_W:          _row(*_METER, "W",   -1.0e6,   1.0e6, "grid power on L3", "at the grid connection, of phase 3, + import"),
    _S.GRID_CURRENT_L1_A:        _row(*_METER, "A",   -5.0e3,   5.0e3, "grid current on L1", "at the grid connection, of phase 1; with or without a sign"),
    _S.GRID_CURRENT_L2_A:        _row(*_METER, "A",   -5.0e3,   5.0e3, "grid current on L2", "at the grid connection, of phase 2; with or without a sign"),
    _S.GRID_CURRENT_L3_A:        _row(*_METER, "A",   -5.0e3,   5.0e3, "grid current on L3", "at the grid connection, of phase 3; with or without a sign"),
    _S.PV_POWER_W:            _row(*_PV_METER, "W",   -100.0,   1.0e6, "PV power", "sum of the PV arrays"),
    _S.EMERGENCY_LOOP_CLOSED: _row(Role.EMERGENCY_INPUT, 0.5, "0/1", 0.0, 1.0, "emergency-stop loop", "normally closed loop; open or broken = stop"),
    _S.CONSUMPTION_LIMITED:   _row(*_OPERATOR, "0/1",    0.0,     1.0, "grid operator's limit of consumption", "the grid operator limits what is consumed"),
    _S.CONSUMPTION_LIMIT_W:   _row(*_OPERATOR, "W",      0.0,   1.0e6, "consumption that the grid operator permits", "most that he permits while he limits it"),
    _S.PRODUCTION_LIMITED:    _row(*_OPERATOR, "0/1",    0.0,     1.0, "grid operator's limit of production", "the grid operator limits what is fed in"),
    _S.PRODUCTION_LIMIT_W:    _row(*_OPERATOR, "W",      0.0,   1.0e6, "production that the grid operator permits", "most that he permits while he limits it"),
    # Counters: another value is another beat, or another limit.
    _S.OPERATOR_BEATS_COUNT:  _row(*_OPERATOR, "count",  0.0,   4.3e9, "grid operator's heartbeat", "another value with each heartbeat"),
    _S.OPERATOR_WRITES_COUNT: _row(*_OPERATOR, "count",  0.0,   4.3e9, "count of the grid operator's limits", "another value each time he sets a limit, the same one too"),
    _S.WATCHDOG_ARMED:        _row(Internal.WATCHDOG, 1.0, "0/1", 0.0, 1.0, "watchdog's state", "the watchdog lives and reaches the inverter"),
    _S.LOAD_POWER_W:            _row(*_LOAD_METER, "W", -1.0e5, 1.0e6, "power of the load", "measured at the load, + it takes"),
    _S.LOAD_ON:                 _row(*_SWITCH, "0/1",    0.0,     1.0, "load's switch", "the load has power"),
    _S.LOAD_REVERT_READBACK_S:  _row(*_SWITCH, "s",      0.0, 65535.0, "revert timer of the load's switch", "the switch goes off after this silence; 0 = never"),
    _S.ROOM_TEMPERATURE_C:      _row(*_SWITCH, "°C",   -40.0,    80.0, "room temperature", "air in the room"),
    _S.ROOM_SETPOINT_READBACK_C: _row(*_SWITCH, "°C",    0.0,    40.0, "setpoint that the thermostat shows", "what the thermostat keeps"),
    _S.CELL_IMBALANCE_V:         _row(*_DERIVED, "V",   -5.0,     5.0, "cell imbalance", "highest less lowest cell"),
    _S.CELL_TEMPERATURE_SPREAD_K: _row(*_DERIVED, "K", -160.0,  160.0, "cell temperature spread", "hottest less coldest cell"),
    _S.PACK_MISMATCH_V:          _row(*_DERIVED, "V",    0.0,  1500.0, "mismatch of pack and cell voltages", "how far the pack's voltage is outside what its cells permit"),
    _S.POWER_MISMATCH_W:         _row(*_DERIVED, "W",    0.0,   1.0e6, "mismatch of inverter and battery power", "inverter's power against the pack's voltage times current", of_battery=False),
    _S.LINK_MISMATCH_V:          _row(*_DERIVED, "V",    0.0,  1510.0, "mismatch of link and battery voltage", "voltage behind the closed contactor against the pack's"),
    _S.REST_OF_SITE_W: _row(*_BALANCE, "W", -2.0e6, 2.0e6, "rest of the site", "load less PV, of the instant at which the meter's value last changed"),
    _S.REST_L1_W: _row(*_BALANCE, "W", -2.0e6, 2.0e6, "rest of the site on L1", "load less PV of phase 1, as the rest of the site"),
    _S.REST_L2_W: _row(*_BALANCE, "W", -2.0e6, 2.0e6, "rest of the site on L2", "load less PV of phase 2, as the rest of the site"),
    _S.REST_L3_W: _row(*_BALANCE, "W", -2.0e6, 2.0e6, "rest of the site on L3", "load less PV of phase 3, as the rest of the site"),
    _S.REST_L1_A: _row(*_BALANCE, "A", -1.0e4, 1.0e4, "current of the others on L1", "what phase 1 carries without the batteries, + import"),
    _S.REST_L2_A: _row(*_BALANCE, "A", -1.0e4, 1.0e4, "current of the others on L2", "what phase 2 carries without the batteries, + import"),
    _S.REST_L3_A: _row(*_BALANCE, "A", -1.0e4, 1.0e4, "current of the others on L3", "what phase 3 carries without the batteries, + import"),
}
# fmt: on

PHASE_POWER_W = (_S.GRID_POWER_L1_W, _S.GRID_POWER_L2_W, _S.GRID_POWER_L3_W)
PHASE_CURRENT_A = (_S.GRID_CURRENT_L1_A, _S.GRID_CURRENT_L2_A, _S.GRID_CURRENT_L3_A)
PHASE_REST_W = (_S.REST_L1_W, _S.REST_L2_W, _S.REST_L3_W)
PHASE_REST_A = (_S.REST_L1_A, _S.REST_L2_A, _S.REST_L3_A)
"""L1 to L3."""

INFORMATIVE = frozenset(
    {
        Signal.SOH_PCT,
        Signal.PV_POWER_W,
        *PHASE_POWER_W,
        *PHASE_CURRENT_A,
        *PHASE_REST_W,
        *PHASE_REST_A,
        *(signal for signal, row in SIGNALS.items() if row.producer is Role.GRID_OPERATOR),
    }
)
"""Where a device does not have them, or they are lost, nothing is wrong with it: who uses them
knows what holds without them."""

assert SIGNALS.keys() == set(Signal), "every signal has exactly one row"
assert all(row.low < row.high and row.max_age_s > 0 for row in SIGNALS.values())
