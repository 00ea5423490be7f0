"""Documentation that does not run will lie."""

import re
import shlex
from pathlib import Path

import pytest

import holdfast
from holdfast.cli.commands import COMMANDS
from holdfast.cli.configuration import configuration_page, meanings, sections
from holdfast.cli.device_page import device_page
from holdfast.cli.faults import troubleshooting_page
from holdfast.cli.limits import reference_page
from holdfast.cli.main import main
from holdfast.devices.can_frames import CanAsk, CanField, CanFlag, CanFrame
from holdfast.devices.can_profile import CanProfile
from holdfast.devices.dbc import DbcRows, DbcSignal
from holdfast.devices.gpio_profile import GpioProfile, GpioRead, GpioWrite
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.registers import RegisterRead, RegisterWrite

PACKAGE = Path(holdfast.__file__).parent
REPOSITORY = PACKAGE.parent
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])


def _commands() -> list[tuple[str, str]]:
    """Every `holdfast ...` that a page shows, once."""
    found = {}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for line in re.findall(
            r"^ *(?:\$ )?(holdfast [a-z].*)$|`(holdfast [a-z][^`]*)`", text, re.M
        ):
            command = re.split(r"\s{2,}|\s#", line[0] or line[1])[0].strip()
            found.setdefault(command, page.name)
    return sorted((page, command) for command, page in found.items())


def test_the_pages_show_commands():
    assert len(_commands()) >= 10


@pytest.mark.parametrize(("page", "command"), _commands())
def test_every_command_that_is_shown_is_understood(page, command, capsys):
    """The words before the first placeholder are parsed by the real parser."""
    words = [w for w in shlex.split(command)[1:] if not re.fullmatch(r"[\[|].*|.*[\]|,]", w)]
    options = [word.split("=")[0] for word in words if word.startswith("--")]
    with pytest.raises(SystemExit) as ended:
        main([words[0], "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for option in options:
        assert option in text, f"{page} shows {option}, which `holdfast {words[0]}` does not have"


def test_every_site_that_a_page_shows_is_right(tmp_path, capsys):
    shown = [
        (page.name, text)
        for page in PAGES
        for text in re.findall(r"```yaml\n(name: .*?)```", page.read_text(encoding="utf-8"), re.S)
        if "storage:" in text
    ]
    assert {page for page, _ in shown} >= {"README.md", "backtest.md"}
    for page, text in shown:
        config = tmp_path / "site.yaml"
        config.write_text(text, encoding="utf-8")
        assert main(["check", "--config", str(config)]) == 0, (page, capsys.readouterr().err)


def test_links_between_pages_lead_somewhere():
    broken = [
        f"{page.name} -> {target}"
        for page in PAGES
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_architecture_names_every_package_and_no_other():
    text = (REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8")
    table = text.split("## Packages")[1].split("##")[0]
    named = {
        package
        for row in re.findall(r"^\| (`[^|]*`) \|", table, re.M)
        for package in re.findall(r"`([a-z]+)`", row)
    }
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert named == packages


def test_the_changelog_knows_this_version():
    text = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {holdfast.__version__} " in text


def test_the_page_of_limits_is_what_the_tables_say():
    page = (REPOSITORY / "docs" / "limits.md").read_text(encoding="utf-8")
    assert page == reference_page(), "run: holdfast limits --markdown > docs/limits.md"


def test_the_page_of_the_configuration_is_what_the_sections_say():
    page = (REPOSITORY / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert page == configuration_page(), "run: holdfast init --markdown > docs/configuration.md"


@pytest.mark.parametrize(
    ("name", "made", "by"),
    [
        ("hardware.md", device_page, "holdfast devices list --markdown"),
        ("troubleshooting.md", troubleshooting_page, "holdfast faults --markdown"),
    ],
)
def test_a_page_of_tables_is_what_they_say(name, made, by):
    page = (REPOSITORY / "docs" / name).read_text(encoding="utf-8")
    assert page == made(), f"run: {by} > docs/{name}"


def test_the_page_of_privacy_has_every_address_that_is_asked():
    """Each section of site.yaml that names an address outside, and what it is if nobody does."""
    text = (REPOSITORY / "docs" / "privacy.md").read_text(encoding="utf-8")
    asked = {
        section.__name__: section.model_fields[key].default
        for section in sections()
        for key in ("url", "issuer")
        if key in section.model_fields
    }
    told = {"HomeAssistantSource": "home_assistant", "StormReserve": "storm_reserve"}
    told |= {"WebhookChannel": "`notifications`, kind `webhook`"}
    told |= {"Oidc": "api.oidc", "History": "`history` with `url`"}
    for name, default in asked.items():
        word = default if isinstance(default, str) and default else told[name]
        assert word in text, f"{name} asks somebody, and docs/privacy.md does not say so"


@pytest.mark.parametrize("section", sections())
def test_every_key_of_the_configuration_says_what_it_means(section):
    assert set(section.model_fields) <= set(meanings(section))


TABLES = (
    ModbusProfile,
    CanProfile,
    RegisterRead,
    RegisterWrite,
    CanFrame,
    CanField,
    CanFlag,
    CanAsk,
    DbcRows,
    DbcSignal,
    GpioProfile,
    GpioRead,
    GpioWrite,
)


@pytest.mark.parametrize("table", TABLES)
def test_the_page_of_device_tables_has_every_key(table):
    text = (REPOSITORY / "docs" / "device-tables.md").read_text(encoding="utf-8")
    assert [key for key in table.model_fields if not re.search(rf"`{key}[`:]", text)] == []


def test_the_page_of_commands_has_a_row_for_each():
    text = (REPOSITORY / "docs" / "commands.md").read_text(encoding="utf-8")
    table = text.split("| command | 1 means |")[1]
    rows = re.findall(r"^\| (`[^|]*`) \|", table, re.M)
    assert sorted(re.findall(r"`([a-z-]+)`", " ".join(rows))) == sorted(COMMANDS)


def test_every_decision_is_listed():
    folder = REPOSITORY / "docs" / "decisions"
    listed = (folder / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in folder.glob("0*.md") if page.name not in listed] == []
