"""The faults as rows: what is wrong, in which scenes, what has to follow, and how soon.

The times are those that docs/limits.md promises for the tables of the bench's devices: a battery
that speaks once a second, an inverter and a meter that are asked ten times, relays twenty times.
"""

import math

from holdfast.core.commands import Command, Point
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices.profile import load_profile
from holdfast.safety.finding import RAMP_TO_ZERO_S
from holdfast.simulation.plant.damage import DamageKind
from holdfast.site.reaction_times import ReactionTimes, reaction_times
from holdfast.testing.faults import plant
from holdfast.testing.faults.bench import CYCLE_S
from holdfast.testing.faults.fault import Fault, FaultOutcome, Kind
from holdfast.testing.faults.injections import (
    Adds,
    At,
    ClockSet,
    Deaf,
    Delivers,
    Frozen,
    Happens,
    Hears,
    House,
    HouseTimes,
    Late,
    Loses,
    Off,
    Operator,
    Scaled,
    Silent,
    Sometimes,
    Speaks,
    Stamped,
    StandsStill,
    Stuck,
    ToldWrongly,
)
from holdfast.testing.faults.scenes import RUNNING, WHENEVER, SiteScene


def _times(table: str) -> ReactionTimes:
    return reaction_times(load_profile(table), CYCLE_S)


BMS, INVERTER, METER = (
    _times("pylontech_lv_can"),
    _times("generic_inverter"),
    _times("generic_meter"),
)
RELAYS, BUTTON = _times("precharge_relays"), _times("generic_emergency_input")
DOUBTED = 2
"""A value that cannot be true is believed in the second poll."""
RESPONSE_S, REVERT_S, BMS_LAG_S = 3.0, 5.0, 2.0
"""What a setpoint takes until the power follows, after which silence the inverter ends it by itself,
and how far a BMS is behind."""
IGNORED_S = 3 * (0.5 + INVERTER.period_s)
"""Three tries, each with a read-back behind it."""
MOVES_S = 5.0
"""For so long a contactor may take to follow."""
STOPPED_S = 3.0
"""An emergency input that was not heard for so long counts as opened."""
_UNSEEN_W = 240.0
"""The follow-up lets an inverter miss its setpoint by 5 % of its rated power."""
EXCHANGE_S = 1.0
"""What happens a second later, if it is that by which the fault shows."""


_BREAK = frozenset({DamageKind.CONTACTOR_BREAK})
_BOTH_V = (Signal.CELL_VOLTAGE_MIN_V, Signal.CELL_VOLTAGE_MAX_V)
_BOTH_C = (Signal.CELL_TEMPERATURE_MIN_C, Signal.CELL_TEMPERATURE_MAX_C)
_LEFT_BEHIND = (
    *(ToldWrongly(signal=signal, how=Stuck()) for signal in _BOTH_V),
    *(
        ToldWrongly(signal=signal, how=Scaled(per_s=-0.1))
        for signal in (Signal.PACK_VOLTAGE_V, Signal.DC_LINK_VOLTAGE_V)
    ),
)
_SWINGS = tuple((2.0 + 10.0 * n, HouseTimes(by=0.1 if n % 2 == 0 else 10.0)) for n in range(6))
"""The house draws much and little by turns."""

_K, _S, _O = Kind, Signal, FaultOutcome
_CHARGE, _DISCHARGE, _IDLE, _BOOT = (
    (SiteScene.CHARGE,),
    (SiteScene.DISCHARGE,),
    (SiteScene.IDLE,),
    (SiteScene.BOOT,),
)

# Why a time is what it is, or a reaction.
_SAMPLES = (
    "it counts in samples of the battery, which speaks once a second: one wild sample is none"
)
_BURST = "one burst that is lost is no fault; a pack may speak every two seconds"
_DOUBT = "one poll that cannot be true is left out, the second is believed"
_NUMBER = "the number is believable, and so it is taken for what it says"
_TAKEN_FOR_FROZEN = (
    "an inverter that stood at 0 W while the BMS told a current is taken for frozen afterwards, "
    "until the controller starts anew"
)
_LAST_WAY = "the contactor is all that is left, and breaks the current"

# fmt: off
FAULTS: tuple[Fault, ...] = (
    # What a device tells.
    Fault(kind=_K.SENSOR, name="battery voltage stuck while the current swings", begins=(ToldWrongly(signal=_S.PACK_VOLTAGE_V, how=Stuck()),), later=_SWINGS, scenes=RUNNING, outcome=_O.ZERO, within_s=60.0, finding="voltage_stuck", because="it must have moved in one of two windows of half a minute"),
    Fault(kind=_K.SENSOR, name="cell voltages stuck while the battery empties", begins=_LEFT_BEHIND, scenes=WHENEVER, outcome=_O.ZERO, within_s=30.0 + BMS.after(5) + RAMP_TO_ZERO_S, finding="pack_mismatch_high", because="falling by 0.1 V/s the sum is wrong by 3 V after 30 s; the BMS is their only witness, and protects them by itself"),
    Fault(kind=_K.SENSOR, name="cell voltage is not a number", begins=(ToldWrongly(signal=_S.CELL_VOLTAGE_MAX_V, how=At(value=math.nan)),), scenes=WHENEVER, outcome=_O.ZERO, within_s=BMS.after(DOUBTED), finding="bms_data_bad", because=_DOUBT),
    Fault(kind=_K.SENSOR, name="battery current infinite", begins=(ToldWrongly(signal=_S.BATTERY_CURRENT_A, how=At(value=math.inf)),), scenes=WHENEVER, outcome=_O.ZERO, within_s=BMS.after(DOUBTED), finding="bms_data_bad", because=_DOUBT),
    Fault(kind=_K.SENSOR, name="grid power infinite", begins=(ToldWrongly(signal=_S.GRID_POWER_W, how=At(value=-math.inf)),), scenes=WHENEVER, outcome=_O.ZERO, within_s=METER.after(DOUBTED), finding="meter_data_bad", because=_DOUBT),
    Fault(kind=_K.SENSOR, name="cell voltage 0 V", begins=(ToldWrongly(signal=_S.CELL_VOLTAGE_MIN_V, how=At(value=0.0)),), scenes=WHENEVER, outcome=_O.ZERO, within_s=BMS.after(DOUBTED), finding="bms_data_bad", because=_DOUBT),
    Fault(kind=_K.SENSOR, name="cell voltage 65.535 V (all bits set)", begins=(ToldWrongly(signal=_S.CELL_VOLTAGE_MAX_V, how=At(value=65.535)),), scenes=WHENEVER, outcome=_O.ZERO, within_s=BMS.after(DOUBTED), finding="bms_data_bad", because=_DOUBT),
    Fault(kind=_K.SENSOR, name="cell voltage in mV instead of V", begins=tuple(ToldWrongly(signal=signal, how=Scaled(by=1000.0)) for signal in _BOTH_V), scenes=WHENEVER, outcome=_O.ZERO, within_s=BMS.after(DOUBTED), finding="bms_data_bad", because=_DOUBT),
    Fault(kind=_K.SENSOR, name="battery voltage ten times too high", begins=(ToldWrongly(signal=_S.PACK_VOLTAGE_V, how=Scaled(by=10.0)),), scenes=WHENEVER, outcome=_O.ZERO, within_s=BMS.after(DOUBTED), finding="bms_data_bad"),
    Fault(kind=_K.SENSOR, name="cell temperature in °F", begins=tuple(ToldWrongly(signal=signal, how=Scaled(by=1.8, plus=32.0)) for signal in _BOTH_C), scenes=WHENEVER, outcome=_O.TRIPPED, within_s=BMS.after(2), finding="cell_temperature_high", because=_NUMBER),
    Fault(kind=_K.SENSOR, name="cell temperature ten times too high", begins=tuple(ToldWrongly(signal=signal, how=Scaled(by=10.0)) for signal in _BOTH_C), scenes=WHENEVER, outcome=_O.ZERO, within_s=BMS.after(DOUBTED), finding="bms_data_bad", because=_DOUBT),
    Fault(kind=_K.SENSOR, name="cell temperature ten times too low", begins=tuple(ToldWrongly(signal=signal, how=Scaled(by=0.1)) for signal in _BOTH_C), scenes=WHENEVER, outcome=_O.CHARGE_DERATED, within_s=BMS.after(1), finding="charge_temperature_low", because=_NUMBER),
    Fault(kind=_K.SENSOR, name="cell voltage beyond protection", begins=(ToldWrongly(signal=_S.CELL_VOLTAGE_MAX_V, how=At(value=3.7)),), scenes=WHENEVER, outcome=_O.TRIPPED, within_s=BMS.after(2), finding="cell_voltage_high", because=_SAMPLES),
    Fault(kind=_K.SENSOR, name="cell voltage far beyond protection", begins=(ToldWrongly(signal=_S.CELL_VOLTAGE_MAX_V, how=At(value=3.85)),), scenes=_CHARGE, outcome=_O.NO_CHARGE, within_s=BMS.after(1), finding="cell_voltage_high", lasts_s=0.9, because="one sample is enough for the power; the trip waits for the second"),
    Fault(kind=_K.SENSOR, name="cell voltage below protection", begins=(ToldWrongly(signal=_S.CELL_VOLTAGE_MIN_V, how=At(value=2.4)),), scenes=WHENEVER, outcome=_O.TRIPPED, within_s=BMS.after(2), finding="cell_voltage_low", because=_SAMPLES),
    Fault(kind=_K.SENSOR, name="cell voltage beyond protection in every second sample", begins=(ToldWrongly(signal=_S.CELL_VOLTAGE_MAX_V, how=Sometimes(how=At(value=3.7), n=2)),), scenes=RUNNING, outcome=_O.TRIPPED, within_s=BMS.after(4), finding="cell_voltage_high", because="2 of 3 samples, wherever they begin"),
    Fault(kind=_K.SENSOR, name="cell voltage beyond protection in every fifth sample (noise)", begins=(ToldWrongly(signal=_S.CELL_VOLTAGE_MAX_V, how=Sometimes(how=At(value=3.7), n=5)),), scenes=RUNNING, outcome=_O.RUNS, within_s=CYCLE_S, lasts_s=30.0),
    Fault(kind=_K.SENSOR, name="voltage behind the contactor drifts away from the battery's", begins=(ToldWrongly(signal=_S.DC_LINK_VOLTAGE_V, how=Scaled(per_s=0.1)),), scenes=RUNNING, outcome=_O.DERATED, within_s=29.2 + BMS.after(5), finding="link_mismatch_high", because="drifting by 0.1 V/s it is beyond 2.92 V after 29 s"),
    Fault(kind=_K.SENSOR, name="sum of the cells is not the battery's voltage", begins=(ToldWrongly(signal=_S.PACK_VOLTAGE_V, how=Scaled(plus=-5.0)),), scenes=WHENEVER, outcome=_O.ZERO, within_s=BMS.after(5) + RAMP_TO_ZERO_S, finding="pack_mismatch_high", because=_SAMPLES),
    Fault(kind=_K.SENSOR, name="lowest cell above the highest (moved register map)", begins=(ToldWrongly(signal=_S.CELL_VOLTAGE_MIN_V, how=Scaled(plus=0.15)),), scenes=WHENEVER, outcome=_O.ZERO, within_s=BMS.after(3) + RAMP_TO_ZERO_S, finding="cell_voltages_swapped", because=_SAMPLES),
    Fault(kind=_K.SENSOR, name="battery current with the wrong sign", begins=(ToldWrongly(signal=_S.BATTERY_CURRENT_A, how=Scaled(by=-1.0)),), scenes=RUNNING, outcome=_O.TRIPPED, within_s=BMS.after(3), finding="bms_wrong_sign", because="whether the sensor or the power is wrong way round nobody can tell"),
    Fault(kind=_K.SENSOR, name="inverter's power with the wrong sign", begins=(ToldWrongly(signal=_S.BATTERY_POWER_W, how=Scaled(by=-1.0)),), scenes=RUNNING, outcome=_O.TRIPPED, within_s=INVERTER.after(3), finding="inverter_wrong_sign", because="whether the sensor or the power is wrong way round nobody can tell"),
    Fault(kind=_K.SENSOR, name="grid meter the wrong way round, from the start", begins=(ToldWrongly(signal=_S.GRID_POWER_W, how=Scaled(by=-1.0)), Operator(command=Command.START)), scenes=_IDLE, outcome=_O.ZERO, within_s=7.2, finding="meter_sign_wrong", because="the start takes 2 s, the ramp that shows it 2.5 s at 2000 W/s, and a loop that answers to itself is calmed meanwhile"),
    Fault(kind=_K.SENSOR, name="state of charge jumps by 6 %", begins=(ToldWrongly(signal=_S.SOC_PCT, how=Scaled(plus=-6.0)),), scenes=RUNNING, outcome=_O.DERATED, within_s=16.0, finding="soc_jump", because="half of its window of 30 s must have seen it"),
    Fault(kind=_K.SENSOR, name="full, and the BMS permits charging", begins=(ToldWrongly(signal=_S.SOC_PCT, how=At(value=100.0)),), scenes=WHENEVER, outcome=_O.NO_CHARGE, within_s=BMS.after(1), finding="soc_high"),
    Fault(kind=_K.SENSOR, name="empty, and the BMS permits discharging", begins=(ToldWrongly(signal=_S.SOC_PCT, how=At(value=0.0)),), scenes=WHENEVER, outcome=_O.NO_DISCHARGE, within_s=BMS.after(1), finding="soc_low"),
    Fault(kind=_K.SENSOR, name="cell below 0 °C", begins=(ToldWrongly(signal=_S.CELL_TEMPERATURE_MIN_C, how=At(value=-1.0)),), scenes=WHENEVER, outcome=_O.NO_CHARGE, within_s=BMS.after(2), finding="charge_temperature_low"),
    Fault(kind=_K.SENSOR, name="hot cell", begins=(ToldWrongly(signal=_S.CELL_TEMPERATURE_MAX_C, how=At(value=57.0)),), scenes=WHENEVER, outcome=_O.ZERO, within_s=BMS.after(2) + RAMP_TO_ZERO_S, finding="cell_temperature_high", because=_SAMPLES),
    Fault(kind=_K.SENSOR, name="cell too hot", begins=(ToldWrongly(signal=_S.CELL_TEMPERATURE_MAX_C, how=At(value=61.0)),), scenes=WHENEVER, outcome=_O.TRIPPED, within_s=BMS.after(2), finding="cell_temperature_high", because=_SAMPLES),
    Fault(kind=_K.SENSOR, name="cell heats by 2 K/min", begins=(ToldWrongly(signal=_S.CELL_TEMPERATURE_MAX_C, how=Scaled(per_s=2.0 / 60.0)),), scenes=_CHARGE, outcome=_O.ZERO, within_s=80.0, finding="cell_heating", because="sensors have steps of 1 K: a slope needs a window of two minutes, filled by 60 %"),
    Fault(kind=_K.SENSOR, name="cell heats by 4 K/min", begins=(ToldWrongly(signal=_S.CELL_TEMPERATURE_MAX_C, how=Scaled(per_s=4.0 / 60.0)),), scenes=_DISCHARGE, outcome=_O.TRIPPED, within_s=80.0, finding="cell_heating", because="as above"),
    Fault(kind=_K.SENSOR, name="cells far apart in voltage", begins=(ToldWrongly(signal=_S.CELL_VOLTAGE_MIN_V, how=Scaled(plus=-0.2)), ToldWrongly(signal=_S.CELL_VOLTAGE_MAX_V, how=Scaled(plus=0.12))), scenes=WHENEVER, outcome=_O.DERATED, within_s=BMS.after(3), finding="cell_imbalance_high", because=_SAMPLES),
    Fault(kind=_K.SENSOR, name="cells far apart in temperature", begins=(ToldWrongly(signal=_S.CELL_TEMPERATURE_MAX_C, how=Scaled(plus=17.0)),), scenes=WHENEVER, outcome=_O.DERATED, within_s=BMS.after(3), finding="cell_temperature_spread", because=_SAMPLES),
    Fault(kind=_K.SENSOR, name="insulation low", begins=(ToldWrongly(signal=_S.INSULATION_KOHM, how=At(value=600.0)),), scenes=WHENEVER, outcome=_O.ZERO, within_s=BMS.after(4) + RAMP_TO_ZERO_S, finding="insulation_low", because=_SAMPLES),
    Fault(kind=_K.SENSOR, name="insulation failed", begins=(ToldWrongly(signal=_S.INSULATION_KOHM, how=At(value=400.0)),), scenes=WHENEVER, outcome=_O.TRIPPED, within_s=BMS.after(4), finding="insulation_low", because=_SAMPLES),
    Fault(kind=_K.SENSOR, name="battery current is not told any more", begins=(ToldWrongly(signal=_S.BATTERY_CURRENT_A, how=Off()),), scenes=WHENEVER, outcome=_O.ZERO, within_s=BMS.lost_s, finding="bms_data_lost", because=_BURST),
    Fault(kind=_K.SENSOR, name="cell voltages are not told any more", begins=tuple(ToldWrongly(signal=signal, how=Off()) for signal in _BOTH_V), scenes=WHENEVER, outcome=_O.ZERO, within_s=BMS.lost_s, finding="bms_data_lost", because=_BURST),
    Fault(kind=_K.SENSOR, name="what the BMS tells has a time in the past", begins=(Stamped(role=Role.BMS, ahead_s=-30.0),), scenes=WHENEVER, outcome=_O.ZERO, within_s=BMS.lost_s, finding="bms_data_lost", because="it is left out, and what came before ages"),
    Fault(kind=_K.SENSOR, name="what the inverter tells has a time in the future", begins=(Stamped(role=Role.INVERTER, ahead_s=1.0),), scenes=WHENEVER, outcome=_O.ZERO, within_s=INVERTER.after(1), finding="inverter_data_bad"),
    # On the wire.
    Fault(kind=_K.WIRE, name="BMS silent: half", begins=(Silent(role=Role.BMS),), scenes=WHENEVER, outcome=_O.DERATED, within_s=BMS.old_s, finding="bms_data_old", because=_BURST),
    Fault(kind=_K.WIRE, name="BMS silent", begins=(Silent(role=Role.BMS),), scenes=WHENEVER, outcome=_O.ZERO, within_s=BMS.lost_s, finding="bms_data_lost", because=_BURST),
    Fault(kind=_K.WIRE, name="inverter silent: half", begins=(Silent(role=Role.INVERTER),), scenes=WHENEVER, outcome=_O.DERATED, within_s=INVERTER.old_s, finding="inverter_data_old"),
    Fault(kind=_K.WIRE, name="inverter silent", begins=(Silent(role=Role.INVERTER),), scenes=WHENEVER, outcome=_O.ZERO, within_s=INVERTER.lost_s, finding="inverter_data_lost", lasts_s=REVERT_S, ends=lambda bench: bench.plant.battery_power_w == 0.0, because="what does not reach it any more its own timer does"),
    Fault(kind=_K.WIRE, name="meter silent", begins=(Silent(role=Role.METER),), scenes=WHENEVER, outcome=_O.ZERO, within_s=METER.lost_s, finding="meter_data_lost"),
    Fault(kind=_K.WIRE, name="relay board silent", begins=(Silent(role=Role.RELAYS),), scenes=WHENEVER, outcome=_O.ZERO, within_s=RELAYS.lost_s, finding="relays_data_lost"),
    Fault(kind=_K.WIRE, name="emergency input silent", begins=(Silent(role=Role.EMERGENCY_INPUT),), scenes=WHENEVER, outcome=_O.ZERO, within_s=BUTTON.lost_s, finding="emergency_input_data_lost", lasts_s=1.0),
    Fault(kind=_K.WIRE, name="emergency input silent for long", begins=(Silent(role=Role.EMERGENCY_INPUT),), scenes=WHENEVER, outcome=_O.STOPPED, within_s=STOPPED_S + BUTTON.after(1)),
    Fault(kind=_K.WIRE, name="inverter and BMS silent, as behind one gateway", begins=(Silent(role=Role.INVERTER), Silent(role=Role.BMS)), scenes=RUNNING, outcome=_O.TRIPPED, within_s=REVERT_S + INVERTER.after(1), finding="power_unseen", because="nobody sees whether power flows; before, the inverter's own timer has its time"),
    Fault(kind=_K.WIRE, name="one of twenty requests to the inverter refused", begins=(Loses(role=Role.INVERTER, every=20),), scenes=RUNNING, outcome=_O.GOES_ON, within_s=CYCLE_S, lasts_s=20.0),
    Fault(kind=_K.WIRE, name="every third request to the inverter without an answer", begins=(Loses(role=Role.INVERTER, every=3),), scenes=RUNNING, outcome=_O.GOES_ON, within_s=CYCLE_S, lasts_s=20.0),
    Fault(kind=_K.WIRE, name="a command that is lost on its way", begins=(Deaf(point=Point.SETPOINT_W), HouseTimes(by=0.5)), later=((0.5, Hears(point=Point.SETPOINT_W)),), scenes=RUNNING, outcome=_O.GOES_ON, within_s=1.0, ends=lambda bench: abs(bench.plant.battery_power_w + bench.house_w) < 100.0, because="the read-back shows it, and it is written again"),
    Fault(kind=_K.WIRE, name="BMS repeats its last set while the power grows", begins=(Frozen(role=Role.BMS),), later=((EXCHANGE_S, HouseTimes(by=1.4)),), scenes=RUNNING, outcome=_O.ZERO, within_s=EXCHANGE_S + 10.0 + 2 * BMS.period_s + RAMP_TO_ZERO_S, finding="bms_data_frozen", because="a gateway may ask its BMS every five seconds"),
    Fault(kind=_K.WIRE, name="BMS repeats its last set while the power falls", begins=(Frozen(role=Role.BMS),), later=((EXCHANGE_S, HouseTimes(by=0.3)),), scenes=RUNNING, outcome=_O.TRIPPED, within_s=EXCHANGE_S + RESPONSE_S + BMS_LAG_S + BMS.after(3), finding="bms_over_delivery", because="it shows more than was asked for, and it may be true"),
    Fault(kind=_K.WIRE, name="meter repeats its last value", begins=(Frozen(role=Role.METER),), later=((EXCHANGE_S, HouseTimes(by=1.4)),), scenes=RUNNING, outcome=_O.ZERO, within_s=35.0, finding="meter_data_frozen", because="the batteries keep their power, so only the grid's stillness tells"),
    Fault(kind=_K.WIRE, name="inverter repeats its last values", begins=(Frozen(role=Role.INVERTER),), later=((EXCHANGE_S, HouseTimes(by=0.5)),), scenes=RUNNING, outcome=_O.TRIPPED, within_s=EXCHANGE_S + IGNORED_S, finding="inverter_setpoint_ignored", because="its read-back does not follow"),
    Fault(kind=_K.WIRE, name="BMS starts anew", begins=(Silent(role=Role.BMS),), later=((6.0, Speaks(role=Role.BMS)),), scenes=RUNNING, outcome=_O.ZERO, within_s=BMS.lost_s, finding="bms_data_lost", lasts_s=30.0, because="it must be stable for 30 s"),
    Fault(kind=_K.WIRE, name="inverter has never answered", begins=(Silent(role=Role.INVERTER),), scenes=_BOOT, outcome=_O.STAYS_IN_BOOT, within_s=CYCLE_S, finding="inverter_data_missing", lasts_s=10.0),
    Fault(kind=_K.WIRE, name="BMS has never spoken", begins=(Silent(role=Role.BMS),), scenes=_BOOT, outcome=_O.STAYS_IN_BOOT, within_s=CYCLE_S, finding="bms_data_missing", lasts_s=10.0),
    # What a device does.
    Fault(kind=_K.DEVICE, name="inverter acknowledges and does not store", begins=(Deaf(point=Point.SETPOINT_W), HouseTimes(by=0.5)), scenes=RUNNING, outcome=_O.TRIPPED, within_s=IGNORED_S, finding="inverter_setpoint_ignored"),
    Fault(kind=_K.DEVICE, name="inverter stores a command 5 s later", begins=(Late(point=Point.SETPOINT_W, s=5.0), HouseTimes(by=0.5)), scenes=RUNNING, outcome=_O.TRIPPED, within_s=IGNORED_S, finding="inverter_setpoint_ignored", because="one that is known to be slow has `settle_s` in its table", recovers_s=620.0),
    Fault(kind=_K.DEVICE, name="inverter stores a command 0.3 s later", begins=(Late(point=Point.SETPOINT_W, s=0.3), HouseTimes(by=0.5)), scenes=RUNNING, outcome=_O.GOES_ON, within_s=1.0),
    Fault(kind=_K.DEVICE, name="power flows the wrong way", begins=(Delivers(by=-1.0),), scenes=RUNNING, outcome=_O.TRIPPED, within_s=INVERTER.after(3), finding="inverter_wrong_sign"),
    Fault(kind=_K.DEVICE, name="inverter gives a tenth more than asked", begins=(Delivers(by=1.1),), scenes=RUNNING, outcome=_O.TRIPPED, within_s=INVERTER.after(5), finding="inverter_over_delivery", because="beyond 5 % of the rated power, which small inverters measure no better, and asked for less meanwhile"),
    Fault(kind=_K.DEVICE, name="inverter gives half of what was asked", begins=(Delivers(by=0.5),), scenes=RUNNING, outcome=_O.TOLD, within_s=INVERTER.after(3), finding="inverter_under_delivery", because="BMS or inverter may have its reasons; too little harms no battery"),
    Fault(kind=_K.DEVICE, name="inverter keeps its power at 0 W", begins=(Happens(what=plant.keeps_its_power, repair=plant.obeys_again),), later=((EXCHANGE_S, House(power_w=0.0)),), scenes=RUNNING, outcome=_O.TRIPPED, within_s=EXCHANGE_S + RESPONSE_S + INVERTER.after(3) + METER.after(1), finding="inverter_over_delivery", costs=_BREAK, because=_LAST_WAY),
    Fault(kind=_K.DEVICE, name="inverter silent, and keeps its power", begins=(Happens(what=plant.keeps_its_power, repair=plant.obeys_again), Silent(role=Role.INVERTER)), scenes=RUNNING, outcome=_O.TRIPPED, within_s=INVERTER.lost_s + REVERT_S + RESPONSE_S + BMS_LAG_S + BMS.after(3), finding="bms_over_delivery", costs=_BREAK, because="before, its own timer has its time, and the BMS is two seconds behind"),
    Fault(kind=_K.DEVICE, name="inverter starts anew", begins=(Happens(what=plant.starts_anew), Silent(role=Role.INVERTER)), later=((4.0, Speaks(role=Role.INVERTER)),), scenes=RUNNING, outcome=_O.ZERO, within_s=INVERTER.lost_s, finding="inverter_data_lost", lasts_s=0.9, because="it is back for a second before the ramp begins; how it comes back to the grid is its own duty"),
    Fault(kind=_K.DEVICE, name="inverter forgets what it was told", begins=(Happens(what=plant.starts_anew),), scenes=RUNNING, outcome=_O.TOLD, within_s=INVERTER.after(2), finding="inverter_setpoint_overwritten", lasts_s=3.0, ends=plant.timer_is_armed, because="it is told again, timer included; the third time trips, for that is another master"),
    Fault(kind=_K.DEVICE, name="inverter tells a fault", begins=(ToldWrongly(signal=_S.INVERTER_FAULT, how=At(value=1.0)),), scenes=WHENEVER, outcome=_O.ZERO, within_s=INVERTER.after(1) + RAMP_TO_ZERO_S, finding="inverter_fault"),
    Fault(kind=_K.DEVICE, name="contactor welded", begins=(Happens(what=plant.welds, repair=plant.gets_a_new_contactor), Operator(command=Command.STOP)), scenes=RUNNING, outcome=_O.TRIPPED, within_s=MOVES_S + 0.5 + RELAYS.after(1), finding="relays_contactor_stuck", because="at 0 W with the inverter off a contact may take its time"),
    Fault(kind=_K.DEVICE, name="contactor welded, and shows open", begins=(Happens(what=plant.welds_unseen, repair=plant.gets_a_new_contactor), Operator(command=Command.STOP)), scenes=RUNNING, outcome=_O.TRIPPED, within_s=10.0 + 1.0 + RELAYS.after(2), finding="relays_contactor_welded", because="a link that has not fallen in 10 s is what shows it"),
    Fault(kind=_K.DEVICE, name="contactor falls out under load", begins=(Happens(what=plant.falls_out, repair=plant.gets_a_new_contactor),), scenes=RUNNING, outcome=_O.TRIPPED, within_s=RELAYS.after(2) + CYCLE_S, finding="relays_contactor_dropped", because="two samples that show it; so shows what takes the coil's supply away"),
    Fault(kind=_K.DEVICE, name="contactor does not close", begins=(Happens(what=plant.does_not_close, repair=plant.gets_a_new_contactor), Operator(command=Command.START)), scenes=_IDLE, outcome=_O.TRIPPED, within_s=1.5 + MOVES_S + RELAYS.after(1), finding="relays_contactor_stuck", because="it is told to close after the precharge"),
    Fault(kind=_K.DEVICE, name="precharge never completes", begins=(Happens(what=plant.resistor_burns, repair=plant.gets_a_new_resistor), Operator(command=Command.START)), scenes=_IDLE, outcome=_O.TRIPPED, within_s=2 * (2.0 + 3.0) + 2.0 + RELAYS.after(4), finding="relays_precharge_failed", because="three tries of 2 s, 3 s apart"),
    Fault(kind=_K.DEVICE, name="current through an open contactor", begins=(ToldWrongly(signal=_S.BATTERY_CURRENT_A, how=At(value=-30.0)),), scenes=_IDLE, outcome=_O.TRIPPED, within_s=BMS.after(2) + CYCLE_S, finding="relays_contactor_welded", because=_SAMPLES, recovers_s=None, lasting=_TAKEN_FOR_FROZEN),
    Fault(kind=_K.DEVICE, name="emergency loop opened", begins=(Happens(what=plant.loop_opens, repair=plant.loop_closes),), scenes=WHENEVER, outcome=_O.STOPPED, within_s=BUTTON.after(1)),
    Fault(kind=_K.DEVICE, name="BMS permits no charge current", begins=(ToldWrongly(signal=_S.CHARGE_CURRENT_LIMIT_A, how=At(value=0.0)),), scenes=WHENEVER, outcome=_O.NO_CHARGE, within_s=BMS.after(1)),
    Fault(kind=_K.DEVICE, name="BMS permits no discharge current", begins=(ToldWrongly(signal=_S.DISCHARGE_CURRENT_LIMIT_A, how=At(value=0.0)),), scenes=WHENEVER, outcome=_O.NO_DISCHARGE, within_s=BMS.after(1)),
    Fault(kind=_K.DEVICE, name="BMS takes the permission to charge away", begins=(ToldWrongly(signal=_S.CHARGE_ALLOWED, how=At(value=0.0)),), scenes=WHENEVER, outcome=_O.NO_CHARGE, within_s=BMS.after(1), finding="bms_forbids_charge"),
    Fault(kind=_K.DEVICE, name="BMS tells that it protects itself", begins=(ToldWrongly(signal=_S.BMS_PROTECTION, how=At(value=1.0)),), scenes=WHENEVER, outcome=_O.ZERO, within_s=BMS.after(1) + RAMP_TO_ZERO_S, finding="bms_protection"),
    Fault(kind=_K.DEVICE, name="battery opens its own contactor", begins=(Happens(what=plant.opens_the_pack, repair=plant.closes_the_pack),), scenes=RUNNING, outcome=_O.ZERO, within_s=BMS.after(1) + RAMP_TO_ZERO_S, finding="bms_protection"),
    Fault(kind=_K.DEVICE, name="grid voltage beyond its bounds", begins=(Happens(what=plant.grid_at(voltage_v=275.0), repair=plant.grid_at()),), scenes=WHENEVER, outcome=_O.ZERO, within_s=METER.after(3) + RAMP_TO_ZERO_S, finding="grid_voltage_high", because="the inverter's own protection is the first; what it does must not wait for it"),
    Fault(kind=_K.DEVICE, name="grid frequency beyond its bounds", begins=(Happens(what=plant.grid_at(frequency_hz=47.0), repair=plant.grid_at()),), scenes=WHENEVER, outcome=_O.ZERO, within_s=METER.after(3) + RAMP_TO_ZERO_S, finding="grid_frequency_low"),
    Fault(kind=_K.DEVICE, name="grid voltage high, and inside its bounds", begins=(Happens(what=plant.grid_at(voltage_v=257.0), repair=plant.grid_at()),), scenes=WHENEVER, outcome=_O.TOLD, within_s=METER.after(3), lasts_s=20.0, finding="grid_voltage_high", because="who leaves the grid here makes it worse"),
    # What happens to the computer, as far as the cycle sees it.
    Fault(kind=_K.COMPUTER, name="wall clock set an hour ahead", begins=(ClockSet(ahead_s=3600.0),), scenes=WHENEVER, outcome=_O.GOES_ON, within_s=CYCLE_S, lasts_s=10.0),
    Fault(kind=_K.COMPUTER, name="wall clock set an hour back", begins=(ClockSet(ahead_s=-3600.0),), scenes=WHENEVER, outcome=_O.GOES_ON, within_s=CYCLE_S, lasts_s=10.0),
    Fault(kind=_K.COMPUTER, name="computer stands still for 10 s", begins=(StandsStill(for_s=10.0),), scenes=RUNNING, outcome=_O.TRIPPED, within_s=10.0 + CYCLE_S, finding="cycle_gap", because="meanwhile the inverter's own timer has ended the power"),
    Fault(kind=_K.COMPUTER, name="emergency stop by command", begins=(Operator(command=Command.EMERGENCY_STOP),), scenes=WHENEVER, outcome=_O.STOPPED, within_s=2 * CYCLE_S),
    # What the battery cannot bear, with one that does not protect itself.
    Fault(kind=_K.BATTERY, name="one cell is full, and the inverter charges on a little", begins=(Happens(what=plant.one_cell_away(200.0), repair=plant.one_cell_is_as_the_others), Adds(power_w=_UNSEEN_W)), scenes=_CHARGE, outcome=_O.TRIPPED, within_s=400.0, finding="cell_voltage_high", because="so little is within what inverters miss their setpoint by; at the cell's limit the contactor opens"),
    Fault(kind=_K.BATTERY, name="one cell is empty, and the inverter discharges on a little", begins=(Happens(what=plant.one_cell_away(200.0), repair=plant.one_cell_is_as_the_others), Adds(power_w=-_UNSEEN_W)), scenes=_DISCHARGE, outcome=_O.TRIPPED, within_s=400.0, finding="cell_voltage_low", because="as above"),
    Fault(kind=_K.BATTERY, name="one cell is nearly full", begins=(Happens(what=plant.one_cell_away(1000.0), repair=plant.one_cell_is_as_the_others),), scenes=_CHARGE, outcome=_O.CHARGE_DERATED, within_s=30.0, lasts_s=60.0),
    Fault(kind=_K.BATTERY, name="one cell is nearly empty", begins=(Happens(what=plant.one_cell_away(1000.0), repair=plant.one_cell_is_as_the_others),), scenes=_DISCHARGE, outcome=_O.DISCHARGE_DERATED, within_s=30.0, lasts_s=60.0),
    Fault(kind=_K.BATTERY, name="frost", begins=(Happens(what=plant.frost, repair=plant.thaw),), scenes=_CHARGE, outcome=_O.NO_CHARGE, within_s=BMS.after(2), finding="charge_temperature_low", lasts_s=40.0, recovers_s=None, lasting="cells thaw slowly"),
    Fault(kind=_K.BATTERY, name="one cell nearly full, BMS silent", begins=(Happens(what=plant.one_cell_away(600.0), repair=plant.one_cell_is_as_the_others), Silent(role=Role.BMS)), scenes=_CHARGE, outcome=_O.ZERO, within_s=BMS.lost_s, finding="bms_data_lost", lasts_s=15.0),
    Fault(kind=_K.BATTERY, name="one cell nearly full, BMS hangs, and the inverter keeps its power", begins=(Happens(what=plant.one_cell_away(900.0), repair=plant.one_cell_is_as_the_others), Frozen(role=Role.BMS), Happens(what=plant.keeps_its_power, repair=plant.obeys_again)), later=((EXCHANGE_S, House(power_w=0.0)),), scenes=_CHARGE, outcome=_O.TRIPPED, within_s=EXCHANGE_S + RESPONSE_S + INVERTER.after(3) + METER.after(1), finding="inverter_over_delivery", lasts_s=15.0, costs=_BREAK, because=_LAST_WAY, recovers_s=None, lasting=_TAKEN_FOR_FROZEN),
    Fault(kind=_K.BATTERY, name="one cell nearly full, inverter and BMS silent, and the power goes on", begins=(Happens(what=plant.one_cell_away(1000.0), repair=plant.one_cell_is_as_the_others), Happens(what=plant.keeps_its_power, repair=plant.obeys_again), Silent(role=Role.INVERTER), Silent(role=Role.BMS)), scenes=_CHARGE, outcome=_O.TRIPPED, within_s=REVERT_S + INVERTER.after(1), finding="power_unseen", lasts_s=15.0, costs=_BREAK, because=_LAST_WAY),
)
# fmt: on
assert len({fault.name for fault in FAULTS}) == len(FAULTS), "a fault stands twice"
