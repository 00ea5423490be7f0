"""A new release says whether the sites are as well as before.

``holdfast-slot`` runs this module, and takes any other end than 0 for a no.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from holdfast.deployment.site_states import BEFORE, SiteBefore, SiteWatch

STEADY_S = 60.0
"""For so long all sites have to be well without a break."""
_LOOK_S = 1.0


def are_well(
    sites: Sequence[SiteBefore],
    *,
    within_s: float,
    steady_s: float,
    tell: Callable[[str], None],
    look_s: float = _LOOK_S,
) -> bool:
    """Says whether all ``sites`` are well for ``steady_s``, before ``within_s`` are over."""
    watches = [(SiteWatch(Path(site.config)), site) for site in sites]
    until_s = time.monotonic() + within_s
    since_s = time.monotonic()
    last: list[str] = []
    while True:
        told = [
            f"{site.config}: {why}" for watch, site in watches if (why := watch.why_not_well(site))
        ]
        if told:
            since_s = time.monotonic()
        for line in told if told != last else ():
            tell(line)
        last = told
        if not watches or time.monotonic() - since_s >= steady_s:
            return True
        if time.monotonic() >= until_s:
            tell("that was too long")
            return False
        time.sleep(look_s)


def main() -> int:
    """0 if all sites are well."""
    parser = argparse.ArgumentParser(prog="python -m holdfast.deployment.health")
    parser.add_argument("--before", type=Path, required=True)
    parser.add_argument("--within", type=float, required=True, metavar="MINUTES")
    parser.add_argument("--steady", type=float, default=STEADY_S, metavar="SECONDS")
    options = parser.parse_args()
    sites = BEFORE.validate_json(options.before.read_bytes())

    def tell(text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    well = are_well(sites, within_s=60.0 * options.within, steady_s=options.steady, tell=tell)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
