"""What was seen on a device counts while the device is the one that was tried, and no longer."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.config import Site
from holdfast.core.errors import ConfigError
from holdfast.safety.goals import Authority, ByDevice, ByHoldfast, Goal, Guard, Nobody
from holdfast.site.assurance import assurance, check_authority
from holdfast.site.doubts import doubts
from holdfast.site.proof import (
    Proof,
    TimerFound,
    device_digest,
    encode_proof,
    proof_path,
    read_proof,
    valid_proof,
)
from tests.builders import OWN_BMS, UNIT, build_site, device, unit_content

TABLE = """\
name: own
protocol: modbus
roles: [inverter]
source: a manual
poll_period_s: 0.1
reads:
  - {signal: battery_power_w, address: 0, type: int32}
  - {signal: setpoint_readback_w, address: 2, type: int32}
  - {signal: inverter_enabled, address: 4, type: uint16}
  - {signal: revert_timeout_readback_s, address: 5, type: uint16}
writes:
  - {point: setpoint_w, address: 2, type: int32, function: multiple, readback: setpoint_readback_w}
  - {point: enable, address: 4, type: uint16, readback: inverter_enabled}
  - {point: revert_timeout_s, address: 5, type: uint16, readback: revert_timeout_readback_s}
"""
PROVEN_ON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def own_site(folder: Path, table: str = "own.yaml", host: str = "10.0.0.5", **changes: Any) -> Site:
    """A site with an inverter by a table of one's own, which nobody has confirmed."""
    path = folder / table
    path.write_text(TABLE)
    unit = unit_content(accepts={}) | {"inverter": device(str(path), host), "accepts": OWN_BMS}
    return build_site(unit, state_dir=str(folder), **changes)


def keep(site: Site, **changes: Any) -> Proof:
    """Keeps a proof of the site's inverter."""
    content: dict[str, Any] = {
        "unit": UNIT, "table": "own", "device": device_digest(site.storage[0].inverter),
        "utc": PROVEN_ON, "power_w": 300.0, "reason": "", "at_zero": True, "steps": (),
        "response_s": 0.8, "timer": TimerFound.ENDS, "timer_set_s": 5.0, "timer_s": 5.1,
    }  # fmt: skip
    proof = Proof(**(content | changes))
    path = proof_path(site, UNIT)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(encode_proof(proof))
    return proof


def guard_of(site: Site, goal: Goal) -> Guard:
    return next(each.guard for each in assurance(site) if (each.owner, each.goal) == (UNIT, goal))


def test_a_proof_is_read_as_it_was_kept(tmp_path: Path) -> None:
    site = own_site(tmp_path)
    assert valid_proof(site, site.storage[0]) is None
    proof = keep(site)
    assert read_proof(proof_path(site, UNIT)) == proof
    assert proof_path(site, UNIT) == tmp_path / "proofs" / f"{UNIT}.json"
    assert valid_proof(site, site.storage[0]) == proof


def test_what_is_proven_is_understood_and_may_do_everything(tmp_path: Path) -> None:
    site = own_site(tmp_path, authority="full")
    with pytest.raises(ConfigError, match="its devices do what their tables say"):
        check_authority(site)
    keep(site)
    understood = guard_of(site, Goal.UNDERSTOOD)
    assert isinstance(understood, ByDevice)
    assert "; proven on 2026-03-02: response 0.8 s; " in understood.source
    assert isinstance(guard_of(site, Goal.LOST_CONTROLLER), ByHoldfast)
    check_authority(site)
    keep(site, response_s=None)
    understood = guard_of(site, Goal.UNDERSTOOD)
    assert isinstance(understood, ByDevice)
    assert "; proven on 2026-03-02; " in understood.source


def test_a_proof_of_another_table_or_connection_and_one_that_failed_count_nothing(
    tmp_path: Path,
) -> None:
    site = own_site(tmp_path)
    nobody = Nobody(why="no table says so")
    keep(site, reason="charge: the wrong way")
    assert guard_of(site, Goal.UNDERSTOOD) == nobody
    keep(site)
    moved = own_site(tmp_path, host="10.0.0.6")
    assert guard_of(moved, Goal.UNDERSTOOD) == nobody
    other = tmp_path / "other.yaml"
    unit = unit_content() | {"inverter": device(str(other), "10.0.0.5")}
    other.write_text(TABLE.replace("address: 0,", "address: 1,"))
    assert guard_of(build_site(unit, state_dir=str(tmp_path)), Goal.UNDERSTOOD) == nobody
    assert isinstance(guard_of(site, Goal.UNDERSTOOD), ByDevice)


@pytest.mark.parametrize("change", [b"", b"{}\n", b"\xff"])
def test_a_report_that_was_changed_counts_nothing_and_is_told(
    tmp_path: Path, change: bytes
) -> None:
    site = own_site(tmp_path)
    keep(site)
    path = proof_path(site, UNIT)
    path.write_bytes(change or path.read_bytes().replace(b"300", b"301"))
    assert valid_proof(site, site.storage[0]) is None
    assert any("cannot be read, and does not count" in doubt for doubt in doubts(site))


@pytest.mark.parametrize("authority", ["limited", "full"])
def test_a_timer_that_ended_nothing_is_none_unless_the_owner_accepts_that(
    tmp_path: Path, authority: str
) -> None:
    site = own_site(tmp_path, authority=authority)
    keep(site, timer=TimerFound.LATE, timer_s=None)
    found = {each.goal: each for each in assurance(site) if each.owner == UNIT}
    assert isinstance(found[Goal.UNDERSTOOD].guard, ByDevice)
    assert found[Goal.LOST_CONTROLLER].permits is Authority.OBSERVE
    with pytest.raises(ConfigError, match="did not end a command when it was proven on 2026-03-02"):
        check_authority(site)
    (unit,) = site.storage
    accepts = {**unit.accepts, "lost_controller": "there is a contactor"}
    accepted = unit.model_copy(update={"accepts": accepts})
    check_authority(site.model_copy(update={"storage": (accepted,)}))


def test_what_was_seen_and_is_not_as_site_yaml_has_it_is_doubted(tmp_path: Path) -> None:
    def told(site: Site) -> str:
        return " ".join(doubt for doubt in doubts(site) if "2026-03-02" in doubt)

    site = own_site(tmp_path)
    keep(site, response_s=3.0)
    assert told(site) == ""
    keep(site, response_s=4.0)
    assert told(site) == (
        "storage[0].inverter_hardware.response_time_s: 3 s, and 4.0 s were measured on "
        "2026-03-02; 4.8 would be right"
    )
    keep(site, reason="charge: the wrong way", response_s=None)
    assert told(site) == (
        "storage[0].inverter: was tried on 2026-03-02 and failed: charge: the wrong way"
    )
    assert told(own_site(tmp_path, host="10.0.0.6")) == (
        "storage[0].inverter: table or connection are others than those that were tried on "
        "2026-03-02; `holdfast devices prove` tries these"
    )
