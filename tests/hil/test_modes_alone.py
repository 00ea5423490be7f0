"""An inverter that takes modes and no power, by a table of one's own: all it has, or 0 W."""

from pathlib import Path

from holdfast.core.signals import Signal
from holdfast.core.state_machine import State
from holdfast.testing.plans import plan_of
from holdfast.testing.rig import Rig
from holdfast.testing.sites import example_content

TABLE = """
name: modes_alone
protocol: modbus
roles: [inverter]
source: these tests
confirmed: these tests
poll_period_s: 0.1
reads:
  - {signal: battery_power_w, address: 0, type: int32}
  - {signal: inverter_enabled, address: 4, type: uint16}
  - {signal: revert_timeout_readback_s, address: 5, type: uint16}
writes:
  - {point: enable, address: 4, type: uint16, readback: inverter_enabled}
  - {point: revert_timeout_s, address: 5, type: uint16, readback: revert_timeout_readback_s}
  - point: setpoint_w
    readback: setpoint_readback_w
    whole: true
    verbs:
      charge: [{address: 20, type: uint16, value: 1}]
      discharge: [{address: 20, type: uint16, value: 2}]
      idle: [{address: 20, type: uint16, value: 3}]
      release: [{address: 20, type: uint16, value: 4}]
"""


def test_it_charges_with_all_it_has_where_that_is_asked_and_permitted_and_else_rests(
    tmp_path: Path,
) -> None:
    table = tmp_path / "modes_alone.yaml"
    table.write_text(TABLE)
    content = example_content(tmp_path, bms_on_can=False)
    (unit,) = content["storage"]
    unit["inverter"]["profile"] = str(table)
    unit["operation"] = {"ramp_w_per_s": 20_000}
    unit["accepts"]["supply_in_outage"] = "a bench has no house"
    with Rig(tmp_path, **content) as rig:
        rig.start_plant()
        rig.start("watchdog", "controller")
        rig.until_running(lambda: True, "nothing more")
        assert rig.send_plan(plan_of((-1, 60, 5000.0))).accepted
        rig.until_power(5000.0)
        assert rig.value(Signal.SETPOINT_READBACK_W) == 5000.0
        assert rig.send_plan(plan_of((-1, 60, 4900.0))).accepted
        rig.until_power(0.0)
        assert rig.send_plan(plan_of((-1, 60, -5000.0))).accepted
        rig.until_power(-5000.0)
        rig.keeps(lambda: rig.state is State.RUNNING, "RUNNING", 3.0)
        assert rig.findings() == {}
        assert rig.damage() == {}
