"""Run all proofs, the search of the state machine, and the canaries: ``python -m proofs``."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from functools import partial

from proofs import (
    obligations_arithmetic,
    obligations_envelope,
    obligations_limits,
    obligations_ramp,
    obligations_wrappers,
)
from proofs.canaries import ALL_IN_MODEL, CANARIES, Found, find, find_in_model
from proofs.proof import Proof, Result, prove
from proofs.state_machine_model import Check, check

PROOFS: dict[str, Proof] = {
    proof.name: proof
    for module in (
        obligations_arithmetic,
        obligations_envelope,
        obligations_ramp,
        obligations_limits,
        obligations_wrappers,
    )
    for proof in module.PROOFS
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 1 if anything is not proven, or a canary was not found."""
    parser = argparse.ArgumentParser(prog="python -m proofs", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    parser.add_argument("--only", metavar="TEXT", default="", help="proofs whose name has TEXT")
    parser.add_argument("--no-canaries", action="store_true", help="prove, but break nothing")
    options = parser.parse_args(arguments)

    def say(text: str) -> None:
        if not options.json:
            print(text, flush=True)

    started = time.process_time()
    results = _prove_all(options.only, say)
    searched = None if options.only else _search(say)
    found = () if options.only or options.no_canaries else _find_all(say)
    seconds = time.process_time() - started
    good = (
        bool(results)
        and all(result.proven for result in results)
        and (searched is None or searched.proven)
        and all(canary.found for canary in found)
    )
    if options.json:
        print(json.dumps(_report(results, searched, found, seconds, good=good), indent=2))
    say(_summary(results, searched, found, seconds, good=good))
    return 0 if good else 1


def _prove_all(only: str, say: Callable[[str], None]) -> tuple[Result, ...]:
    say(f"{'proof':40} {'theory':26} {'paths':>6} {'claims':>6} {'shown':>6} {'CPU s':>6}")
    lemmas: list[Callable[[], Result]] = [
        partial(obligations_arithmetic.prove_lemmas, bits) for bits in obligations_arithmetic.LEMMAS
    ]
    proofs: list[Callable[[], Result]] = [
        partial(prove, proof) for name, proof in PROOFS.items() if only in name
    ]
    results = []
    for run in proofs if only else [*lemmas, *proofs]:
        result = run()
        results.append(result)
        say(
            f"{result.name:40} {result.theory:26} {result.paths:6} {result.claims:6} "
            f"{result.discharged:6} {result.seconds:6.1f}{'' if result.proven else '  FAILED'}"
        )
        for failure in result.failures:
            say(f"  {failure}")
    return tuple(results)


def _search(say: Callable[[str], None]) -> Check:
    result = check()
    say(
        f"\nstate machine: {result.states} states, {result.transitions} transitions, "
        f"{result.seconds:.1f} s: {'every rule holds' if result.proven else 'FAILED'}"
    )
    for rule, trace in result.violations.items():
        say("\n  ".join((rule, *trace)))
    return result


def _find_all(say: Callable[[str], None]) -> tuple[Found, ...]:
    say("\ncode broken on purpose:")
    searches: Iterable[Callable[[], Found]] = (
        *(partial(find, canary, PROOFS) for canary in CANARIES),
        *(partial(find_in_model, name) for name in ALL_IN_MODEL),
    )
    found = []
    for search in searches:
        canary = search()
        found.append(canary)
        say(f"{'found' if canary.found else 'MISSED'} {canary.seconds:5.1f} s  {canary.canary}")
        say(f"    {canary.by}")
    return tuple(found)


def _summary(
    results: Sequence[Result],
    searched: Check | None,
    found: Sequence[Found],
    seconds: float,
    *,
    good: bool,
) -> str:
    proven = sum(result.proven for result in results)
    parts = [
        f"{proven} of {len(results)} proofs",
        f"{sum(result.paths for result in results)} paths",
        f"{sum(result.discharged for result in results)} obligations discharged",
    ]
    if searched is not None:
        parts.append(f"{searched.states} states of the machine")
    if found:
        parts.append(f"{sum(canary.found for canary in found)} of {len(found)} canaries found")
    return f"\n{', '.join(parts)}, {seconds:.0f} s of CPU: {'PROVEN' if good else 'NOT PROVEN'}"


def _report(
    results: Sequence[Result],
    searched: Check | None,
    found: Sequence[Found],
    seconds: float,
    *,
    good: bool,
) -> dict[str, object]:
    return {
        "proven": good,
        "seconds": round(seconds, 1),
        "proofs": [
            {
                **asdict(result),
                "proven": result.proven,
                "failures": [str(failure) for failure in result.failures],
            }
            for result in results
        ],
        "state_machine": None if searched is None else asdict(searched),
        "canaries": [asdict(canary) for canary in found],
    }


if __name__ == "__main__":
    sys.exit(main())
