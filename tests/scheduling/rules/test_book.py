"""Files of rules: what is taken, and what is told of a mistake."""

import pytest

from holdfast.core.errors import ConfigError
from holdfast.scheduling.rules.book import read_rules
from holdfast.simulation.demo_site import simulated_site
from tests.scheduling.rules.rule_bench import one


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as error:
        read_rules(text, simulated_site(), "rules.yaml")
    return str(error.value)


def test_all_mistakes_are_told_with_line_rule_and_place() -> None:
    told = refused("""\
rules:
  - name: one
    when: soc > 3
    then: {mode: hold}
  - name: two
    when: soc_pct > 3
    then:
      mode: power
      power_w: 90000
    ends_when: soc_pct
""")
    assert told.splitlines() == [
        "rules.yaml: 3 wrong:",
        "  line 3: one, when: column 1: soc is no name that a rule may use; do you mean soc_pct?",
        (
            "  line 10: two, ends_when: is a number, and no condition; compare it, such as "
            "soc_pct > 50"
        ),
        "  line 9: two, power_w: 90000 W: the site's units take -5000 to 5000 W",
    ]


@pytest.mark.parametrize(
    ("then", "told"),
    [
        ("{}", "asks for nothing"),
        ("{mode: nonsense}", "must be 'self_consumption'"),
        ("{mode: power}", "mode power needs power_w"),
        ("{mode: soc, soc_target_pct: 50}", "mode soc needs an end, which a rule does not know"),
        ("{mode: stored_value}", "mode stored_value is for plans alone"),
        ("{mode: commercial}", "mode commercial needs import_max_w"),
        ("{import_max_w: 2000000}", "must be at most 1000000"),
        ("{mode: self_consumption, grid_target_w: -90000}", "the grid connection permits -"),
        ("{mode: peak_shaving}", "mode peak_shaving needs import_max_w"),
        ("{mode: pv_optimizer}", "mode pv_optimizer needs soc_ceiling_pct"),
        ("{mode: hold, power_w: 100}", "power_w goes only with mode power or charge_only"),
        ("{mode: charge_only, power_w: -100}", "must not be negative with charge_only"),
        ("{reserve_pct: 20, grid_target_w: 0}", "grid_target_w goes only with mode self_con"),
        ("{mode: hold, soc_target_pct: 50}", "soc_target_pct goes only with mode power or ch"),
        ("{mode: power, power_w: .inf}", "must be a finite number"),
        ("{mode: power, power_w: .nan}", "must be a finite number"),
        ("{reserve_pct: 101}", "must be at most 100"),
        ("{import_max_w: -1}", "must be at least 0"),
        ("{fly: true}", "is not a known key here"),
    ],
)
def test_what_is_asked_for_must_make_sense(then: str, told: str) -> None:
    assert told in refused(f"rules:\n  - name: it\n    when: soc_pct > 3\n    then: {then}\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no rules"),
        ("- 1", "has no rules"),
        ("rules: {a: 1}", "must be a list"),
        ("rules: [{name: a}]", "when: is missing"),
        ("rule: []", "is not a known key here"),
        ("signals: {soc_pct: number}", "soc_pct is a name that all rules know already"),
        ("signals: {a: colour}", "must be 'number', 'truth' or 'text'"),
    ],
)
def test_a_file_of_something_else_is_refused(text: str, told: str) -> None:
    assert told in refused(text)


def test_two_rules_of_one_name_are_refused() -> None:
    rule = "  - {name: a, when: soc_pct > 1, then: {mode: hold}}\n"
    assert "two rules have the name a" in refused("rules:\n" + rule + rule)


def test_more_rules_than_anybody_reads_are_refused() -> None:
    rules = "".join(
        f"  - {{name: r{n}, when: soc_pct > 1, then: {{mode: hold}}}}\n" for n in range(51)
    )
    assert "rules" in refused("rules:\n" + rules)


def test_a_signal_has_the_kind_that_the_file_says() -> None:
    text = "signals: {vpp: truth}\nrules:\n  - {name: a, when: vpp, then: {mode: hold}}\n"
    found = read_rules(text, simulated_site(), "rules.yaml")
    assert found.rules[0].names == {"vpp"}
    wrong = text.replace("when: vpp", "when: vpp > 1")
    assert "> takes a number there, and vpp is true or false" in refused(wrong)


def test_a_rule_that_is_tried_counts_as_enabled() -> None:
    found = one("soc_pct > 3", "enabled: false")
    assert found.enabled.rules == ()
    assert len(found.just(["it"]).enabled.rules) == 1
    assert found.just([]).rules == ()


def test_the_names_it_rests_on_are_those_of_both_conditions() -> None:
    assert one("soc_pct > 3", "ends_when: hour > 3").rules[0].names == {"soc_pct", "hour"}
