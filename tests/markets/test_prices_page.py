"""docs/prices.md: every snippet is a configuration that is accepted, and no source is left out."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import holdfast
from holdfast.core.config.prices import SOURCE_KINDS
from holdfast.markets.sources.bidding_zones import EIC, eic_of
from holdfast.markets.sources.catalogue import check_source
from holdfast.site.site_file import parse_site
from tests.builders import site_content

PAGE = (Path(holdfast.__file__).parent.parent / "docs" / "prices.md").read_text(encoding="utf-8")
SNIPPETS = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.S)]
FIXED = {"source": {"kind": "fixed", "price_per_kwh": 0.1}}


def whole(snippet: dict[str, Any]) -> dict[str, Any]:
    """The prices section that the snippet is a part of."""
    if "prices" in snippet:
        prices: dict[str, Any] = snippet["prices"]
        return prices
    if "demand_charges" in snippet:
        return {"purchase": FIXED, "feed_in": FIXED, **snippet}
    return {"purchase": snippet, "feed_in": snippet}


@pytest.mark.parametrize("snippet", SNIPPETS, ids=str)
def test_each_snippet_is_accepted(snippet: dict[str, Any]) -> None:
    site = parse_site(yaml.safe_dump(site_content(prices=whole(snippet))))
    assert site.prices is not None
    check_source(site.prices.purchase.source)


def test_every_kind_of_source_has_a_snippet() -> None:
    sources = [whole(snippet)["purchase"]["source"]["kind"] for snippet in SNIPPETS]
    assert set(sources) == set(SOURCE_KINDS)


def test_codes_of_zones_have_the_form_of_codes() -> None:
    assert all(re.fullmatch(r"10Y[A-Z0-9-]{12}[A-Z0-9]", code) for code in EIC.values())
    assert len(set(EIC.values())) == len(EIC)
    assert eic_of("DE_LU") == eic_of("10Y1001A1001A82H") == "10Y1001A1001A82H"
