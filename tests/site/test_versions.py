"""Files of an older version are read as before; a newer one, and an old name, are told apart."""

import copy
from typing import Any

import pytest
import yaml

from holdfast.core.errors import ConfigError
from holdfast.site import versions
from holdfast.site.site_file import parse_site
from holdfast.site.versions import Renamed, bring_up_to_date
from tests.builders import site_content

ROWS = (
    Renamed(since=2, old="title", new="name"),
    Renamed(since=2, section=("storage", "battery"), old="size_wh", new="capacity_wh"),
)


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two keys were renamed in version 2."""
    monkeypatch.setattr(versions, "VERSION", 2)
    monkeypatch.setattr(versions, "RENAMED", ROWS)


def old_content(**changes: object) -> dict[str, Any]:
    content: dict[str, Any] = copy.deepcopy(site_content()) | changes
    content["title"] = content.pop("name")
    battery = content["storage"][0]["battery"]
    battery["size_wh"] = battery.pop("capacity_wh")
    return content


@pytest.mark.parametrize("version", [{}, {"version": 1}])
def test_a_file_of_today_is_read(version: dict[str, int]) -> None:
    assert parse_site(yaml.safe_dump(site_content(**version))).version == 1


@pytest.mark.usefixtures("second")
@pytest.mark.parametrize("version", [{}, {"version": 1}])
def test_an_older_file_is_read_by_its_names(version: dict[str, int]) -> None:
    site = parse_site(yaml.safe_dump(old_content(**version)))
    wanted = site_content()
    assert site.name == wanted["name"]
    assert site.storage[0].battery.capacity_wh == wanted["storage"][0]["battery"]["capacity_wh"]
    assert site.version == 2


@pytest.mark.usefixtures("second")
def test_an_old_name_in_a_newer_file_is_told_the_new_one() -> None:
    with pytest.raises(ConfigError, match=r"^site.yaml: title: is called name since version 2$"):
        parse_site(yaml.safe_dump(old_content(version=2)))
    content = site_content(version=2)
    content["storage"][0]["battery"]["size_wh"] = 1
    with pytest.raises(ConfigError, match=r"storage\.battery\.size_wh: is called capacity_wh"):
        parse_site(yaml.safe_dump(content))


@pytest.mark.usefixtures("second")
def test_two_names_of_one_key_are_refused() -> None:
    with pytest.raises(ConfigError, match="title: stands there as name, too"):
        bring_up_to_date({"title": "a", "name": "b"})


@pytest.mark.usefixtures("second")
@pytest.mark.parametrize("storage", [None, 5, [], [5], [None], [{"battery": 5}], "text"])
def test_what_is_no_section_is_left_to_who_checks_it(storage: object) -> None:
    content = {"storage": storage}
    bring_up_to_date(content)
    assert content == {"storage": storage, "version": 2}


def test_a_file_that_is_too_new_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"version: 2: .* up to version 1; a newer Holdfast"):
        parse_site(yaml.safe_dump(site_content(version=2)))


@pytest.mark.parametrize("version", [0, -1, 1.0, True, "1", None, [1]])
def test_what_is_no_version_is_refused(version: object) -> None:
    with pytest.raises(ConfigError, match=r"version: .*must be a whole number from 1 to 1"):
        parse_site(yaml.safe_dump(site_content(version=version)))
