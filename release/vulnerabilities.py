"""Known vulnerabilities of what is locked: ``python -m release.vulnerabilities``.

0: none is known. 1: one is. 3: nobody could be asked, or not about everything: that is not "none".
pip-audit says "No known vulnerabilities found" also where it found no package at all; so a package
that everybody knows to be vulnerable is asked about as well, and has to be found.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
CANARY = ("django", "1.2")
"""Has dozens of advisories, and is in no lock of ours."""
_WITHIN_S = 300
_SERVICES = ("pypi", "osv")
FOUND, NO_DATA = 1, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """Tells what one scan came to."""

    what: str
    found: tuple[str, ...] = ()
    """Tells the known vulnerabilities."""
    scanned: int = 0
    missing: str = ""
    """Tells why not all was scanned; empty if it was."""


def judge_python(text: str) -> Scan:
    """Returns what the JSON of pip-audit comes to, the canary left out."""
    try:
        told: list[dict[str, Any]] = json.loads(text)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Scan(what="Python", missing="the scanner answered nothing")
    found: dict[str, list[str]] = {
        canonicalize_name(one["name"]): [
            f"{one['name']} {one['version']}: {flaw['id']}, "
            f"mended in {', '.join(flaw['fix_versions']) or 'no version yet'}"
            for flaw in one["vulns"]
        ]
        for one in told
        if "vulns" in one
    }
    skipped = [one["name"] for one in told if "vulns" not in one]
    alive = bool(found.pop(CANARY[0], []))
    lines = tuple(line for flaws in found.values() for line in flaws)
    if not alive:
        why = f"the source of advisories does not even know those of {' '.join(CANARY)}"
        return Scan(what="Python", found=lines, missing=why)
    why = f"no data of {', '.join(skipped)}" if skipped else ""
    return Scan(what="Python", found=lines, scanned=len(found), missing=why)


def judge_npm(text: str) -> Scan:
    """Returns what the JSON of npm audit comes to."""
    try:
        told: dict[str, Any] = json.loads(text)
        flaws: dict[str, dict[str, Any]] = told["vulnerabilities"]
        scanned: int = told["metadata"]["dependencies"]["total"]
    except (ValueError, KeyError, TypeError):
        return Scan(what="npm", missing="the registry tells no advisories")
    found = tuple(
        f"{name} {flaw['range']}: {flaw['severity']}" for name, flaw in sorted(flaws.items())
    )
    return Scan(what="npm", found=found, scanned=scanned)


def verdict(scans: list[Scan], tell: Callable[[str], object]) -> int:
    """Tells the scans, and returns the exit code."""
    for scan in scans:
        for line in scan.found:
            tell(f"KNOWN VULNERABILITY: {line}")
        if scan.missing:
            tell(f"{scan.what}: no data: NOT SCANNED ({scan.missing})")
        elif not scan.found:
            tell(f"{scan.what}: {scan.scanned} packages scanned, no known vulnerability")
    if any(scan.found for scan in scans):
        return FOUND
    return NO_DATA if any(scan.missing for scan in scans) else 0


def scan_python() -> Scan:
    """Asks about all of requirements.txt, one source of advisories after the other."""
    scan = Scan(what="Python", missing="nobody was asked")
    with tempfile.TemporaryDirectory() as folder:
        canary = Path(folder, "canary.txt")
        canary.write_text("==".join(CANARY) + "\n", encoding="utf-8")
        for service in _SERVICES:
            scan = judge_python(
                _output(
                    [
                        *(sys.executable, "-m", "pip_audit", "-r", "requirements.txt"),
                        *("-r", str(canary), "--no-deps", "--disable-pip", "--format", "json"),
                        *("--progress-spinner", "off", "--vulnerability-service", service),
                    ],
                    ROOT,
                )
            )
            if not scan.missing:
                break
    return scan


def scan_npm() -> Scan:
    """Asks the registry about the lock of the pages."""
    return judge_npm(_output(["npm", "audit", "--package-lock-only", "--json"], ROOT / "pages"))


def _output(command: list[str], folder: Path) -> str:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_WITHIN_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


if __name__ == "__main__":
    sys.exit(verdict([scan_python(), scan_npm()], print))
