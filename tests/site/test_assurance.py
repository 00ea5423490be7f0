"""From a site.yaml to who guards what on the site, and what it may then do."""

from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.config import Site
from holdfast.core.config.device import Device
from holdfast.core.errors import ConfigError
from holdfast.core.signals import SITE, Signal
from holdfast.safety.goals import (
    GOALS,
    Accepted,
    Assurance,
    Authority,
    ByDevice,
    ByHoldfast,
    Goal,
    Guard,
    Nobody,
)
from holdfast.site.assurance import (
    _gap,
    assurance,
    check_authority,
    hangs_on_lines,
    highest_authority,
    unwatched,
)
from holdfast.site.check import check_site
from holdfast.site.proof import OutageFound, TimerFound
from tests.builders import OWN_BMS, UNIT, build_site, device, unit_content
from tests.site.test_proof import TABLE, keep, own_site

HYBRID = device("generic_integrated")
CAN = {"kind": "can", "interface": "slcan", "channel": "/dev/nowhere"}


def guard_of(site: Site, goal: Goal, owner: str = UNIT) -> Guard:
    return next(each.guard for each in assurance(site) if (each.owner, each.goal) == (owner, goal))


def lone_hybrid(**changes: Any) -> Site:
    """Nothing but one box, which is inverter, BMS and meter."""
    unit = unit_content(accepts={}) | {
        "bms": HYBRID,
        "inverter": HYBRID,
        "relays": {"none": "the inverter has one"},
        "accepts": {},
    }
    whole = {"meter": HYBRID, "emergency_input": {"none": "a switch at it"}, "authority": "observe"}
    return build_site(unit | changes.pop("unit", {}), **(whole | changes))


def test_a_site_that_has_everything_may_do_everything() -> None:
    site = build_site(authority="full")
    found = assurance(site)
    assert [each.owner for each in found] == [
        SITE if row.of_site else UNIT for row in sorted(GOALS.values(), key=lambda r: not r.of_site)
    ]
    assert highest_authority(found) is Authority.FULL
    check_authority(site)


def test_a_table_that_nobody_has_seen_right_commands_nothing_unless_that_is_accepted(
    tmp_path: Path,
) -> None:
    table = tmp_path / "unseen.yaml"
    whole = resources.files("holdfast.devices") / "profiles" / "generic_inverter.yaml"
    rows = whole.read_text(encoding="utf-8").splitlines()
    table.write_text("\n".join(row for row in rows if "confirmed" not in row))
    unit = unit_content() | {"inverter": device(str(table))}
    assert guard_of(build_site(unit), Goal.UNDERSTOOD) == Nobody(why="no table says so")
    unit["accepts"] = OWN_BMS | {"understood": "I try it with 500 W first"}
    check_authority(build_site(unit, authority="limited"))
    told = "which is limited: understood of battery is accepted, which permits limited$"
    with pytest.raises(ConfigError, match=told):
        check_authority(build_site(unit, authority="full"))
    # A device that is only read needs nobody's word, seen right or not.
    whole = resources.files("holdfast.devices") / "profiles" / "generic_bms.yaml"
    rows = whole.read_text(encoding="utf-8").splitlines()
    begins = next(index for index, row in enumerate(rows) if row.startswith("writes"))
    reads = tmp_path / "reads.yaml"
    reads.write_text("\n".join(row for row in rows[:begins] if "confirmed" not in row))
    read_only = unit_content() | {"bms": device(str(reads))}
    assert isinstance(guard_of(build_site(read_only), Goal.UNDERSTOOD), ByDevice)
    seen = guard_of(build_site(), Goal.UNDERSTOOD)
    assert isinstance(seen, ByDevice)
    assert seen.source.count("Holdfast's own") == 1


def test_each_unit_is_judged_by_its_own_devices() -> None:
    told = unit_content("told") | {"bms": {"profile": "pylontech_lv_can", "connection": CAN}}
    site = build_site(unit_content("dumb", accepts={}) | {"accepts": {}}, told | {"accepts": {}})
    assert isinstance(guard_of(site, Goal.CELL_OVERVOLTAGE, "dumb"), Nobody)
    assert isinstance(guard_of(site, Goal.CELL_OVERVOLTAGE, "told"), ByDevice)
    assert isinstance(guard_of(site, Goal.OVERCURRENT, "dumb"), ByHoldfast)
    cells = unit_content("told") | {"bms": {"profile": "byd_lvs_can", "connection": CAN}}
    site = build_site(unit_content("dumb", accepts={}) | {"accepts": {}}, cells | {"accepts": {}})
    assert isinstance(guard_of(site, Goal.CELL_OVERVOLTAGE, "dumb"), Nobody)
    assert isinstance(guard_of(site, Goal.CELL_OVERVOLTAGE, "told"), ByHoldfast)


def test_what_not_every_pack_sends_is_not_relied_on_and_the_table_says_who_guards_it() -> None:
    unit = unit_content() | {"bms": {"profile": "pylontech_lv_can", "connection": CAN}}
    found = guard_of(build_site(unit), Goal.CELL_OVERVOLTAGE)
    assert isinstance(found, ByDevice)
    assert "0x359" in found.source


def test_a_bms_without_cells_is_told_with_what_to_write() -> None:
    site = build_site(unit_content() | {"accepts": {}}, authority="full")
    with pytest.raises(ConfigError) as error:
        check_authority(site)
    assert str(error.value) == (
        "authority: full is more than this site's guards permit, which is limited: "
        "nobody guards that no cell is charged beyond its highest voltage, "
        "no device is sure to tell cell_voltage_max_v "
        "(accepts of battery: {cell_overvoltage: why that is right}); "
        "nobody guards that no cell is discharged below its lowest voltage, "
        "no device is sure to tell cell_voltage_min_v "
        "(accepts of battery: {cell_undervoltage: why that is right})"
    )
    check_authority(site.model_copy(update={"authority": "limited"}))


@pytest.mark.parametrize(
    ("owner", "goal", "key"),
    [(SITE, Goal.EMERGENCY_STOP, "accepts"), (UNIT, Goal.INSULATION, f"accepts of {UNIT}")],
)
def test_a_gap_names_the_accepts_of_its_owner(owner: str, goal: Goal, key: str) -> None:
    gap = Assurance(owner=owner, goal=goal, guard=Nobody(why="so"), permits=Authority.OBSERVE)
    assert _gap(build_site(), gap).endswith(f", so ({key}: {{{goal}: why that is right}})")


def test_what_is_accepted_keeps_its_reason() -> None:
    assert guard_of(build_site(), Goal.CELL_OVERVOLTAGE) == Accepted(
        reason=OWN_BMS["cell_overvoltage"]
    )


def test_what_is_left_out_in_words_is_accepted_in_these_words() -> None:
    site = lone_hybrid()
    assert guard_of(site, Goal.EMERGENCY_STOP, SITE) == Accepted(reason="a switch at it")
    assert guard_of(site, Goal.DISCONNECTION) == Accepted(reason="the inverter has one")
    check_authority(site)


def test_a_lone_box_is_its_only_witness_until_the_owner_accepts_that() -> None:
    with pytest.raises(ConfigError, match=r"which is limited: .* alone tells all of it \(acc"):
        check_authority(lone_hybrid(authority="full"))
    accepted = {"accepts": {"unwanted_power": "the maker's own protection"}}
    check_authority(lone_hybrid(authority="full", unit=accepted))
    # A meter apart sees the battery, too.
    check_authority(lone_hybrid(authority="full", meter=device("generic_meter")))


def test_a_gap_that_may_not_be_accepted_alone_says_what_it_takes(tmp_path: Path) -> None:
    table = tmp_path / "timeless.yaml"
    whole = resources.files("holdfast.devices") / "profiles" / "generic_integrated.yaml"
    rows = whole.read_text(encoding="utf-8").splitlines()
    table.write_text("\n".join(row for row in rows if "revert_timeout" not in row))
    box = device(str(table))
    accepts = {"unwanted_power": "own protection", "lost_controller": "somebody is always there"}
    site = lone_hybrid(
        authority="full", meter=box, unit={"accepts": accepts, "bms": box, "inverter": box}
    )
    with pytest.raises(ConfigError) as error:
        check_authority(site)
    assert str(error.value) == (
        "authority: full is more than this site's guards permit, which is limited: "
        "lost_controller of battery is accepted, which permits limited, "
        "unless disconnection is guarded"
    )


def without_timer(tmp_path: Path, relays: dict[str, Any]) -> Site:
    """A unit whose inverter has no timer of its own, which its owner accepts."""
    tables = resources.files("holdfast.devices") / "profiles"
    rows = (tables / "generic_inverter.yaml").read_text(encoding="utf-8").splitlines()
    inverter = tmp_path / "timeless.yaml"
    inverter.write_text(
        "\n".join(row for row in rows if "revert_timeout" not in row)
        + "\nlacks: {revert_timeout_readback_s: it has none}\n"
    )
    accepts = OWN_BMS | {"lost_controller": "somebody is always there"}
    return build_site(unit_content(
        inverter=device(str(inverter)), relays=relays, accepts=accepts
    ))  # fmt: skip


def on_lines(tmp_path: Path) -> dict[str, Any]:
    """Relays on lines, seen right by their owner."""
    tables = resources.files("holdfast.devices") / "profiles"
    text = (tables / "gpio_relays.yaml").read_text(encoding="utf-8")
    table = tmp_path / "mine.yaml"
    table.write_text(f"{text}confirmed: seen in my cabinet\n")
    lines = ["contactor=17", "contactor_closed=27"]
    return {
        "profile": str(table),
        "connection": {"kind": "gpio", "chip": "gpiochip0", "lines": lines},
    }


def test_relays_on_lines_are_no_second_way_for_a_controller_that_hangs(tmp_path: Path) -> None:
    check_authority(without_timer(tmp_path, device("generic_relays")))
    site = without_timer(tmp_path, on_lines(tmp_path))
    assert guard_of(site, Goal.DISCONNECTION) == ByHoldfast(rows=GOALS[Goal.DISCONNECTION].rows)
    with pytest.raises(ConfigError) as error:
        check_authority(site)
    assert str(error.value) == (
        "authority: full is more than this site's guards permit, which is limited: "
        "lost_controller of battery is accepted, which permits limited: disconnection is no "
        "second way by relays on GPIO lines, which a controller that hangs keeps"
    )
    check_authority(build_site(unit_content(relays=on_lines(tmp_path))))
    (other, mine) = build_site(
        unit_content("other"), unit_content("mine", relays=on_lines(tmp_path))
    ).storage
    assert [hangs_on_lines(unit) for unit in (other, mine, None)] == [False, True, False]
    assert not hangs_on_lines(lone_hybrid().storage[0])


def test_a_gap_of_a_unit_with_relays_on_lines_is_told_as_any_other(tmp_path: Path) -> None:
    relays = on_lines(tmp_path) | {"profile": "gpio_relays"}
    accepts = OWN_BMS | {"understood": "I have tried them"}
    with pytest.raises(
        ConfigError, match="understood of battery is accepted, which permits li"
    ) as e:
        check_authority(build_site(unit_content(relays=relays, accepts=accepts)))
    assert "second way" not in str(e.value)


@pytest.mark.parametrize(
    ("where", "goal"),
    [
        ("accepts", "cell_overvoltage"),
        ("accepts", "main_fuse"),
        ("storage", "emergency_stop"),
        ("storage", "overcurrent"),
        ("storage", "insulation"),
        ("storage", "no_such_goal"),
    ],
)
def test_what_cannot_be_accepted_there_is_refused_with_what_can(where: str, goal: str) -> None:
    accepts = {"accepts": {goal: "I want it so"}}
    if where == "accepts":
        site, right = build_site(**accepts), "emergency_stop"
    else:
        site = build_site(unit_content() | accepts)
        right = ", ".join(
            f"{goal}"
            for goal, row in GOALS.items()
            if not row.of_site and row.accepted > row.unguarded
        )
        where = r"storage\[0\].accepts"
    with pytest.raises(ConfigError, match=rf"^{where}.{goal}: may be one of {right}$"):
        assurance(site)


def test_a_reason_is_words() -> None:
    with pytest.raises(ValueError, match="accepts"):
        build_site(accepts={"emergency_stop": ""})


def test_limits_that_nothing_feeds_are_named_with_what_is_missing() -> None:
    found = unwatched(build_site())
    assert found[f"{UNIT}/cell_voltage_high"] == (Signal.CELL_VOLTAGE_MAX_V,)
    assert found[f"{UNIT}/cell_imbalance_high"] == (
        Signal.CELL_VOLTAGE_MIN_V,
        Signal.CELL_VOLTAGE_MAX_V,
    )
    # Of what a derived one rests on, only what is missing.
    assert Signal.PACK_VOLTAGE_V not in found[f"{UNIT}/pack_mismatch_high"]
    assert f"{UNIT}/power_mismatch_high" not in found
    # Holdfast tells that itself.
    assert "site/watchdog_lost" not in found
    assert not {key for key in found if key.startswith("site/")}
    coarse = unwatched(build_site(meter=device("eastron_sdm120")))
    assert set(coarse) >= set(found)


def test_what_one_unit_tells_feeds_no_limit_of_another() -> None:
    told = unit_content("told") | {"bms": {"profile": "pylontech_lv_can", "connection": CAN}}
    found = unwatched(build_site(unit_content("dumb"), told))
    assert "dumb/cell_voltage_high" in found
    assert "told/cell_voltage_high" not in found


def test_what_is_proven_is_understood_and_may_do_everything(tmp_path: Path) -> None:
    site = own_site(tmp_path, authority="full")
    with pytest.raises(ConfigError, match="its devices do what their tables say"):
        check_authority(site)
    keep(site, outage=OutageFound.SERVED)
    understood = guard_of(site, Goal.UNDERSTOOD)
    assert isinstance(understood, ByDevice)
    assert "; proven on 2026-03-02: response 0.8 s; " in understood.source
    assert isinstance(guard_of(site, Goal.LOST_CONTROLLER), ByHoldfast)
    check_authority(site)
    keep(site, response_s=None, outage=OutageFound.SERVED)
    understood = guard_of(site, Goal.UNDERSTOOD)
    assert isinstance(understood, ByDevice)
    assert "; proven on 2026-03-02; " in understood.source


def test_to_check_a_site_is_to_ask_for_its_authority(tmp_path: Path) -> None:
    site = own_site(tmp_path, authority="full")
    with pytest.raises(ConfigError, match="its devices do what their tables say"):
        check_site(site)
    keep(site, outage=OutageFound.SERVED)
    check_site(site)


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


@pytest.mark.parametrize("authority", ["limited", "full"])
def test_a_timer_that_ended_nothing_is_none_unless_the_owner_accepts_that(
    tmp_path: Path, authority: str
) -> None:
    site = own_site(tmp_path, authority=authority)
    keep(site, timer=TimerFound.LATE, timer_s=None, outage=OutageFound.SERVED)
    found = {each.goal: each for each in assurance(site) if each.owner == UNIT}
    assert isinstance(found[Goal.UNDERSTOOD].guard, ByDevice)
    assert found[Goal.LOST_CONTROLLER].permits is Authority.OBSERVE
    with pytest.raises(ConfigError, match="did not end a command when it was proven on 2026-03-02"):
        check_authority(site)
    (unit,) = site.storage
    accepts = {**unit.accepts, "lost_controller": "there is a contactor"}
    accepted = unit.model_copy(update={"accepts": accepts})
    check_authority(site.model_copy(update={"storage": (accepted,)}))


def test_what_was_seen_while_the_grid_was_away_is_told_and_bounds_the_authority(
    tmp_path: Path,
) -> None:
    site = own_site(tmp_path, authority="full")
    keep(site)
    assert guard_of(site, Goal.SUPPLY_IN_OUTAGE) == Nobody(why="no table says so")
    keep(site, outage=OutageFound.SERVED)
    served = ByDevice(source="told 0 W it served the house on 2026-03-02")
    assert guard_of(site, Goal.SUPPLY_IN_OUTAGE) == served
    check_authority(site)
    moved = own_site(tmp_path, host="10.0.0.6")
    assert guard_of(moved, Goal.SUPPLY_IN_OUTAGE) == Nobody(why="no table says so")
    keep(site, outage=OutageFound.DARK)
    dark = Nobody(why="told 0 W it left the house dark on 2026-03-02")
    assert guard_of(site, Goal.SUPPLY_IN_OUTAGE) == dark
    with pytest.raises(ConfigError, match="left the house dark on 2026-03-02"):
        check_authority(site)
    (unit,) = site.storage
    accepts = {**unit.accepts, "supply_in_outage": "the house has a generator"}
    accepted = unit.model_copy(update={"accepts": accepts})
    check_authority(site.model_copy(update={"storage": (accepted,)}))
    keep(site, outage=OutageFound.DARK, timer=TimerFound.LATE, timer_s=None)
    assert guard_of(site, Goal.SUPPLY_IN_OUTAGE) == dark
    assert isinstance(guard_of(site, Goal.LOST_CONTROLLER), Nobody)


def test_what_was_seen_of_a_box_in_an_outage_counts_where_it_is_all_there_is(
    tmp_path: Path,
) -> None:
    whole = resources.files("holdfast.devices") / "profiles" / "generic_integrated.yaml"
    rows = whole.read_text(encoding="utf-8").splitlines()
    unsaid = ("confirmed", "guards", "  supply_in_outage", "  - {point: device_mode")
    table = tmp_path / "box.yaml"
    table.write_text("\n".join(row for row in rows if not row.startswith(unsaid)))
    box = device(str(table))
    unit = {"bms": box, "inverter": box}
    site = lone_hybrid(unit=unit, meter=device("generic_meter"), state_dir=str(tmp_path))
    keep(site, outage=OutageFound.SERVED)
    assert guard_of(site, Goal.SUPPLY_IN_OUTAGE) == ByDevice(
        source="told 0 W it served the house on 2026-03-02"
    )


def test_what_a_table_says_of_outages_is_believed_until_it_was_seen_otherwise() -> None:
    guard = guard_of(build_site(), Goal.SUPPLY_IN_OUTAGE)
    assert isinstance(guard, ByDevice)
    assert guard.source.startswith("an island takes what its load takes")


def of_table(name: str) -> Site:
    """A site whose inverter is a maker's; nothing else of it counts here."""
    unit = unit_content() | {"inverter": device(name, "10.0.0.5")}
    unit["inverter_hardware"] |= {"revert_timeout_s": 60}
    return build_site(unit, authority="observe")


def test_an_inverter_that_tells_of_an_outage_and_is_then_given_back_guards_the_supply() -> None:
    guard = guard_of(of_table("foxess_h3"), Goal.SUPPLY_IN_OUTAGE)
    assert guard == ByDevice(source="it tells of an outage, and is then given back to its own rule")


def test_one_that_does_not_tell_of_an_outage_says_why() -> None:
    guard = guard_of(of_table("fronius_gen24"), Goal.SUPPLY_IN_OUTAGE)
    assert guard == Nobody(
        why="fronius_gen24 lacks islanded: no source names a point that tells of an island"
    )


def test_what_was_seen_at_0_w_counts_nothing_once_it_is_given_back_instead(tmp_path: Path) -> None:
    site = of_table("foxess_h3").model_copy(update={"state_dir": str(tmp_path)})
    keep(site, outage=OutageFound.DARK)
    assert isinstance(guard_of(site, Goal.SUPPLY_IN_OUTAGE), ByDevice)


def test_another_commanded_device_of_the_unit_needs_a_word_of_its_own(tmp_path: Path) -> None:
    site = own_site(tmp_path)
    keep(site)
    relays = tmp_path / "relays.yaml"
    whole = resources.files("holdfast.devices") / "profiles" / "generic_relays.yaml"
    rows = whole.read_text(encoding="utf-8").splitlines()
    relays.write_text("\n".join(row for row in rows if "confirmed" not in row))
    (unit,) = site.storage
    changed = unit.model_copy(update={"relays": Device.model_validate(device(str(relays)))})
    assert isinstance(guard_of(site, Goal.UNDERSTOOD), ByDevice)
    site = site.model_copy(update={"storage": (changed,)})
    assert guard_of(site, Goal.UNDERSTOOD) == Nobody(why="no table says so")
