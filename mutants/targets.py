"""What is mutated, and which tests are run on it: the module's own first, then those around it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mutants.safety_path import modules
from mutants.site import ROOT, path_of, source_of

OWN_TESTS = {
    # Where the tests of a module are not in test_<module>*.py of the same package.
    "core/commands": ("core/test_names.py",),
    "control/connection/at_meter": ("control/connection/test_connection.py",),
    "control/connection/band": ("control/connection/test_connection.py",),
    "control/connection/batteries": ("control/connection/test_connection.py",),
    "control/connection/memory": ("control/connection/test_connection.py",),
    "control/connection/operator_signal": ("control/connection/test_connection.py",),
    "control/connection/release": ("control/connection/test_connection.py",),
    "control/connection/rows": ("control/connection/test_connection.py",),
    "core/abilities": ("site/test_devices.py",),
    "core/asked_slot": ("core/test_names.py",),
    "core/bill_line": ("core/test_names.py", "markets/test_tariff_bill.py"),
    "core/config/device": ("core/config/test_site.py",),
    "core/config/loads": ("core/config/test_modes.py", "core/config/test_site.py"),
    "core/config/local_window": (
        "core/config/test_prices.py",
        "scheduling/loads/test_windows.py",
    ),
    "core/config/planner": ("core/config/test_modes.py", "core/config/test_site.py"),
    "core/config/pv": ("core/config/test_site.py",),
    "core/config/section": ("core/config/test_site.py",),
    "core/config/site": (
        "core/config/test_site.py",
        "core/config/test_loads.py",
        "core/config/test_modes.py",
        "core/config/test_grid.py",
        "core/config/test_schedule.py",
        "core/config/test_losses.py",
        "site/test_site_file.py",
    ),
    "core/config/storage": (
        "core/config/test_site.py",
        "core/config/test_modes.py",
        "core/config/test_grid.py",
    ),
    "core/errors": ("core/config/test_site.py",),
    "core/interval": ("scheduling/loads/test_windows.py",),
    "core/plan": ("core/test_names.py", "control/test_plan_gate.py"),
    "core/ports": ("core/test_names.py",),
    "core/reading": ("core/test_data_store.py",),
    "core/role": ("core/test_names.py",),
    "core/signals": ("core/test_names.py",),
    "core/slot_mode": (
        "core/test_names.py",
        "control/modes/test_modes.py",
        "control/test_mode_manager.py",
        "control/test_plan_gate.py",
    ),
    "core/state_machine": ("core/test_names.py",),
    "core/strategy_name": ("core/test_names.py", "core/config/test_modes.py"),
    "core/units": ("core/test_names.py",),
    "safety/faults": ("safety/test_island.py",),
    "safety/limits": ("safety/test_island.py",),
    "safety/derating": ("safety/test_island.py",),
    "safety/finding": (
        "safety/test_faults.py",
        "safety/test_island.py",
    ),
    "safety/interlocks": ("safety/test_interlock_manager.py", "safety/test_island.py"),
    "safety/interlock_manager": ("core/test_names.py",),
    "safety/bounds": (
        "safety/test_limits.py",
        "safety/test_derating.py",
    ),
    "control/kept_wish": ("control/test_kept_out.py", "control/test_mode_manager.py"),
    "control/loads/requests": ("core/test_names.py",),
    "control/mode_manager": ("core/test_names.py", "control/test_device_modes.py"),
    "control/plan_gate": ("control/test_device_modes.py",),
    "control/pv_wishes": ("control/test_mode_manager.py", "control/test_cycle.py"),
    "control/request": ("control/test_mode_manager.py", "control/test_safety_wrapper.py"),
    "control/reserve": ("control/test_mode_manager.py", "control/test_device_modes.py"),
    "control/safety_wrapper": ("control/test_device_modes.py",),
    "control/modes/self_consumption": ("control/test_mode_manager.py",),
    "safety/assessment": ("safety/test_assessment.py", "properties/test_cycle.py"),
    "safety/permit": ("control/test_safety_wrapper.py", "control/loads/test_gate.py"),
    "control/cycle": ("control/test_cycle.py", "properties/test_cycle.py"),
    "control/storage/unit": (
        "devices/contactor/test_none.py",
        "control/storage/test_held_command.py",
        "control/test_cycle.py",
        "properties/test_cycle.py",
    ),
    "devices/bms_safety_wrapper": (
        "devices/test_bms_wrapper.py",
        "devices/test_wrappers.py",
        "devices/test_write_budget.py",
    ),
    "devices/inverter_safety_wrapper": (
        "devices/test_inverter_wrapper.py",
        "devices/test_wrappers.py",
        "devices/test_write_budget.py",
    ),
    "devices/contactor/precharge": ("devices/contactor/test_memory.py",),
    "devices/written_point": ("devices/test_write_budget.py",),
    # Tables of all devices are many: last.
    "devices/registers": (
        "devices/test_registers.py",
        "devices/test_scaled.py",
        "devices/test_profile.py",
    ),
    "devices/register_image": (
        "devices/test_verbs.py",
        "devices/test_block_plan.py",
        "devices/test_registers.py",
    ),
    "devices/stepped_write": (
        "devices/test_verbs.py",
        "devices/test_mode_write.py",
        "devices/test_limit_write.py",
    ),
    "devices/modbus_rows": ("devices/test_modbus_profile.py", "devices/test_profile.py"),
    "devices/verb_step": ("devices/test_verbs.py",),
    "devices/modbus_profile": (
        "devices/test_modbus_profile.py",
        "devices/test_verbs.py",
        "devices/test_mode_write.py",
        "devices/test_scaled.py",
        "devices/test_profile.py",
        "site/test_device_places.py",
        "devices/sunspec/test_profile.py",
    ),
    "devices/can_profile": ("devices/test_can_profile.py", "devices/test_profile.py"),
    "devices/device_table": ("devices/test_device_table.py", "devices/test_profile.py"),
    "devices/json_profile": ("devices/test_http_profile.py", "devices/test_mqtt_profile.py"),
    "devices/sunspec/binding": (
        "devices/sunspec/test_binding.py",
        "devices/sunspec/test_profile.py",
    ),
    "devices/sunspec/model_files": (
        "devices/sunspec/test_definitions.py",
        "devices/sunspec/test_profile.py",
    ),
    "devices/can_frames": ("devices/test_can_profile.py",),
    "devices/sunspec/rows": ("devices/sunspec/test_rows.py", "devices/sunspec/test_profile.py"),
    "devices/profile": ("site/test_device_places.py", "devices/sunspec/test_profile.py"),
    # The quick ones first: those of the site file itself try every wrong value at every place.
    "site/site_file": ("core/config/test_site.py",),
    "core/mistakes": (
        "core/config/test_site.py",
        "site/test_site_file.py",
        "site/test_device_places.py",
    ),
    "site/devices": ("site/test_device_places.py",),
    "site/check": (
        "site/test_check_sunspec.py",
        "site/test_assurance.py",
        "site/test_devices.py",
        "site/test_device_places.py",
        "site/test_release.py",
    ),
    "site/device_places": ("site/test_devices.py",),
    "site/assembly": ("site/test_devices.py",),
}

AROUND = {
    "core": ("core", "safety", "control", "devices", "properties"),
    "safety": ("safety", "control", "properties"),
    "control": ("control", "properties"),
    "devices": ("devices", "properties"),
    "site": ("site", "core"),
}
"""Folders whose tests see what the module's own do not."""
TOO_SLOW = frozenset({"test_cycle_against_reference.py"})
"""A search of a minute, for each mutant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A module and its tests, in stages: the second is run on what outlives the first."""

    module: str
    stages: tuple[tuple[str, ...], ...]
    doctests: bool = False


def targets() -> tuple[Target, ...]:
    """Every module of the safety path that holds more than names."""
    return tuple(_target(module) for module in modules())


def _target(module: str) -> Target:
    path = ROOT / path_of(module)
    package = path.relative_to(ROOT / "holdfast").parts[0]
    tests = ROOT / "tests"
    name = path.relative_to(ROOT / "holdfast").with_suffix("").as_posix()
    own = [tests / test for test in OWN_TESTS.get(name, ())]
    mirror = (tests / name).parent
    own += sorted(mirror.glob(f"test_{path.stem}.py"))
    around = [
        test
        for folder in AROUND[package]
        for test in sorted((tests / folder).rglob("test_*.py"))
        if test.name not in TOO_SLOW and test.parent.name != "drivers"
    ]
    doctests = ">>>" in source_of(module)
    first = _paths(path for path in own if path.exists())
    if doctests:
        first = (path.relative_to(ROOT).as_posix(), *first)
    second = _paths(around)  # with the first again: the same for every module of a package
    return Target(
        module=module,
        stages=tuple(stage for stage in (first, second) if stage),
        doctests=doctests,
    )


def _paths(files: Iterable[Path]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(file.relative_to(ROOT).as_posix() for file in files))
