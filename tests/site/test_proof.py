"""What was seen on a device counts while the device is the one that was tried, and no longer."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from holdfast.core.config import Site
from holdfast.core.sealed import seal, unseal
from holdfast.site.doubts import doubts
from holdfast.site.proof import (
    OutageFound,
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


def test_a_proof_is_read_as_it_was_kept(tmp_path: Path) -> None:
    site = own_site(tmp_path)
    assert valid_proof(site, site.storage[0]) is None
    proof = keep(site)
    assert read_proof(proof_path(site, UNIT)) == proof
    assert proof_path(site, UNIT) == tmp_path / "proofs" / f"{UNIT}.json"
    assert valid_proof(site, site.storage[0]) == proof
    assert proof.in_words == "proven on 2026-03-02: response 0.8 s"
    assert keep(site, response_s=None).in_words == "proven on 2026-03-02"


def test_one_that_failed_or_is_of_another_device_is_not_valid(tmp_path: Path) -> None:
    site = own_site(tmp_path)
    keep(site, reason="charge: the wrong way")
    assert valid_proof(site, site.storage[0]) is None
    keep(site)
    moved = own_site(tmp_path, host="10.0.0.6")
    assert valid_proof(moved, moved.storage[0]) is None


def test_the_file_is_what_the_next_release_has_to_read(tmp_path: Path) -> None:
    site = own_site(tmp_path)
    keep(site, device="abc")
    assert unseal(proof_path(site, UNIT).read_bytes()) == (
        '{"version":1,"unit":"battery","table":"own","device":"abc","firmware":"",'
        '"utc":"2026-03-02T12:00:00Z","power_w":300.0,"reason":"","at_zero":true,"steps":[],'
        '"response_s":0.8,"timer":"ends","timer_set_s":5.0,"timer_s":5.1,'
        '"outage":null}'
    )
    assert list(TimerFound) == ["none", "ends", "late"]
    assert list(OutageFound) == ["served", "dark"]


def test_a_report_from_before_outages_were_tried_counts_as_it_did(tmp_path: Path) -> None:
    site = own_site(tmp_path)
    proof = keep(site)
    path = proof_path(site, UNIT)
    path.write_bytes(seal(unseal(path.read_bytes()).replace(',"outage":null', "")))
    assert read_proof(path) == proof


def test_a_report_cannot_be_changed_and_one_of_another_version_is_none(tmp_path: Path) -> None:
    site = own_site(tmp_path)
    proof = keep(site)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(proof, "reason", "none")  # noqa: B010 - what a type checker would refuse
    path = proof_path(site, UNIT)
    body = unseal(path.read_bytes())
    for other in ('"version":2', '"version":0', '"other":1'):
        path.write_bytes(seal(body.replace('"version":1', other)))
        assert read_proof(path) is None


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
