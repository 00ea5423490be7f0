"""Under which licences that comes which Holdfast installs: ``python -m release.licences`` prints
docs/licences.md."""

import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

from release.closure import Part, parts
from release.npm_parts import NpmPart, npm_parts

ROOT = Path(__file__).parent.parent
_SPDX = frozenset(
    {"MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MPL-2.0", "PSF-2.0", "ISC", "0BSD"}
)
"""What may stand in the old field ``License`` and means what it says."""
READ = {
    # Where the metadata have no SPDX expression: read in the licence file of the wheel.
    "aiomqtt": "BSD-3-Clause",
    "annotated-types": "MIT",
    "cel-python": "Apache-2.0",
    "contourpy": "BSD-3-Clause",
    "cycler": "BSD-3-Clause",
    "defusedxml": "PSF-2.0",
    "google-re2": "BSD-3-Clause",
    "kiwisolver": "BSD-3-Clause",
    "markdown-it-py": "MIT",
    "matplotlib": "LicenseRef-matplotlib",
    "mdurl": "MIT",
    "pendulum": "MIT",
    "pyasn1-modules": "BSD-2-Clause",
    "pyopenssl": "Apache-2.0",
    "pyserial": "BSD-3-Clause",
    "pysunspec2": "Apache-2.0",
    "python-dateutil": "Apache-2.0 AND BSD-3-Clause",
    "scipy": "BSD-3-Clause",
    "wrapt": "BSD-2-Clause",
}
_OBLIGING = ("GPL", "MPL", "EPL")
_MEANINGS = {
    "LGPL": "used as it is and not changed; whoever passes it on passes on this licence and, "
    "asked, its source, and keeps it replaceable: it is a package of its own",
    "MPL": "used as it is and not changed; its source is on the Python Package Index",
}
_TOP = """\
# Licences of what Holdfast installs

Made by `python -m release.licences`, from the metadata of the wheels and the lock of the pages; do
not edit. Holdfast itself is Apache-2.0, and has nothing of these in its source: `pip` installs the
packages, and the wheel carries the built pages. Versions are in requirements.txt and, of a release,
in its SBOM.

"""


class LicenceUnknown(Exception):
    """Nobody has looked yet under which licence a package comes; the text says what to do."""


def licence_of(name: str) -> str:
    """Returns the licence of an installed distribution, as an SPDX expression.

    Raises LicenceUnknown.
    """
    told = distribution(name).metadata
    if "License-Expression" in told:
        return told["License-Expression"]
    text = told["License"].strip() if "License" in told else ""
    if text in _SPDX:
        return text
    if name not in READ:
        raise LicenceUnknown(
            f"{name}: its metadata have no licence as SPDX tells it ({text[:40]!r}): read its "
            "licence file, and put it into READ of release/licences.py"
        )
    return READ[name]


def page(root: Path = ROOT) -> str:
    """Returns all of docs/licences.md."""
    return _TOP + "\n".join(_page(parts(), npm_parts(root))) + "\n"


def _page(python: tuple[Part, ...], npm: tuple[NpmPart, ...]) -> Iterator[str]:
    found = [(part, licence_of(part.name)) for part in python]
    yield from ("## What asks for something", "", "| package | licence | what follows |")
    yield "|---|---|---|"
    for part, licence in found:
        if is_obliging(licence):
            meaning = next(text for word, text in _MEANINGS.items() if word in licence)
            yield f"| {part.name} | {licence} | {meaning} |"
    yield from ("", "All others are permissive: their notices stay with them.", "")
    yield from ("## Python packages", "", "| package | licence | installed |", "|---|---|---|")
    for part, licence in found:
        where = " or ".join(f"`[{extra}]`" for extra in part.extras) or "always"
        yield f"| {part.name} | {licence} | {where} |"
    yield from ("", "## In the built pages", "", "| package | licence |", "|---|---|")
    for each in npm:
        if each.in_pages:
            yield f"| {each.name} | {each.licence} |"
    yield from ("", "What only builds the pages stays with who builds them.")


def is_obliging(licence: str) -> bool:
    """Says whether no choice of ``licence`` is permissive."""
    return all(any(word in choice for word in _OBLIGING) for choice in licence.split(" OR "))


if __name__ == "__main__":
    sys.stdout.write(page())
