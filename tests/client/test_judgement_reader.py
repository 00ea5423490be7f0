"""Who leads, as the planner reads it: what cannot be believed leaves the plans in the lead."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from holdfast.client.judgement_reader import read_judgement, rule_leads
from holdfast.monitoring.judgement import VALID_FOR, Judgement, encode_judgement
from holdfast.monitoring.plan_judge import PlansVerdict, Weighed, WhoLeads
from holdfast.site.files import SiteFiles
from tests.builders import build_site

FIXED = {"source": {"kind": "fixed", "price_per_kwh": 0.3}}
PRICES = {"purchase": FIXED, "feed_in": FIXED}
SITE = build_site(prices=PRICES)
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
RULE = Judgement(
    site=SITE.name,
    currency="EUR",
    made=NOW,
    leads=WhoLeads.RULE,
    looked=date(2026, 11, 29),
    verdict=PlansVerdict.RULE_LEADS,
    weighed=Weighed(days=28, total=-1.2, mean=-0.043, low=-0.07, high=-0.01),
)


@pytest.fixture
def files(tmp_path: Path) -> SiteFiles:
    return SiteFiles(state_dir=tmp_path)


def test_it_tells_why_the_rule_leads(files: SiteFiles) -> None:
    assert rule_leads(SITE, files, NOW) == ""
    files.judgement.write_bytes(encode_judgement(RULE))
    assert read_judgement(SITE, files, NOW) == RULE
    told = rule_leads(SITE, files, NOW)
    assert told == "self-consumption leads: plans earned 1.20 EUR less on 28 days"
    files.judgement.write_bytes(encode_judgement(replace(RULE, leads=WhoLeads.PLANS)))
    assert rule_leads(SITE, files, NOW) == ""


def test_a_file_that_is_cut_off_anywhere_leaves_plans_in_the_lead(files: SiteFiles) -> None:
    content = encode_judgement(RULE)
    for length in range(len(content)):
        files.judgement.write_bytes(content[:length])
        assert rule_leads(SITE, files, NOW) == ""


@pytest.mark.parametrize(
    "judgement",
    [
        replace(RULE, made=NOW - VALID_FOR - timedelta(minutes=1)),
        replace(RULE, made=NOW + timedelta(hours=1)),
        replace(RULE, site="another"),
        replace(RULE, currency="SEK"),
    ],
    ids=["old", "from the future", "another site", "another currency"],
)
def test_what_does_not_count_leaves_plans_in_the_lead(
    files: SiteFiles, judgement: Judgement
) -> None:
    files.judgement.write_bytes(encode_judgement(judgement))
    assert rule_leads(SITE, files, NOW) == ""


def test_an_owner_who_wants_no_judge_gets_plans(files: SiteFiles) -> None:
    files.judgement.write_bytes(encode_judgement(RULE))
    assert rule_leads(build_site(prices=PRICES, planner={"judged": False}), files, NOW) == ""
