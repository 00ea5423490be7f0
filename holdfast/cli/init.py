"""``holdfast init`` asks what a site is made of, and writes its site.yaml."""

import argparse
import sys
from importlib.resources import files
from pathlib import Path

from holdfast.cli.configuration import configuration_page
from holdfast.deployment.wizard.conclusion import write_new, write_site
from holdfast.deployment.wizard.finding import found_behind, local_zone
from holdfast.deployment.wizard.places import understand_place
from holdfast.deployment.wizard.question import NotAnAnswer, SiteQuestion
from holdfast.deployment.wizard.questions import next_question

DESCRIPTION = """\
Ask what is installed at your site, look what answers at the inverter's address, and write a
site.yaml with comments. Enter takes what stands in brackets, < goes one question back, Ctrl-C ends
it and nothing is written. --page asks the same on a page, for a browser. An existing file is left
alone.

Without a terminal, and with --example, an example of a site.yaml is written instead, to be changed
by hand. --markdown prints the reference of all keys, with their defaults and ranges.
"""
_BACK = "<"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument(
        "file", type=Path, nargs="?", default=Path("site.yaml"), help="default: site.yaml"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--ask", action="store_true", help="ask, also without a terminal")
    how.add_argument("--page", action="store_true", help="ask on a page, for a browser")
    how.add_argument("--example", action="store_true", help="ask nothing, write an example")
    how.add_argument("--markdown", action="store_true", help="print the reference of all keys")
    parser.add_argument(
        "--replace",
        action="store_true",
        help="write in the place of a file that is there; that one is kept as FILE.before",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="--page: listen here (default: this computer alone)"
    )
    parser.add_argument("--port", type=int, default=9480, help="--page: at this port")


def execute(options: argparse.Namespace) -> int:
    """Writes the file; 1 if there is a file of that name, or it cannot be written."""
    if options.markdown:
        print(configuration_page(), end="")
        return 0
    path: Path = options.file
    if path.exists() and not options.replace:
        print(f"{path} exists and was left as it is; name another file, or --replace")
        return 1
    try:
        if options.page:
            return _on_page(options)
        asks = options.ask or (sys.stdin.isatty() and not options.example)
        return (_ask if asks else _example)(path, replace=options.replace)
    except OSError as error:
        print(f"{path} cannot be written: {error}")
        return 1


def _example(path: Path, *, replace: bool) -> int:
    text = (files("holdfast.cli") / "templates" / "site.yaml").read_text(encoding="utf-8")
    write_new(path, text, replace=replace)
    print(f"wrote {path}; describe your site in it, then: holdfast check --config {path}")
    return 0


def _on_page(options: argparse.Namespace) -> int:
    # Where nobody asks on a page no server is loaded.
    from holdfast.deployment.wizard.page import WizardPage, serve

    page = WizardPage(options.file, replace=options.replace)
    return serve(page, options.host, options.port, print)


def _ask(path: Path, *, replace: bool) -> int:
    answers = {"local_zone": local_zone()} | _looked_for()
    order: list[str] = []
    while (question := next_question(answers)) is not None:
        typed = _typed(question, answers)
        if typed == _BACK:
            if order:
                answers.pop(order.pop())
            continue
        try:
            answers[question.key] = question.take(typed, answers)
            order.append(question.key)
        except NotAnAnswer as error:
            print(f"  {error}")
    notes = write_site(answers, path, replace=replace)
    print(f"\nwrote {path}")
    print("".join(f"  {note}\n" for note in notes), end="")
    print(f"next: holdfast check --connect --config {path}")
    return 0


def _looked_for() -> dict[str, str]:
    """Asks for an address and looks what is there."""
    print("At which address is the inverter? Such as 192.168.1.20. Enter: choose from a list.")
    while True:
        typed = _line("> ").strip()
        if not typed or typed == _BACK:
            return {}
        try:
            place = understand_place("modbus", typed)
        except NotAnAnswer as error:
            print(f"  {error}")
            continue
        print("looking, which may take two minutes; nothing is written to it")
        found = found_behind(place, lambda line: print(f"  {line}"))
        if not found:
            print("  no table that comes with Holdfast fits; choose from the list")
        return {"inverter_seen_at": place} | found


def _typed(question: SiteQuestion, answers: dict[str, str]) -> str:
    print(f"\n{question.text}")
    if question.help:
        print(f"  {question.help}")
    for index, option in enumerate(question.options(answers), start=1):
        print(f"  {index:2} {option.value}{f': {option.text}' if option.text else ''}")
    likely = question.likely(answers)
    return _line(f"[{likely}] > " if likely else "> ")


def _line(prompt: str) -> str:
    """Reads a line. Raises KeyboardInterrupt where there is no more: nothing is written."""
    print(prompt, end="", flush=True)
    line = sys.stdin.readline()
    if not line:
        raise KeyboardInterrupt
    return line.rstrip("\n")
