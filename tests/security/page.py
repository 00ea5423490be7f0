"""Prints docs/security-requirements.md: ``python -m tests.security.page``."""

import sys
from collections import Counter
from collections.abc import Iterator

from tests.security.cra import CRA
from tests.security.en18031 import EN_18031
from tests.security.iec62443 import IEC_62443
from tests.security.requirement import Answer, Requirement

TABLES = {
    "IEC 62443-4-2": IEC_62443,
    "EN 18031-1": EN_18031,
    "Cyber Resilience Act, Annex I": CRA,
}
_TOP = """\
# Security requirements

Made by `python -m tests.security.page`; do not edit. What three documents ask of such a product,
what Holdfast answers, and what shows it: tests (below `tests/`) and files, of which a test sees
that they exist.

**Nobody else has assessed this.** No certificate and no security level is claimed. What is asked is
told in our own short words, from public summaries: whoever needs a conformity reads the documents
themselves, and the number in the first column finds the place. EN 18031 is written for radio
equipment, and Holdfast is a program: whoever sells it on a computer with a radio answers for both.

| answer | means |
|---|---|
| met | shown by what stands in the last column |
| partly | what is missing stands beside it |
| no | it is missing |
| not here | it is asked of the computer, of its owner, or of another kind of product |"""


def page() -> str:
    """All of it."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield _TOP
    for name, table in TABLES.items():
        counts = Counter(row.answer for row in table)
        yield from ("", f"## {name}", "")
        yield "; ".join(f"{answer}: {counts[answer]}" for answer in Answer) + "."
        yield ""
        if table is IEC_62443:
            yield "The second column has the security level from which a requirement counts."
            yield from ("", "| | level | asks | answer | how, or what is missing | shown by |")
            yield "|---|---|---|---|---|---|"
        else:
            yield from (
                "| | asks | answer | how, or what is missing | shown by |",
                "|---|---|---|---|---|",
            )
        for row in table:
            yield _row(row, with_level=table is IEC_62443)


def _row(row: Requirement, *, with_level: bool) -> str:
    shown = ", ".join(f"`{name}`" for name in row.evidence) or "–"
    level = [str(row.level)] if with_level else []
    return f"| {' | '.join((row.id, *level, row.asks, row.answer, row.how, shown))} |"


if __name__ == "__main__":
    sys.stdout.write(page())
