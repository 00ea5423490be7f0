"""What holds from one time to another, and what flaps."""

from holdfast.monitoring.history.spells import MOST_FINDINGS, Spell, SpellBook, spells_of
from holdfast.monitoring.status.schema import PlanStatusNow
from tests.monitoring.history.samples import BEGIN, BEGIN_S, finding, status_at


def take(book: SpellBook, at_s: int, **changes: object) -> dict[str, Spell]:
    book.take(spells_of(status_at(BEGIN, **changes), BEGIN_S + at_s), BEGIN_S + at_s)
    return {spell.name: spell for spell in book.changes()}


def test_a_finding_begins_and_ends() -> None:
    book = SpellBook()
    assert take(book, 0).keys() == {"running", "plan"}
    name = "battery/cell_voltage_high"
    begun = take(book, 5, findings=(finding(),))[name]
    assert (begun.start_s, begun.end_s) == (BEGIN_S + 5, None)
    assert begun.about["text"] == "cell_voltage_high is at its warning"
    assert take(book, 6, findings=(finding(),)) == {}
    ended = take(book, 90)[name]
    assert (ended.start_s, ended.end_s, ended.times) == (BEGIN_S + 5, BEGIN_S + 90, 1)


def test_a_finding_that_gets_worse_is_another_one() -> None:
    book = SpellBook()
    take(book, 0, findings=(finding(),))
    book.take(
        spells_of(status_at(BEGIN, findings=(finding(level="alarm"),)), BEGIN_S + 9), BEGIN_S + 9
    )
    levels = [(spell.about["level"], spell.end_s) for spell in book.changes()]
    assert levels == [("warning", BEGIN_S + 9), ("alarm", None)]


def test_a_finding_that_flaps_is_one_that_came_often() -> None:
    book = SpellBook()
    for number in range(600):
        found = take(book, number, findings=(finding(),) if number % 3 == 0 else ())
    assert found == {}
    last = take(book, 600, findings=(finding(),))["battery/cell_voltage_high"]
    assert (last.start_s, last.times) == (BEGIN_S, 201)
    take(book, 601)
    late = take(book, 662, findings=(finding(),))["battery/cell_voltage_high"]
    assert (late.start_s, late.times) == (BEGIN_S + 662, 1)


def test_a_decision_changes_with_its_source_or_reason() -> None:
    book = SpellBook()
    take(book, 0)
    changed = take(book, 7, request_source="self_consumption", request_reason="no valid plan")
    assert changed["plan"].end_s == BEGIN_S + 7
    assert changed["self_consumption"].about == {"reason": "no valid plan"}


def test_a_plan_is_completed_once_the_planner_has_told_of_it() -> None:
    plan = PlanStatusNow(
        plan_id="p1", status="optimal", age_s=1.0, expires_in_s=9.0, expected_cost=2.5, slot=None
    )
    book = SpellBook()
    assert book.plan is None
    assert take(book, 0, plan=plan)["p1"].plan is None
    assert book.plan is not None
    book.hand_over(b"packed")
    (spell,) = book.changes()
    assert (spell.name, spell.plan, spell.start_s) == ("p1", b"packed", BEGIN_S)
    assert spell.about == {"status": "optimal", "expected_cost": 2.5}


def test_a_clock_that_goes_back_ends_nothing_before_it_began() -> None:
    book = SpellBook()
    take(book, 100, findings=(finding(),))
    ended = take(book, 40)["battery/cell_voltage_high"]
    assert ended.end_s == ended.start_s == BEGIN_S + 100


def test_a_flood_of_findings_is_bounded() -> None:
    findings = tuple(finding(f"row_{number}") for number in range(500))
    found = list(spells_of(status_at(BEGIN, findings=findings), BEGIN_S))
    assert len(found) == MOST_FINDINGS + 2
