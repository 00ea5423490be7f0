"""A site does no more than it was released for, with the devices that were there then."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from holdfast.core.config import Site
from holdfast.core.errors import ConfigError
from holdfast.core.sealed import seal
from holdfast.safety.goals import Authority
from holdfast.site.check import check_site
from holdfast.site.examination import examine
from holdfast.site.release import (
    Release,
    check_release,
    encode_release,
    hardware_digest,
    read_release,
    release_path,
)
from tests.builders import build_site, device, unit_content


def site_in(folder: Path, authority: str = "full", **changes: Any) -> Site:
    changes = {"commissioning": None, "state_dir": str(folder)} | changes
    return build_site(*changes.pop("units", ()), authority=authority, **changes)


def released(site: Site, stage: str, **changes: Any) -> Site:
    content: dict[str, Any] = {
        "stage": stage, "hardware": hardware_digest(site),
        "utc": datetime(2026, 3, 2, 23, tzinfo=UTC), "by": "Jo Example",
    }  # fmt: skip
    path = release_path(site)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_release(Release(**(content | changes))))
    return site


def test_observing_needs_no_release(tmp_path: Path) -> None:
    check_site(site_in(tmp_path, "observe"))


@pytest.mark.parametrize("authority", ["limited", "full"])
def test_without_a_release_nothing_is_written(tmp_path: Path, authority: str) -> None:
    with pytest.raises(ConfigError) as error:
        check_site(site_in(tmp_path, authority))
    assert str(error.value) == (
        f"authority: {authority} is more than this site is released for, which is nothing: "
        "`holdfast checklist` tells what is missing, and releases it "
        "(or commissioning: {none: why that is right})"
    )


@pytest.mark.parametrize(
    ("stage", "authority", "permitted"),
    [
        ("limited", "limited", True),
        ("limited", "full", False),
        ("full", "limited", True),
        ("full", "full", True),
    ],
)
def test_a_release_is_for_its_stage_and_those_before(
    tmp_path: Path, stage: str, authority: str, *, permitted: bool
) -> None:
    site = released(site_in(tmp_path, authority), stage)
    if permitted:
        check_site(site)
        return
    with pytest.raises(ConfigError, match="released for, which is authority: limited: `holdfast"):
        check_site(site)


def test_nobody_has_to_release_a_site_that_says_why(tmp_path: Path) -> None:
    site = site_in(tmp_path, commissioning={"none": "it is simulated"})
    check_release(site)
    (note,) = [text for text in examine(site).warnings if "release" in text]
    assert note == "nobody has to release this site before it acts (it is simulated)"


OTHER = {
    "another inverter": {"units": [unit_content(inverter=device("generic_inverter", "10.9.9.9"))]},
    "another meter": {"meter": device("generic_meter", "10.9.9.9")},
    "no emergency input": {"emergency_input": {"none": "the inverter has one"}},
    "another fuse": {"grid": {"import_max_w": 10_001, "export_max_w": 10_000}},
    "another battery": {"units": [unit_content() | {"battery": unit_content()["battery"] | {
        "capacity_wh": 9999}}]},
    "another power": {"units": [unit_content() | {"inverter_hardware": unit_content()[
        "inverter_hardware"] | {"charge_power_max_w": 2999}}]},
    "a second unit": {"units": [unit_content(), unit_content("right")]},
}  # fmt: skip


@pytest.mark.parametrize("changes", OTHER.values(), ids=OTHER)
def test_with_other_hardware_it_begins_again(tmp_path: Path, changes: dict[str, Any]) -> None:
    before = released(site_in(tmp_path), "full")
    check_release(before)
    with pytest.raises(ConfigError) as error:
        check_release(site_in(tmp_path, **changes))
    assert str(error.value) == (
        "authority: full: the devices, their data or the grid connection are not those that were "
        "released on 2026-03-02 by Jo Example; `holdfast checklist` tells what has to be seen again"
    )


SAME = {
    "another name": {"name": "Renamed"},
    "another mode": {"operating_mode": "charge_only"},
    "less of the battery": {"units": [unit_content(operation={"soc_max_pct": 80})]},
    "less authority": {"authority": "limited"},
}


@pytest.mark.parametrize("changes", SAME.values(), ids=SAME)
def test_what_is_no_hardware_may_change(tmp_path: Path, changes: dict[str, Any]) -> None:
    released(site_in(tmp_path), "full")
    check_release(site_in(tmp_path, **changes))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b'{"stage":"full"}',
        seal('{"stage":"full"}'),
        seal('{"stage":"observe","hardware":"","utc":"2026-03-02T00:00:00Z","by":"Jo"}'),
        seal('{"stage":"full","hardware":"","utc":"2026-03-02T00:00:00Z","by":""}'),
        seal('{"stage":"full","hardware":"","utc":"2026-03-02T00:00:00","by":"Jo"}'),
        seal('{"version":0,"stage":"full","hardware":"","utc":"2026-03-02T00:00:00Z","by":"Jo"}'),
        seal('{"version":2,"stage":"full","hardware":"","utc":"2026-03-02T00:00:00Z","by":"Jo"}'),
    ],
)
def test_what_nobody_can_trust_is_no_release(tmp_path: Path, content: bytes) -> None:
    site = site_in(tmp_path)
    release_path(site).write_bytes(content)
    assert read_release(release_path(site)) is None
    with pytest.raises(ConfigError, match="which is nothing"):
        check_release(site)


def test_a_newer_holdfast_finds_the_release_of_this_one(tmp_path: Path) -> None:
    """Else each update would end the authority of every site."""
    unit = {
        "name": "battery",
        "battery": {"cells_in_series": 16, "capacity_wh": 10_000, "charge_current_max_a": 100,
                    "discharge_current_max_a": 100},
        "inverter_hardware": {"charge_power_max_w": 5000, "discharge_power_max_w": 5000},
        "bms": device("generic_bms", "10.0.0.3"),
        "inverter": device("generic_inverter", "10.0.0.4"),
        "relays": device("generic_relays", "10.0.0.5"),
    }  # fmt: skip
    site = site_in(
        tmp_path,
        units=(unit,),
        grid={"import_max_w": 17_000, "export_max_w": 10_000},
        meter=device("generic_meter", "10.0.0.1"),
        emergency_input=device("generic_emergency_input", "10.0.0.2"),
    )
    assert hardware_digest(site) == (
        "d8b44ff33f956641acb6dc8b3f7cb7a99491d31cec9031b329b42373065048e2"
    )


def test_the_order_in_which_loads_are_named_is_no_other_hardware(tmp_path: Path) -> None:
    loads = [
        {"name": name, "power_w": 2000, "energy_wh": 4000,
         "switch": device("generic_load_switch", host)}
        for name, host in (("boiler", "10.0.0.8"), ("car", "10.0.0.7"))
    ]  # fmt: skip
    one, other = (site_in(tmp_path, loads=named) for named in (loads, loads[::-1]))
    assert hardware_digest(one) == hardware_digest(other)
    assert hardware_digest(one) != hardware_digest(site_in(tmp_path, loads=loads[:1]))


def test_a_release_is_not_changed_and_its_signature_may_be_a_letter(tmp_path: Path) -> None:
    found = read_release(release_path(released(site_in(tmp_path), "limited", by="J")))
    assert found is not None
    assert found.by == "J"
    with pytest.raises(ValidationError, match="frozen"):
        found.stage = "full"  # type: ignore[misc]


def test_an_edited_release_counts_for_nothing(tmp_path: Path) -> None:
    site = released(site_in(tmp_path), "limited")
    path = release_path(site)
    path.write_bytes(path.read_bytes().replace(b"limited", b"full"))
    assert read_release(release_path(site)) is None


def test_a_release_says_what_it_permits(tmp_path: Path) -> None:
    site = released(site_in(tmp_path), "limited")
    found = read_release(release_path(site))
    assert found is not None
    assert found.permits is Authority.LIMITED
    assert release_path(site) == tmp_path / "release.json"
