"""A scan that could not be made never looks like a clean one."""

import json

import pytest

from release.vulnerabilities import FOUND, NO_DATA, Scan, judge_npm, judge_python, verdict

FLAW = {"id": "PYSEC-1", "fix_versions": ["2.0"], "aliases": [], "description": "d"}
ALIVE = {"name": "django", "version": "1.2", "vulns": [FLAW]}
CLEAN = {"name": "rich", "version": "15.0.0", "vulns": []}


def python(*dependencies: object) -> Scan:
    return judge_python(json.dumps({"dependencies": dependencies, "fixes": []}))


def test_a_clean_scan_is_clean_and_the_canary_is_no_finding() -> None:
    scan = python(ALIVE, CLEAN)
    assert scan == Scan(what="Python", scanned=1)
    lines: list[str] = []
    assert verdict([scan], lines.append) == 0
    assert lines == ["Python: 1 packages scanned, no known vulnerability"]


def test_a_known_vulnerability_fails_and_is_named_with_the_version_that_mends_it() -> None:
    lines: list[str] = []
    scan = python(ALIVE, CLEAN | {"vulns": [FLAW]})
    assert verdict([scan], lines.append) == FOUND
    assert lines == ["KNOWN VULNERABILITY: rich 15.0.0: PYSEC-1, mended in 2.0"]


@pytest.mark.parametrize(
    "scan",
    [
        judge_python(""),
        judge_python("[]"),
        python(CLEAN),  # "No known vulnerabilities found", and the canary was not found either
        python({"name": "django", "skip_reason": "Dependency not found on PyPI"}, CLEAN),
        python(ALIVE, {"name": "rich", "skip_reason": "Dependency not found on PyPI"}),
        judge_npm(""),
        judge_npm('{"message": "405 Method Not Allowed", "statusCode": 405}'),
    ],
)
def test_without_data_it_says_so_and_is_not_clean(scan: Scan) -> None:
    lines: list[str] = []
    assert verdict([scan], lines.append) == NO_DATA
    assert "NOT SCANNED" in lines[-1]


def test_what_is_found_counts_more_than_what_could_not_be_scanned() -> None:
    assert verdict([python(CLEAN | {"vulns": [FLAW]})], lambda _: None) == FOUND


def test_npm_is_judged_by_its_own_report() -> None:
    whole = {"vulnerabilities": {}, "metadata": {"dependencies": {"total": 52}}}
    assert judge_npm(json.dumps(whole)) == Scan(what="npm", scanned=52)
    flaw = {"vite": {"range": "<9", "severity": "high"}}
    assert judge_npm(json.dumps(whole | {"vulnerabilities": flaw})).found == ("vite <9: high",)
