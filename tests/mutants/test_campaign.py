"""The mutation tool itself: what it says of a mutant is believed only because this can fail."""

import ast
import os
from dataclasses import replace

import pytest

from mutants import canaries
from mutants.campaign import CampaignError, Job, apart_from, baseline, run, run_site
from mutants.canaries import EXPECTED, PLANTED, check_canaries
from mutants.equivalent import EQUIVALENT, Equivalent, excused, stale
from mutants.fate import Fate
from mutants.names import vocabulary
from mutants.operators import FAMILIES, edits
from mutants.process import Subject, in_a_process, judge, prepare
from mutants.safety_path import modules
from mutants.site import ROOT, mutated_tree, path_of, sites_of, source_of
from mutants.targets import targets

prepare()
WORDS = vocabulary(ROOT / path_of(module) for module in modules())
SITES = sites_of(PLANTED.module, WORDS)


def planted(source, change):
    return next(site for site in SITES if (site.source, site.change) == (source, change))


@pytest.mark.parametrize("key", EXPECTED, ids=lambda key: key[1])
def test_each_planted_mutant_meets_its_fate(key):
    assert run_site(PLANTED, planted(*key), (1.0,), WORDS).fate is EXPECTED[key]


def test_every_fate_but_no_tests_is_planted():
    assert set(EXPECTED.values()) == set(Fate) - {Fate.NO_TESTS}


def test_a_killed_mutant_names_the_test_that_killed_it():
    site = planted("return max(one, other)", "max(one, other) -> min(one, other)")
    assert run_site(PLANTED, site, (5.0,), WORDS).by == "mutants/planted/checks.py::test_larger"


def test_a_canary_that_does_not_meet_its_fate_fails_the_run(monkeypatch):
    key = ("UNUSED = 7", "7 -> 8")
    monkeypatch.setattr(canaries, "EXPECTED", {key: Fate.KILLED})
    with pytest.raises(CampaignError, match="should have killed and has survived"):
        check_canaries(WORDS)
    monkeypatch.setattr(canaries, "EXPECTED", {("no such line", "1 -> 2"): Fate.KILLED})
    with pytest.raises(CampaignError, match="no site"):
        check_canaries(WORDS)


def test_a_target_without_a_test_fails_the_run():
    for stages in ((), (("mutants/planted/module.py",),)):
        with pytest.raises(CampaignError, match="no tests"):
            baseline(replace(PLANTED, stages=stages))


def test_a_target_whose_tests_fail_without_a_change_fails_the_run(tmp_path):
    failing = tmp_path / "check_that_fails.py"
    failing.write_text("def test_it():\n    assert False\n", encoding="utf-8")
    with pytest.raises(CampaignError, match="without a change: killed"):
        baseline(replace(PLANTED, stages=((str(failing),),)))


def test_a_mutant_on_which_no_test_runs_is_not_killed():
    target = replace(PLANTED, stages=(("mutants/planted/module.py",),))
    assert run_site(target, SITES[0], (5.0,), WORDS).fate is Fate.NO_TESTS


def test_what_outlives_the_first_stage_meets_the_second():
    site = planted("return max(one, other)", "max(one, other) -> min(one, other)")
    first, second = (f"mutants/planted/checks.py::test_{name}" for name in ("within", "larger"))
    verdict = run_site(replace(PLANTED, stages=((first,), (second,))), site, (5.0, 5.0), WORDS)
    assert (verdict.fate, verdict.by, verdict.tests) == (Fate.KILLED, second, 2)
    verdict = run_site(replace(PLANTED, stages=((first,),)), site, (5.0,), WORDS)
    assert verdict.fate is Fate.SURVIVED


def test_two_workers_tell_the_fate_of_every_site():
    sites = [planted(*key) for key, fate in EXPECTED.items() if fate in (Fate.KILLED, Fate.CRASHED)]
    jobs = [
        Job(target=PLANTED, sites=tuple(sites[:3])),
        Job(target=PLANTED, sites=tuple(sites[3:])),
    ]
    results = run(jobs, WORDS, workers=2)
    assert {result.site: result.verdict.fate for result in results} == {
        site: EXPECTED[site.source, site.change] for site in sites
    }


def test_a_worker_that_dies_leaves_no_mutant_for_killed(monkeypatch):
    monkeypatch.setattr("mutants.campaign.run_site", lambda *_: os._exit(0))
    with pytest.raises(CampaignError, match="after 0 of 1 mutants"):
        run([Job(target=PLANTED, sites=(SITES[0],))], WORDS, workers=1)


def test_what_is_imported_beforehand_rests_on_the_module_neither_itself_nor_by_its_package():
    apart = apart_from("holdfast.devices.registers")
    assert "holdfast.control.mode_manager" in apart
    for resting in ("registers", "profile", "drivers", "drivers.backoff"):
        assert f"holdfast.devices.{resting}" not in apart
    assert not any(name.startswith("holdfast.runtime") for name in apart)


def test_no_module_of_the_safety_path_rests_on_one_outside_it():
    assert {target.module for target in targets()} <= {*apart_from(PLANTED.module)}


def test_a_process_that_says_nothing_has_crashed():
    assert in_a_process(lambda: os._exit(0), limit_s=5.0).fate is Fate.CRASHED
    assert in_a_process(lambda: 1 / 0, limit_s=5.0).fate is Fate.CRASHED


def test_a_module_that_is_there_already_is_not_judged():
    subject = Subject(module="mutants.site", tree=ast.parse(""), tests=PLANTED.stages[0])
    assert judge(subject).fate is Fate.CRASHED


def test_the_source_is_never_written():
    before = (ROOT / "mutants" / "planted" / "module.py").read_bytes()
    run_site(
        PLANTED, planted("return abs(value)", "return abs(value) -> return None"), (5.0,), WORDS
    )
    assert (ROOT / "mutants" / "planted" / "module.py").read_bytes() == before


# Equivalent mutants. ----------------------------------------------------------------------------


def entry(**changes):
    content = {
        "module": PLANTED.module, "line": "UNUSED = 7", "change": "7 -> 8", "reason": "not used",
    }  # fmt: skip
    return Equivalent(**content | changes)


def test_an_entry_excuses_its_own_site_and_no_other():
    assert excused(SITES, [entry()]) == {planted("UNUSED = 7", "7 -> 8"): "not used"}
    assert stale(SITES, [entry()]) == []


def test_an_entry_for_one_of_several_like_sites_excuses_only_that_one():
    one = planted("UNUSED = 7", "7 -> 8")
    sites = [one, replace(one, index=1000)]
    assert excused(sites, [entry(times=2, nth=2)]) == {sites[1]: "not used"}
    assert set(excused(sites, [entry(times=2)])) == set(sites)


@pytest.mark.parametrize(
    "changes", [{"line": "UNUSED = 8"}, {"change": "7 -> 9"}, {"module": "m"}, {"times": 2}]
)
def test_an_entry_that_no_longer_fits_is_stale(changes):
    (complaint,) = stale(SITES, [entry(**changes)])
    assert "matches" in complaint


def test_no_entry_is_stale_and_each_has_a_reason():
    sites = [site for target in targets() for site in sites_of(target.module, WORDS)]
    assert stale(sites) == []
    assert all(len(entry.reason) > 10 for entry in EQUIVALENT)


# What is mutated. -------------------------------------------------------------------------------

EXAMPLES = [
    ("def f(a, b):\n    return a <= b", "a <= b -> a < b"),
    ("def f(a, b):\n    return a <= b", "a <= b -> a > b"),
    ("def f(a, b) -> bool:\n    return a in b", "a in b -> a not in b"),
    ("def f(a, b) -> bool:\n    return g(a)", "return g(a) -> return not g(a)"),
    ("def f(a):\n    return g(a)", "return g(a) -> return None"),
    ("def f(a, b):\n    return a and b", "a and b -> a or b"),
    ("def f(a, b):\n    return a and b", "a and b -> a"),
    ("def f(a):\n    return not a", "not a -> a"),
    ("def f(a):\n    return -a", "-a -> a"),
    ("def f(a, b):\n    return a // b", "a // b -> a * b"),
    ("def f(a, b):\n    return a | b", "a | b -> a & b"),
    ("def f(a):\n    a += 1", "a += 1 -> a -= 1"),
    ("def f(a):\n    a += 1", "a += 1 -> pass"),
    ("def f(a):\n    a = 2", "a = 2 -> pass"),
    ("def f(a):\n    g(a)", "g(a) -> pass"),
    ("def f(a):\n    raise E('text')", "raise E('text') -> pass"),
    ("A = 3", "3 -> 4"),
    ("A = 3", "3 -> 2"),
    ("A = 2.0", "2.0 -> 2.2"),
    ("A = 0.0", "0.0 -> -1.0"),
    ("A = True", "True -> False"),
    ("A = {'key': 1}", "'key' -> 'key_'"),
    ("A = {'key': 1}", "without 'key': 1"),
    ("A = ((1, 2), (3, 4))", "without (1, 2)"),
    ("A = frozenset({B, C})", "without B"),
    ("def f(a=1):\n    pass", "1 -> 2"),
    ("def f(a):\n    return 1 if a else 2", "a -> True"),
    ("def f(a):\n    if a:\n        g()", "a -> False"),
    ("def f(a):\n    return [b for b in a if b]", "b -> True"),
    ("def f(a):\n    return a[1:]", "1: -> :"),
    ("def f(a):\n    return min(a, 0.0)", "min(a, 0.0) -> max(a, 0.0)"),
    ("def f(a):\n    return any(a)", "any(a) -> all(a)"),
    ("def f(a, b):\n    return a.intersect(b)", "a.intersect(b) -> a"),
    ("A = State.BOOT", "State.BOOT -> State.IDLE"),
    ("_S = State\nA = _S.STOPPED", "_S.STOPPED -> _S.BOOT"),
    ("def f(a):\n    return a.min_w + a.max_w", "a.min_w -> a.max_w"),
    ("def f(charge, discharge):\n    return charge - discharge", "discharge -> charge"),
    ("class A:\n    @check\n    def f(self):\n        pass", "check -> nothing"),
    ("class A:\n    b: Annotated[int, Field(ge=1)]", "1 -> 0"),
    ("class A:\n    b: Literal['x', 'y']", "without 'x'"),
    ("def f(a):\n    match a:\n        case 1 | 2:\n            g()", "1 | 2 -> 2"),
]


def changes_of(text):
    return [edit.change for edit in edits(ast.parse(text), WORDS)]


@pytest.mark.parametrize(("text", "change"), EXAMPLES)
def test_each_way_to_break_a_line_is_found(text, change):
    assert change in changes_of(text)


@pytest.mark.parametrize(
    "text",
    [
        '"""A docstring."""',
        "import a",
        "__all__ = ['a']",
        "def f(a: int | None) -> dict[str, int]: ...",
        "A = Mapping[str, tuple[int, int]]",
        "A = 'a text for people'",
        "A = row(source='Seplos')",
        "assert len(A) == 3",
        "@dataclass(frozen=True)\nclass A: ...",
        "@dataclass(frozen=True)\nclass A:\n    b: Literal['x', 'y']",
        "def f(a):\n    match a:\n        case _:\n            assert_never(a)",
    ],
)
def test_what_is_excluded_has_no_site(text):
    assert changes_of(text) == []


def test_every_site_of_the_safety_path_is_another_program_text():
    for target in targets():
        for site in sites_of(target.module, WORDS):
            before, _, after = site.change.partition(" -> ")
            assert before != after
            assert site.family in FAMILIES


def test_a_mutant_compiles_and_differs_from_its_module():
    module = "holdfast.safety.envelope"
    original = ast.dump(ast.parse(source_of(module)))
    for site in sites_of(module, WORDS):
        tree = mutated_tree(site, WORDS)
        compile(tree, module, "exec")
        assert ast.dump(tree) != original
