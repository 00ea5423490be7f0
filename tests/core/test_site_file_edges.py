"""What is wrong with a site.yaml is said once, at its place, in words."""

from pathlib import Path

import pytest
import yaml

from holdfast.core.errors import ConfigError
from holdfast.core.site_file import parse_site
from tests.builders import site_content, unit_content
from tests.core.test_config import changed, refusal


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
    assert line == "  cycle.period_ms: 5: input should be greater than or equal to 10"


@pytest.mark.parametrize("value", [[1, 2], {"a": 1}])
def test_a_whole_section_is_not_repeated_in_the_message(value):
    for line in lines_of(changed("name", value)):
        assert line.startswith("  name: Input should be")


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


def test_keys_that_are_lists_are_compared_by_what_is_in_them():
    assert "twice" not in refusal("? [a]\n: 1\n? [b]\n: 2\n")
    assert "twice" in refusal("? [a]\n: 1\n? [a]\n: 2\n")


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


def test_other_wrong_values_are_shown() -> None:
    content = site_content()
    content["prices"] = {
        "purchase": {"source": {"kind": "entsoe", "zone": "n l", **TOKEN}},
        "feed_in": {"source": FIXED},
    }
    with pytest.raises(ConfigError, match=r"prices\.purchase\.source\.zone: 'n l': string should"):
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
    assert getattr(purchase, "token_file", None) == Path("/etc/holdfast/secrets/tibber")
    assert getattr(feed_in, "path", None) == Path("/data/prices.csv")
