"""Canaries: planted mutants whose fate is known. If one does not meet it, nothing counts."""

from collections.abc import Callable

from mutants.campaign import CampaignError, baseline, run_site
from mutants.fate import Fate
from mutants.names import Vocabulary
from mutants.site import Site, sites_of
from mutants.targets import Target

PLANTED = Target(module="mutants.planted.module", stages=(("mutants/planted/checks.py",),))

EXPECTED = {
    # (line of mutants/planted/module.py, change): its fate
    ("UNUSED = 7", "7 -> 8"): Fate.SURVIVED,
    ("UNUSED = 7", "7 -> 6"): Fate.SURVIVED,
    ("if value >= 0.0:", "value >= 0.0 -> value > 0.0"): Fate.SURVIVED,
    ('TABLE = {"wanted": 3}', "3 -> 4"): Fate.KILLED,
    ("return low <= value <= high", "low <= value <= high -> low < value <= high"): Fate.KILLED,
    ("return low <= value <= high", "low <= value <= high -> low <= value < high"): Fate.KILLED,
    ("return max(one, other)", "max(one, other) -> min(one, other)"): Fate.KILLED,
    ("return abs(value)", "return abs(value) -> return None"): Fate.KILLED,
    ("while count > 0:", "count > 0 -> False"): Fate.KILLED,
    ('TABLE = {"wanted": 3}', "without 'wanted': 3"): Fate.STILLBORN,
    ('WANTED = TABLE["wanted"]', "'wanted' -> 'wanted_'"): Fate.STILLBORN,
    ("while count > 0:", "count > 0 -> True"): Fate.TIMED_OUT,
    ("count -= 1", "count -= 1 -> count += 1"): Fate.TIMED_OUT,
    ("CAREFUL = True", "True -> False"): Fate.CRASHED,
}

LIMIT_S = 2.0


def check_canaries(vocabulary: Vocabulary, say: Callable[[str], None] = lambda _: None) -> int:
    """Run them; how many there are. Raises CampaignError if one does not meet its fate."""
    baseline(PLANTED)
    by_change: dict[tuple[str, str], Site] = {}
    for site in sites_of(PLANTED.module, vocabulary):
        by_change.setdefault((site.source, site.change), site)
    for key, expected in EXPECTED.items():
        if key not in by_change:
            raise CampaignError(f"canary: {key} is no site of the planted module")
        verdict = run_site(PLANTED, by_change[key], (LIMIT_S,), vocabulary)
        if verdict.fate is not expected:
            raise CampaignError(
                f"canary: {key[1]} should have {expected} and has {verdict.fate} {verdict.by}"
            )
        say(f"canary {expected}: {key[1]}")
    return len(EXPECTED)
