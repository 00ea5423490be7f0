"""Devices as they are met in the field: from what they send to what is permitted."""

import struct

import pytest

from holdfast.core.data_store import DataStore, Told, freeze
from holdfast.core.reading import Bad, Good
from holdfast.core.role import Role
from holdfast.core.signals import SIGNALS, SITE, Signal
from holdfast.core.units import NS_PER_S
from holdfast.devices.drivers.can_burst import BurstCollector
from holdfast.devices.profile import load_profile, parse_profile
from holdfast.safety.assessment import Assessor, SafetyMemory
from holdfast.safety.derived import derive
from holdfast.safety.finding import Reaction
from holdfast.site.devices import expected_signals
from tests.builders import (
    HEALTHY_SITE,
    HEALTHY_UNIT,
    T0,
    UNIT,
    build_site,
    device,
    put,
    unit_content,
)

SIXTEEN_CELLS = build_site(unit_content(bms=device("pylontech_lv_can")))
OF_OTHERS = {
    signal: value
    for signal, value in {**HEALTHY_SITE, **HEALTHY_UNIT}.items()
    if SIGNALS[signal].producer is not Role.BMS
} | {Signal.INVERTER_ENABLED: 1.0, Signal.CONTACTOR_CLOSED: 1.0, Signal.DC_LINK_VOLTAGE_V: 52.8}
ALL_ALLOWED = (0x35C, b"\xc0\x00")
NO_ALARM = bytes(7)
NONE_ARRIVED = b"\xaa" * 8
"""Of each pair 10: the alarm is gone."""
TEMPERATURES = (Signal.CELL_TEMPERATURE_MIN_C, Signal.CELL_TEMPERATURE_MAX_C)


def limits(cvl_v=56.0, ccl_a=150.0, dcl_a=150.0):
    return 0x351, struct.pack("<Hhh", round(cvl_v * 10), round(ccl_a * 10), round(dcl_a * 10))


def charge(soc=60, soh=99):
    return 0x355, struct.pack("<HH", soc, soh)


def measured(raw_v=5280, raw_c=210):
    return 0x356, struct.pack("<hhh", raw_v, 0, raw_c)


class Heard:
    """A pack's bursts on their way through table, collector, store and assessment."""

    def __init__(self):
        self.collector = BurstCollector(load_profile("pylontech_lv_can"))
        self.store = DataStore(SIXTEEN_CELLS.unit_names)
        self.assessor = Assessor(SIXTEEN_CELLS, expected_signals(SIXTEEN_CELLS))
        self.memory, self.now_ns = SafetyMemory(), T0

    def hears(self, *frames, seconds=25):
        """One burst a second, long enough for limits that rise slowly."""
        changed = {id_ for id_, _ in frames}
        normal = [frame for frame in (limits(), charge(), measured()) if frame[0] not in changed]
        for _ in range(seconds):
            self.now_ns += NS_PER_S
            for id_, data in (*normal, *frames):
                self.collector.add(id_, data, self.now_ns)
            burst = self.collector.take()
            told = [
                Told(signal=signal, value=value, time_ns=burst.time_ns)
                for signal, value in burst.values.items()
            ]
            self.store.put_poll({Role.BMS: UNIT}, told)
            for signal, value in OF_OTHERS.items():
                owner = SITE if SIGNALS[signal].of_site else UNIT
                put(self.store, owner, signal, value, self.now_ns)
            snapshot = derive(SIXTEEN_CELLS, freeze(self.store.image(), self.now_ns))
            self.judged, self.memory = self.assessor.assess(snapshot, self.memory, ())
            self.snapshot = snapshot
        return self

    @property
    def permitted(self):
        """Whole watts that it may charge and discharge with."""
        envelope = self.judged.envelopes[UNIT]
        for block in self.judged.blocks_of(UNIT):
            if block.action in {"charge", "discharge", "power"}:
                envelope = block.narrow(envelope, islanded=False)
        return round(envelope.max_w), -round(envelope.min_w)

    @property
    def found(self):
        return {finding.row: finding.reaction for finding in self.judged.findings}

    @property
    def may_start(self):
        """But for the contactor, which is closed here."""
        return all("contactor_open" in reason for reason in self.judged.not_ready)

    def value(self, signal):
        reading = self.snapshot.read(UNIT, signal)
        return reading.value if isinstance(reading, Good) else reading


@pytest.fixture
def pack():
    return Heard()


def test_a_pack_that_says_nothing_unusual_gets_all_that_the_site_permits(pack):
    pack.hears((0x359, NO_ALARM), ALL_ALLOWED)
    assert (pack.permitted, pack.found, pack.may_start) == ((5000, 5000), {}, True)


# Alarms in 0x35A, where newer packs have them. --------------------------------------------------


def arrived(byte, bit, rest=NONE_ARRIVED):
    """The alarm of this pair has arrived: 01."""
    data = bytearray(rest)
    data[byte] = data[byte] & ~(3 << bit) | 1 << bit
    return 0x35A, bytes(data)


@pytest.mark.parametrize("gone", [NONE_ARRIVED, bytes(8), b"\xff" * 8])
def test_alarms_that_are_gone_or_that_a_pack_does_not_have_take_nothing_away(pack, gone):
    pack.hears((0x35A, gone))
    assert (pack.permitted, pack.found, pack.may_start) == ((5000, 5000), {}, True)


def test_a_protection_that_arrives_in_0x35a_alone_takes_the_power_to_zero(pack):
    pack.hears((0x35A, NONE_ARRIVED))
    pack.hears(arrived(0, 2), seconds=2)  # high voltage
    assert pack.found == {"bms_protection": Reaction.RAMP_TO_ZERO}
    assert (pack.permitted, pack.may_start) == ((0, 0), False)
    pack.hears((0x35A, NONE_ARRIVED))
    assert pack.permitted[0] > 0


def test_a_warning_that_arrives_in_0x35a_is_logged(pack):
    pack.hears(arrived(4, 2))
    assert (pack.permitted, pack.found) == ((5000, 5000), {"bms_alarm": Reaction.LOG})


@pytest.mark.parametrize("told", ["0x359", "0x35A"])
def test_of_two_frames_that_tell_a_protection_either_takes_the_power_to_zero(pack, told):
    both = {0x359: NO_ALARM, 0x35A: NONE_ARRIVED}
    pack.hears(*both.items())
    assert pack.permitted == (5000, 5000)
    both |= dict([(0x359, b"\x02" + bytes(6)) if told == "0x359" else arrived(0, 2)])
    for frames in (both, dict(reversed(both.items()))):
        pack.hears(*frames.items(), seconds=2)
        assert pack.permitted == (0, 0)


def test_a_frame_that_does_not_come_any_more_is_no_all_clear(pack):
    pack.hears((0x359, NO_ALARM), (0x35A, NONE_ARRIVED))
    pack.hears((0x359, NO_ALARM), seconds=8)
    assert pack.found == {"bms_data_lost": Reaction.RAMP_TO_ZERO}
    assert pack.permitted == (0, 0)


# Limits. ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cvl_v", "ccl_a"), [(0.1, 0.1), (0.0, 0.0), (0.1, 150.0), (0.0, 150.0)])
@pytest.mark.parametrize("permissions", [(), ((0x35C, b"\x40\x00"),)])
def test_a_pack_that_prevents_charging_is_discharged_as_told(pack, cvl_v, ccl_a, permissions):
    """A full battery was of no use: a limit of 0.1 V was taken for a mistake."""
    pack.hears(limits(cvl_v, ccl_a), *permissions)
    assert pack.permitted == (0, 5000)
    assert set(pack.found) <= {"bms_forbids_charge"}


@pytest.mark.parametrize("dcl_a", [10.0, -10.0])
def test_a_discharge_limit_is_a_magnitude_whatever_its_sign(pack, dcl_a):
    pack.hears(limits(dcl_a=dcl_a))
    assert pack.permitted == (5000, round(10.0 * 52.8 * 0.96))
    assert (pack.found, pack.may_start) == ({}, True)


@pytest.mark.parametrize("ccl_a", [-10.0, -3276.8])
def test_a_negative_charge_limit_is_a_mistake(pack, ccl_a):
    pack.hears(limits(ccl_a=ccl_a))
    assert (pack.permitted, pack.may_start) == ((0, 0), False)


@pytest.mark.parametrize("forbids", [(), ((0x35C, b"\x40\x00"),)])
def test_a_charge_limit_that_drops_to_nothing_at_the_top_stops_charging_at_once(pack, forbids):
    pack.hears(limits(ccl_a=56.0))
    assert pack.permitted[0] > 2000
    pack.hears(limits(ccl_a=0.0), *forbids, seconds=1)
    assert pack.permitted == (0, 5000)
    assert set(pack.found) <= {"bms_forbids_charge"}


def test_a_charge_limit_that_jumps_never_lets_more_through_than_it_says(pack):
    """A Dyness pack at the top of its charge: 56 A, 0 A, 56 A."""
    pack.hears(limits(ccl_a=56.0))
    for _ in range(5):
        for ccl_a in (0.0, 56.0):
            pack.hears(limits(ccl_a=ccl_a), seconds=1)
            assert pack.permitted[0] <= ccl_a * 52.8
            assert pack.permitted[1] == 5000
    assert pack.found == {}


# What is not available. -------------------------------------------------------------------------


def test_a_pack_that_does_not_know_its_health_starts_all_the_same(pack):
    pack.hears(charge(soh=0xFFFF))
    assert (pack.permitted, pack.found, pack.may_start) == ((5000, 5000), {}, True)
    assert isinstance(pack.value(Signal.SOH_PCT), Bad)


def test_a_pack_that_forgets_its_health_while_it_runs_goes_on(pack):
    pack.hears()
    for _ in range(8):
        pack.hears(charge(soh=0xFFFF), seconds=1)
        assert (pack.permitted, pack.found) == ((5000, 5000), {})
    assert isinstance(pack.value(Signal.SOH_PCT), Bad)


@pytest.mark.parametrize(
    "frame", [charge(soc=0xFFFF), measured(raw_v=-0x8000), measured(raw_c=-0x8000)]
)
def test_what_safety_rests_on_has_to_be_available(pack, frame):
    pack.hears(frame)
    assert (pack.permitted, pack.may_start) == ((0, 0), False)
    (text,) = {finding.text for finding in pack.judged.findings if finding.row == "bms_data_bad"}
    assert "the device says that it is not available" in text


@pytest.mark.parametrize("missing", ["0000 0000", "FFFF FFFF", ""])
def test_cell_voltages_without_temperatures_leave_the_mean_temperature(pack, missing):
    pack.hears((0x373, bytes.fromhex(f"DA0C EE0C {missing}")))
    assert [pack.value(signal) for signal in TEMPERATURES] == [21.0, 21.0]
    assert pack.value(Signal.CELL_VOLTAGE_MIN_V) == pytest.approx(3.29)
    assert (pack.permitted, pack.found, pack.may_start) == ((5000, 5000), {}, True)


def test_cells_temperatures_stand_in_for_a_mean_that_is_not_available(pack):
    pack.hears(measured(raw_c=-0x8000), (0x373, bytes.fromhex("DA0C EE0C 2401 2A01")))
    assert [pack.value(signal) for signal in TEMPERATURES] == [19.0, 25.0]
    assert (pack.permitted, pack.found, pack.may_start) == ((5000, 5000), {}, True)


# A little more than full, and a scale that is wrong. --------------------------------------------


def test_a_little_more_than_full_is_full_and_can_be_discharged(pack):
    pack.hears(charge(soc=101))
    assert pack.value(Signal.SOC_PCT) == 100.0
    assert (pack.permitted, pack.may_start) == ((0, 5000), True)


@pytest.mark.parametrize("soc", [111, 500, 0x3200])
def test_much_more_than_full_is_a_mistake(pack, soc):
    pack.hears(charge(soc=soc))
    assert (pack.permitted, pack.may_start) == ((0, 0), False)


@pytest.mark.parametrize(("raw_v", "volts"), [(520, "5.2"), (32000, "320")])
def test_a_voltage_that_its_cells_cannot_have_is_a_wrong_scale_and_trips_nothing(
    pack, raw_v, volts
):
    """At the first start of a site it was a trip for service only: "inspect the cells"."""
    pack.hears(measured(raw_v=raw_v))
    assert pack.found == {"bms_data_bad": Reaction.RAMP_TO_ZERO}
    assert (pack.permitted, pack.may_start) == ((0, 0), False)
    (finding,) = pack.judged.findings
    assert f"{volts} V is no voltage of 16 cells: is its scale right?" in finding.text
    pack.hears()
    pack.hears()
    assert (pack.permitted, pack.found) == ((5000, 5000), {})


# A meter with registers of 16 bits. -------------------------------------------------------------

METER = """
name: x
protocol: modbus
roles: [meter, pv_meter]
source: test
poll_period_s: 0.1
reads:
  - {signal: grid_power_w, address: 0, type: int16}
  - {signal: pv_power_w,   address: 1, type: uint16}
"""


def permitted_with(table, words):
    """What is permitted while a meter of this table answers ``words``."""
    pack = Heard()
    pack.hears()
    for row in parse_profile(table, source="x.yaml").reads:
        place = slice(row.address, row.address + row.count)
        put(pack.store, SITE, row.signal, row.decode(words[place]), pack.now_ns)
    snapshot = derive(SIXTEEN_CELLS, freeze(pack.store.image(), pack.now_ns))
    pack.judged, _ = pack.assessor.assess(snapshot, pack.memory, ())
    return pack


@pytest.mark.parametrize("words", [[0x8000, 0], [0x8000, 0xFFFF]])
def test_a_meter_that_has_no_value_permits_nothing(words):
    """-32768 W were 5 kW to charge with, out of the grid."""
    pack = permitted_with(METER, words)
    assert pack.found == {"meter_data_bad": Reaction.RAMP_TO_ZERO}
    assert pack.permitted == (0, 0)
    (finding,) = pack.judged.findings
    assert "the device says that it is not available" in finding.text


@pytest.mark.parametrize("words", [[0, 0], [0xFFFF, 0x8000], [0x8001, 0], [0x7FFF, 0], [0, 0xFFFF]])
def test_a_meter_that_has_a_value_is_believed(words):
    """PV that is not known harms no battery: its inverter may sleep."""
    assert "meter_data_bad" not in permitted_with(METER, words).found


def test_a_table_names_the_numbers_by_which_its_device_says_that_it_has_no_value():
    own = METER.replace("type: int16", "type: int16, not_available: [0x7FFF, 0x8001]")
    for word in (0x7FFF, 0x8001):
        assert permitted_with(own, [word, 0]).permitted == (0, 0)
    assert "meter_data_bad" not in permitted_with(own, [0x8000, 0]).found
