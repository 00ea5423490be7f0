"""What is mutated, and which tests are run on it: the module's own first, then those around it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mutants.site import ROOT, source_of

PACKAGES = ("core", "safety", "control", "devices")

OWN_TESTS = {
    # Where the tests of a module are not in test_<module>*.py of the same package.
    "core/commands": ("core/test_names_edges.py",),
    "core/config": ("core/test_site_file_edges.py", "core/test_load_config.py"),
    "core/device_config": ("core/test_config_edges.py", "core/test_config.py"),
    "core/load_config": ("core/test_config_edges.py",),
    "core/local_window": ("core/test_price_config.py",),
    "core/errors": ("core/test_config.py",),
    "core/plan": ("core/test_names_edges.py", "control/test_plan_gate.py"),
    "core/ports": ("core/test_names_edges.py",),
    "core/reading": ("core/test_data_store.py",),
    "core/site_file": ("core/test_config.py",),
    "core/signals": ("core/test_names_edges.py",),
    "core/state_machine": ("core/test_names_edges.py",),
    "core/units": ("core/test_names_edges.py",),
    "safety/faults": ("safety/test_island.py",),
    "safety/limits": ("safety/test_island.py",),
    "safety/derating": ("safety/test_island.py",),
    "safety/finding": (
        "safety/test_faults.py",
        "safety/test_faults_edges.py",
        "safety/test_island.py",
    ),
    "safety/interlocks": ("safety/test_interlock_manager.py", "safety/test_island.py"),
    "safety/interlock_manager": ("core/test_names_edges.py",),
    "safety/bounds": (
        "safety/test_limits.py",
        "safety/test_limits_edges.py",
        "safety/test_derating_edges.py",
    ),
    "control/load_requests": ("core/test_names_edges.py",),
    "control/mode_manager": ("core/test_names_edges.py",),
    "control/modes/self_consumption": ("control/test_mode_manager.py",),
    "safety/assessment": ("safety/test_assessment_edges.py", "properties/test_cycle.py"),
    "safety/permit": ("control/test_safety_wrapper.py", "control/test_load_gate.py"),
    "control/cycle": ("control/test_cycle_edges.py", "properties/test_cycle.py"),
    "control/storage_unit": ("control/test_cycle_edges.py", "properties/test_cycle.py"),
    "devices/bms_safety_wrapper": (
        "devices/test_bms_wrapper.py",
        "devices/test_wrappers_edges.py",
        "devices/test_write_budget.py",
    ),
    "devices/inverter_safety_wrapper": (
        "devices/test_inverter_wrapper.py",
        "devices/test_wrappers_edges.py",
        "devices/test_write_budget.py",
    ),
    "devices/precharge": ("devices/test_contactor.py",),
    "devices/written_point": ("devices/test_write_budget.py",),
    "devices/registers": ("devices/test_profile.py",),
}

AROUND = {
    "core": ("core", "safety", "control", "devices", "properties"),
    "safety": ("safety", "control", "properties"),
    "control": ("control", "properties"),
    "devices": ("devices", "properties"),
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
    return tuple(
        _target(package, path)
        for package in PACKAGES
        for path in sorted((ROOT / "holdfast" / package).rglob("*.py"))
        if path.name != "__init__.py" and path.parent.name != "drivers"
    )


def _target(package: str, path: Path) -> Target:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    tests = ROOT / "tests"
    name = path.relative_to(ROOT / "holdfast").with_suffix("").as_posix()
    own = [tests / test for test in OWN_TESTS.get(name, ())]
    own += sorted((tests / package).glob(f"test_{path.stem}.py"))
    own += sorted((tests / package).glob(f"test_{path.stem}_*edges.py"))
    around = [
        test
        for folder in AROUND[package]
        for test in sorted((tests / folder).glob("test_*.py"))
        if test.name not in TOO_SLOW
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
