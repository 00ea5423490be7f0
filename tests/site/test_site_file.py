"""What is wrong with a site.yaml is said once, at its place, in words."""

import re
from pathlib import Path

import pytest
import yaml

from holdfast.core.errors import ConfigError
from holdfast.site.site_file import load_prices, parse_site
from tests.builders import site_content, unit_content
from tests.core.config.test_site import EXAMPLE, changed, refusal


def lines_of(text):
    first, *others = refusal(text).splitlines()
    assert first == f"site.yaml: {len(others)} wrong:"
    return others


def test_a_rule_of_ours_speaks_for_itself():
    assert lines_of(changed("timezone", "Berlin")) == [
        "  timezone: 'Berlin' is no IANA time zone, such as Europe/Berlin"
    ]


def test_a_rule_of_a_type_is_told_with_the_value():
    (line,) = lines_of(changed("cycle.period_ms", 5))
    assert line == "  cycle.period_ms: 5: must be at least 10"


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("storage.0.battery.capacity_wh", "10,24", "'10,24': is no number; write it such as 5.5, "),
        ("storage.0.inverter_hardware.charge_power_max_w", "5 kW", "'5 kW': is no number; "),
        ("storage.0.operation.soc_min_pct", 101, "101: must be at most 100"),
        ("storage.0.operation.ramp_w_per_s", 0, "0: must be above 0"),
        ("storage.0.battery.cells_in_series", 16.5, "16.5: must be a whole number"),
        (
            "storage.0.bms.connection.kind",
            "rs485",
            "kind must be one of 'modbus_tcp', 'modbus_rtu', '",
        ),
        ("storage.0.bms.connection.host", "http://10.0.0.5", "write only the name or address"),
    ],
)
def test_one_mistake_is_one_line_without_consequences(path, value, line):
    """An entry that is wrong is not told to be missing in its list, too."""
    (told,) = lines_of(changed(path, value))
    assert line in told


ODD = ("x", -1, 1e9, None, [], {}, [1], {"a": 1}, True, float("nan"))


def keys_of(content, path=""):
    """Every place in ``content``, as :func:`changed` takes it."""
    entries = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in entries:
        yield f"{path}{key}"
        if isinstance(value, dict | list):
            yield from keys_of(value, f"{path}{key}.")


@pytest.mark.parametrize("path", [*keys_of(yaml.safe_load(EXAMPLE))])
def test_whatever_is_wrong_is_told_in_words_of_the_file(path):
    for value in ODD:
        try:
            parse_site(changed(path, value))
        except ConfigError as error:
            text = str(error)
            for word in ("Input", "Tuple", " valid", "instance", "pars", "dictionary"):
                assert word not in text, text


@pytest.mark.parametrize("value", [[1, 2], {"a": 1}])
def test_a_whole_section_is_not_repeated_in_the_message(value):
    for line in lines_of(changed("name", value)):
        assert line.startswith("  name: must be text")


@pytest.mark.parametrize("value", [[1], "text", 7, True, None])
def test_a_section_that_is_no_mapping_is_named_and_does_not_crash(value):
    (line,) = lines_of(changed("grid", value))
    assert " grid: " in line


def test_what_concerns_the_file_as_a_whole_says_so():
    text = yaml.safe_dump(site_content(unit_content("a"), unit_content("a")))
    (line,) = lines_of(text)
    assert line.startswith("  the whole file: names of storage, loads and rooms must differ")


@pytest.mark.parametrize("text", ["", "[]", "just words"])
def test_what_is_no_mapping_is_told_how_to_begin(text):
    with pytest.raises(ConfigError, match=r"^x\.yaml: is empty; `holdfast init`"):
        parse_site(text, source="x.yaml")


FIXED = {"kind": "fixed", "price_per_kwh": 0.3}
TOKEN = {"token_env": "TOKEN"}


@pytest.mark.parametrize(
    "pasted", ["3f2504e0-4f89-11d3-9a0c-0305e82c3301", "sk_live_abcdef123", "5K4MVS-Ojf_dEDe", "1A"]
)
def test_a_token_that_was_pasted_in_place_of_a_name_is_refused_and_not_shown(pasted: str) -> None:
    content = site_content()
    content["prices"] = {
        "purchase": {"source": {"kind": "entsoe", "zone": "NL", "token_env": pasted}},
        "feed_in": {"source": FIXED},
    }
    with pytest.raises(ConfigError, match=r"prices\.purchase\.source\.token_env: ") as caught:
        parse_site(yaml.safe_dump(content))
    assert pasted not in str(caught.value)
    content["prices"]["purchase"]["source"] = {"kind": "tibber", "token": pasted}
    with pytest.raises(ConfigError, match=r"token: is not a known key") as caught:
        parse_site(yaml.safe_dump(content))
    assert pasted not in str(caught.value)


def test_a_token_of_digits_alone_is_not_shown_either() -> None:
    content = site_content()
    content["prices"] = {
        "purchase": {"source": {"kind": "entsoe", "zone": "NL", "token_env": 73519846}},
        "feed_in": {"source": FIXED},
    }
    with pytest.raises(ConfigError, match="token_env: must be text") as caught:
        parse_site(yaml.safe_dump(content))
    assert "73519846" not in str(caught.value)


def test_other_wrong_values_are_shown() -> None:
    content = site_content()
    content["prices"] = {
        "purchase": {"source": {"kind": "entsoe", "zone": "n l", **TOKEN}},
        "feed_in": {"source": FIXED},
    }
    with pytest.raises(
        ConfigError, match=r"prices\.purchase\.source\.zone: 'n l' is no bidding zone such as DE_LU"
    ):
        parse_site(yaml.safe_dump(content))


def test_a_name_in_another_form_is_shown_with_the_form() -> None:
    content = site_content()
    content["storage"][0]["name"] = "My Battery"
    with pytest.raises(
        ConfigError, match=r"storage\[0\]\.name: 'My Battery': does not have the form \^\[a-z\]"
    ):
        parse_site(yaml.safe_dump(content))


def test_paths_of_prices_count_from_the_folder_of_the_file() -> None:
    content = site_content()
    content["prices"] = {
        "purchase": {"source": {"kind": "tibber", "token_file": "secrets/tibber"}},
        "feed_in": {"source": {"kind": "file", "path": "/data/prices.csv"}},
    }
    site = parse_site(yaml.safe_dump(content), folder=Path("/etc/holdfast"))
    assert site.prices is not None
    purchase, feed_in = site.prices.purchase.source, site.prices.feed_in.source
    assert getattr(purchase, "token_file", None) == "/etc/holdfast/secrets/tibber"
    assert getattr(feed_in, "path", None) == "/data/prices.csv"


def test_paths_of_recipients_count_from_the_folder_of_the_file() -> None:
    content = site_content()
    hook = {"kind": "webhook", "url": "https://example.org/hook", "token_file": "secrets/hook"}
    phone = {"kind": "ntfy", "topic": "house"}
    content["notifications"] = {
        "recipients": [{"name": "ann", "channel": hook}, {"name": "bob", "channel": phone}]
    }
    site = parse_site(yaml.safe_dump(content), folder=Path("/etc/holdfast"))
    tokens = [getattr(one.channel, "token_file", "") for one in site.notifications.recipients]
    assert tokens == ["/etc/holdfast/secrets/hook", None]
    assert [one.kinds[0] for one in site.notifications.recipients] == ["new", "new"]


def test_a_file_of_a_version_that_is_not_known_is_refused_with_its_name():
    with pytest.raises(ConfigError, match=r"^house.yaml: version: 99: "):
        parse_site(yaml.safe_dump(site_content(version=99)), source="house.yaml")


def test_of_thousands_of_mistakes_the_first_are_told_and_the_others_counted() -> None:
    with pytest.raises(ConfigError) as refused:
        parse_site("\n".join(f"k{number}: 0" for number in range(9_000)))
    first, *lines = str(refused.value).splitlines()
    assert re.fullmatch(r"site.yaml: 90\d\d wrong:", first)
    assert len(lines) == 101
    assert re.fullmatch(r"  and 89\d\d more", lines[-1])


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "a: &a [*a]",
        "name: " + "x" * 1_000_000,
        "x" * 100_000 + ": 1",
        "grid: {import_max_w: " + "9" * 100_000 + "}",
        "limits: {" + ", ".join(f"r{n}: 1" for n in range(9_000)) + "}",
        "storage: [" + "{}, " * 15_000 + "]",
    ],
)
def test_whatever_stands_in_it_the_error_is_short(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_site(text)
    assert max(len(line) for line in str(refused.value).splitlines()) < 1000
    assert len(str(refused.value).splitlines()) <= 102


def test_an_end_that_is_not_reached_is_told_as_one():
    roof = {"peak_w": 5000, "tilt_deg": 30, "azimuth_deg": 360}
    place = {"location": {"latitude_deg": 50, "longitude_deg": 8}, "pv": {"arrays": [roof]}}
    (line,) = lines_of(yaml.safe_dump(site_content() | place))
    assert line == "  pv.arrays[0].azimuth_deg: 360: must be below 360"


def test_paths_of_rules_and_warnings_count_from_the_folder_of_the_file() -> None:
    content = site_content()
    content |= {"rules": "rules.yaml", "storm_reserve": {"file": "warnings/cap.xml"}}
    site = parse_site(yaml.safe_dump(content), folder=Path("/etc/holdfast"))
    assert site.rules == "/etc/holdfast/rules.yaml"
    assert site.storm_reserve is not None
    assert site.storm_reserve.file == "/etc/holdfast/warnings/cap.xml"
    assert parse_site(yaml.safe_dump(site_content())).rules is None


def test_paths_of_calendars_count_from_the_folder_of_the_file() -> None:
    content = site_content()
    content["schedule"] = {"calendars": {"away": {"kind": "ics", "path": "calendars/away.ics"}}}
    site = parse_site(yaml.safe_dump(content), folder=Path("/etc/holdfast"))
    assert getattr(site.schedule.calendars["away"], "path", None) == (
        "/etc/holdfast/calendars/away.ics"
    )


def test_prices_alone_are_read_with_paths_that_count_from_their_folder(tmp_path: Path) -> None:
    file = tmp_path / "tariff.yaml"
    file.write_text(
        "name: not read\n"
        "prices:\n"
        "  purchase: {source: {kind: file, path: day.xml}}\n"
        "  feed_in: {source: {kind: fixed, price_per_kwh: 0.08}}\n"
    )
    assert getattr(load_prices(file).purchase.source, "path", None) == str(tmp_path / "day.xml")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"grid: {}\n", "prices: is missing; write it as in site.yaml"),
        (b"- prices\n", "prices: is missing"),
        (b"prices: {purchase: 3}\n", "purchase"),
        (b"prices: {purchase: [\n", "tariff.yaml"),
        (b"\xff\xfe", "cannot be read"),
        (None, "cannot be read"),
    ],
)
def test_a_file_without_prices_is_refused_with_its_name(
    content: bytes | None, words: str, tmp_path: Path
) -> None:
    file = tmp_path / "tariff.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=re.escape(words)) as refused:
        load_prices(file)
    assert "tariff.yaml" in str(refused.value)


def test_paths_of_the_apis_certificate_count_from_the_folder_of_the_file() -> None:
    content = site_content()
    content["api"] = {"tls": {"certificate": "tls/cert.pem", "key": "/tls/key.pem"}}
    site = parse_site(yaml.safe_dump(content), folder=Path("/etc/holdfast"))
    assert getattr(site.api.tls, "certificate", None) == "/etc/holdfast/tls/cert.pem"
    assert getattr(site.api.tls, "key", None) == "/tls/key.pem"
