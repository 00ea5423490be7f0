"""``python -m mutants``: break the safety path in every small way, and see a test notice."""

import argparse
import fnmatch
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TextIO

from mutants.campaign import CampaignError, Result, jobs_of, run
from mutants.canaries import check_canaries
from mutants.equivalent import excused, stale
from mutants.exclusions import EXCLUDED
from mutants.fate import Fate
from mutants.names import Vocabulary, vocabulary
from mutants.process import prepare
from mutants.safety_path import modules
from mutants.site import ROOT, Site, path_of, sites_of
from mutants.targets import Target, targets

_FAILURES = (Fate.SURVIVED, Fate.CRASHED, Fate.NO_TESTS)


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code: 0 if every mutant is noticed or excused, 1 if not, 2 if the run proves nothing."""
    options = _options(argv)
    if options.exclusions:
        _say("\n".join(f"{what}: {why}" for what, why in EXCLUDED.items()))
        return 0
    prepare()
    words = vocabulary(ROOT / path_of(module) for module in modules())
    try:
        return _campaign(options, words)
    except CampaignError as error:
        _say(f"the run proves nothing: {error}", file=sys.stderr)
        return 2


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m mutants", description=__doc__)
    parser.add_argument(
        "--module", action="append", metavar="PATTERN", help="such as 'holdfast.safety.*'"
    )
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="workers at a time")
    parser.add_argument("--sample", type=int, metavar="N", help="only N mutants, drawn at random")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the sample")
    parser.add_argument("--equivalent", action="store_true", help="run those excused as well")
    parser.add_argument("--own", action="store_true", help="only each module's own tests")
    parser.add_argument("--json", action="store_true", help="one line for each mutant")
    parser.add_argument("--list", action="store_true", help="say what there is, run nothing")
    parser.add_argument("--exclusions", action="store_true", help="say what is not mutated, why")
    return parser.parse_args(argv)


def _campaign(options: argparse.Namespace, words: Vocabulary) -> int:
    chosen = [
        (_shortened(target, options), sites_of(target.module, words))
        for target in targets()
        if _is_chosen(target, options.module)
    ]
    everything = [site for _, sites in chosen for site in sites]
    if not everything:
        raise CampaignError("no module has that name")
    names = {target.module for target, _ in chosen}
    complaints = [text for text in stale(everything) if text.partition(":")[0] in names]
    if complaints:
        raise CampaignError("stale entries of mutants/equivalent.py\n" + "\n".join(complaints))
    if options.list:
        _say("\n".join(f"{site}\n    {site.source}" for site in everything))
        return 0
    excuses = excused(everything)
    to_run = set(_sampled(everything, options))
    if not options.equivalent:
        to_run -= excuses.keys()
    started_s = time.monotonic()
    canaries = check_canaries(words)
    jobs = jobs_of([(t, [site for site in sites if site in to_run]) for t, sites in chosen])
    results = run(
        jobs, words, workers=options.jobs, say=_say_json if options.json else lambda _: None
    )
    return _report(results, excuses, canaries, time.monotonic() - started_s, options)


def _is_chosen(target: Target, patterns: Sequence[str] | None) -> bool:
    return not patterns or any(fnmatch.fnmatch(target.module, pattern) for pattern in patterns)


def _shortened(target: Target, options: argparse.Namespace) -> Target:
    return replace(target, stages=target.stages[:1]) if options.own else target


def _sampled(sites: Sequence[Site], options: argparse.Namespace) -> Sequence[Site]:
    if options.sample is None or options.sample >= len(sites):
        return sites
    return random.Random(options.seed).sample(sites, options.sample)


def _say_json(result: Result) -> None:
    site, verdict = result.site, result.verdict
    line = {
        "module": site.module, "line": site.line, "family": site.family, "source": site.source,
        "change": site.change, "fate": verdict.fate, "by": verdict.by, "tests": verdict.tests,
        "cpu_s": round(verdict.cpu_s, 3),
    }  # fmt: skip
    _say(json.dumps(line, ensure_ascii=False))


def _say(text: str, file: TextIO | None = None) -> None:
    print(text, file=file, flush=True)


def _report(
    results: Sequence[Result],
    excuses: dict[Site, str],
    canaries: int,
    seconds: float,
    options: argparse.Namespace,
) -> int:
    out = sys.stderr if options.json else sys.stdout
    modules = sorted({result.site.module for result in results})
    width = max((len(module) for module in modules), default=0)
    _say(f"{'':{width}}  " + "  ".join(f"{fate:>9}" for fate in Fate), file=out)
    for module in modules:
        counts = Counter(r.verdict.fate for r in results if r.site.module == module)
        _say(f"{module:{width}}  " + "  ".join(f"{counts[f]:>9}" for f in Fate), file=out)
    counts = Counter(result.verdict.fate for result in results)
    _say(f"{'all':{width}}  " + "  ".join(f"{counts[f]:>9}" for f in Fate), file=out)
    bad = _failures(results, excuses)
    for text in bad:
        _say(text, file=out)
    sampled = "" if options.sample is None else f" (a sample with seed {options.seed})"
    _say(
        f"{len(results)} mutants{sampled}, {len(excuses)} excused as equivalent, {canaries} "
        f"canaries met their fate, {seconds:.0f} s: " + ("FAILED" if bad else "every one noticed"),
        file=out,
    )
    return 1 if bad else 0


def _failures(results: Sequence[Result], excuses: dict[Site, str]) -> list[str]:
    texts = []
    for result in results:
        site, fate = result.site, result.verdict.fate
        if site in excuses:
            if fate is not Fate.SURVIVED:
                texts.append(f"{site}\n    excused, but {fate} by {result.verdict.by}")
        elif fate in _FAILURES:
            texts.append(f"{site}\n    {fate} {result.verdict.by}: {site.source}")
    return texts


if __name__ == "__main__":
    raise SystemExit(main())
