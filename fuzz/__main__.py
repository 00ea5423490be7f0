"""``python -m fuzz``: look for inputs that a decoder neither takes rightly nor refuses."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from fuzz.campaign import ROOT, Result, has_atheris, run
from fuzz.table import TARGETS

_SECONDS = 20.0
_NO_ATHERIS = (
    "atheris is not installed (it has wheels for Linux on x86-64 alone): inputs are changed at "
    "random, and not led by what they reach"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 if everything held, 1 if not, 2 if there is no such target."""
    options = _options(arguments)
    if options.rerun is not None:
        return _rerun(options.rerun)
    targets = [name for name in TARGETS if options.target in name]
    if not targets:
        _say(f"no target has {options.target!r} in its name; --list shows them", file=sys.stderr)
        return 2
    if options.list:
        for name in targets:
            _say(f"{name:22} {TARGETS[name].eats}")
        return 0
    return _campaign(targets, options)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--target", metavar="TEXT", default="", help="those with TEXT in the name")
    parser.add_argument(
        "--seconds", type=float, default=_SECONDS, metavar="S", help="for each target"
    )
    parser.add_argument(
        "--runs", type=int, metavar="N", help="at most N inputs for each, always the same ones"
    )
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="targets at a time")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "fuzz", metavar="FOLDER")
    parser.add_argument("--list", action="store_true", help="say which targets there are")
    parser.add_argument("--rerun", type=Path, metavar="FILE", help="try an input that was found")
    parser.add_argument("--unguided", action="store_true", help="do without atheris")
    return parser.parse_args(arguments)


def _campaign(targets: Sequence[str], options: argparse.Namespace) -> int:
    guided = has_atheris() and not options.unguided
    if not has_atheris():
        _say(_NO_ATHERIS)
    _say(f"{'target':22} {'tried':>9} {'new':>6}")
    results = run(
        targets,
        seconds=options.seconds,
        runs=options.runs,
        folder=options.folder,
        jobs=options.jobs,
        engine="fuzz.guided" if guided else "fuzz.unguided",
        say=_say_result,
    )
    bad = [result for result in results if not result.is_good]
    tried = sum(result.tried for result in results)
    _say(
        f"\n{tried} inputs for {len(results)} targets: {len(bad)} of them FAILED"
        if bad
        else f"\n{tried} inputs for {len(results)} targets: everything held"
    )
    return 1 if bad else 0


def _say_result(result: Result) -> None:
    outcome = "" if result.is_good else "  FAILED"
    _say(f"{result.target:22} {result.tried:9} {result.new:6}{outcome}")
    if not result.is_good:
        _say("    " + result.told.replace("\n", "\n    "))
    for path in result.found:
        shown = os.path.relpath(path)
        _say(f"  the input is kept; try it with: python -m fuzz --rerun {shown}")


def _rerun(path: Path) -> int:
    """Tries one input, and lets whatever it raises through."""
    name = path.resolve().parent.name
    if name not in TARGETS:
        _say(f"{path}: the folder of an input is named as its target", file=sys.stderr)
        return 2
    accepted = TARGETS[name].run(path.read_bytes())
    _say(f"{name}: everything holds; it is {'accepted' if accepted else 'refused'}")
    return 0


def _say(text: str, *, file: object = None) -> None:
    print(text, file=file or sys.stdout, flush=True)  # type: ignore[arg-type]


if __name__ == "__main__":
    sys.exit(main())
