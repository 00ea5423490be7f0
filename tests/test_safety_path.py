"""The safety path is named once; whatever cannot read that list says the same as it does."""

import configparser
import re
import tomllib

from mutants.safety_path import NOT_ON_IT, PACKAGES, is_below, modules, modules_of, pure_modules
from mutants.site import ROOT, path_of
from mutants.targets import AROUND

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
TOP_LEVEL = list(dict.fromkeys(name.split(".")[1] for name in PACKAGES))


def folder_of(package: str) -> str:
    return path_of(package).with_suffix("").as_posix()


def test_every_name_of_the_list_is_a_package_or_a_module() -> None:
    for names in PYPROJECT["tool"]["holdfast"].values():
        for name in names:
            assert modules_of((name,)), name


def test_it_holds_what_it_should_and_no_driver() -> None:
    found = modules()
    for module in ("core.signals", "safety.limits", "control.cycle", "devices.profile",
                   "devices.contactor.precharge", "site.assembly"):  # fmt: skip
        assert f"holdfast.{module}" in found
    assert not [module for module in found if ".drivers." in module]
    assert not [module for module in found if is_below(module, ("holdfast.runtime",))]


def test_a_name_is_no_prefix_of_another_name() -> None:
    assert is_below("holdfast.site", ("holdfast.site",))
    assert is_below("holdfast.site.assembly", ("holdfast.core", "holdfast.site"))
    assert not is_below("holdfast.site_file", ("holdfast.site",))


def test_the_contract_holds_for_all_of_it_that_reads_no_files() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter", encoding="utf-8")
    sources = contracts["importlinter:contract:pure"]["source_modules"].split()
    held = [module for module in modules_of(tuple(sources)) if not is_below(module, NOT_ON_IT)]
    assert sorted(held) == sorted(pure_modules())


def test_coverage_is_demanded_of_all_of_it() -> None:
    coverage = PYPROJECT["tool"]["coverage"]["run"]
    assert coverage["source"] == list(PACKAGES)
    assert coverage["omit"] == [
        f"{folder_of(name)}/*" if (ROOT / folder_of(name)).is_dir() else f"{folder_of(name)}.py"
        for name in NOT_ON_IT
    ]


def test_coverage_is_gathered_by_the_tests_of_each_of_its_packages() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    (listed,) = re.findall(r"^SAFETY_TESTS := (.*)$", makefile, re.MULTILINE)
    assert listed.split() == [f"tests/{package}" for package in TOP_LEVEL]


def test_each_of_its_packages_has_tests_that_see_what_a_mutant_does_around_it() -> None:
    assert list(AROUND) == TOP_LEVEL
