"""Doubts: a rule that is well written and hardly means what it says, and two that contradict.

Each name is tried with the values at which something changes: those that stand in the rules, what
lies between them, and the ends of its range.
"""

import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from holdfast.scheduling.rules.book import CheckedRule, RuleBook
from holdfast.scheduling.rules.expression import RuleExpression
from holdfast.scheduling.rules.fact_table import ORDERED, FactKind, FactRow, Facts, FactValue

MOST_TRIED = 1500
"""So many combinations are tried of what one rule rests on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDoubt:
    """Tells what is doubtful about one rule, or about two."""

    rules: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    """Holds what came of trying one rule."""

    checked: CheckedRule
    fires: tuple[Facts, ...]
    """With these it would fire."""
    doubts: tuple[str, ...]


def find_doubts(book: RuleBook, today: date) -> tuple[RuleDoubt, ...]:
    """Returns what is doubtful about the rules of ``book``, those that are not enabled left out."""
    rows, rules = book.rows, book.enabled.rules
    choices = {name: _choices(row, rules) for name, row in rows.items()}
    tried = [_try(checked, choices, today) for checked in rules]
    found = [
        RuleDoubt(rules=(one.checked.rule.name,), text=text) for one in tried for text in one.doubts
    ]
    for one, other in itertools.combinations(tried, 2):
        if contradict(one.checked, other.checked):
            common = _common(one, other)
            if common is not None:
                found.append(_conflict(one.checked, other.checked, common))
    return tuple(found)


def contradict(one: CheckedRule, other: CheckedRule) -> bool:
    """Says whether two rules that fire together ask for different things, and none comes first."""
    asked = [rule.rule.then for rule in (one, other)]
    if one.rule.priority != other.rule.priority or None in (asked[0].mode, asked[1].mode):
        return False
    own = [(then.mode, then.power_w, then.grid_target_w, then.soc_target_pct) for then in asked]
    return own[0] != own[1]


def _conflict(one: CheckedRule, other: CheckedRule, common: Facts) -> RuleDoubt:
    names = (one.rule.name, other.rule.name)
    asks = [f"{rule.rule.name} asks for {rule.rule.then.mode}" for rule in (one, other)]
    return RuleDoubt(
        rules=names,
        text=f"{' and '.join(asks)} with the same priority ({one.rule.priority}), and both may "
        f"fire: {_told(common)}; {names[0]} would be followed",
    )


def _choices(row: FactRow, rules: Sequence[CheckedRule]) -> tuple[FactValue, ...]:
    """Returns the values that a name is tried with."""
    if row.kind is FactKind.TRUTH:
        return (False, True)
    using = [expression for expression in _expressions(rules) if row.name in expression.names]
    if row.kind is FactKind.TEXT:
        return row.words or (*sorted({text for one in using for text in one.texts}), "another")
    numbers = {number for one in using for number in (*one.numbers, *(-n for n in one.numbers))}
    edges = {row.low, row.high, 0.0} | numbers
    marks = sorted(edge for edge in edges if row.low <= edge <= row.high)
    between = [(a + b) / 2.0 for a, b in itertools.pairwise(marks)]
    return tuple(sorted({*marks, *between}))


def _expressions(rules: Sequence[CheckedRule]) -> Iterator[RuleExpression]:
    for checked in rules:
        yield checked.when
        if checked.ends_when is not None:
            yield checked.ends_when


def _try(checked: CheckedRule, choices: Mapping[str, tuple[FactValue, ...]], today: date) -> _Tried:
    names = sorted(checked.names)
    sets = [choices[name] for name in names]
    points = [*_points(names, sets)]
    is_all = math.prod(map(len, sets)) <= MOST_TRIED
    verdicts = [checked.when.verdict(point) for point in points]
    holds = [point for point, verdict in zip(points, verdicts, strict=True) if verdict.holds]
    fires = holds
    if checked.ends_when is not None:
        fires = [point for point in holds if checked.ends_when.verdict(point).holds is False]
    doubts = [*_cannot_be_calculated(checked, points)]
    rule = checked.rule
    if rule.until is not None and rule.until < today:
        doubts.append(f"its time was over after {rule.until}")
    if not holds:
        word = "can never hold" if is_all else f"held with none of {len(points)} combinations"
        doubts.append(f"when: {rule.when}: {word}")
    elif not fires:
        doubts.append(
            f"can never fire: whenever `when` holds ({rule.when}), so does ends_when "
            f"({rule.ends_when})"
        )
    elif len(holds) == len(points) and is_all:
        doubts.append(f"when: {rule.when}: always holds")
    return _Tried(checked=checked, fires=tuple(fires), doubts=tuple(doubts))


def _cannot_be_calculated(checked: CheckedRule, points: Sequence[Facts]) -> Iterator[str]:
    for key, expression in (("when", checked.when), ("ends_when", checked.ends_when)):
        if expression is None:
            continue
        for point in points:
            why = expression.verdict(point).why
            if why:
                told = _told(expression.used(point))
                yield f"{key}: {why}, where {told}; ask before, such as load_w > 0 && ..."
                break


def _points(names: Sequence[str], sets: Sequence[tuple[FactValue, ...]]) -> Iterator[Facts]:
    """Yields combinations of values: all, or as many as are tried, always the same ones."""
    if math.prod(map(len, sets)) <= MOST_TRIED:
        combinations: Iterator[tuple[FactValue, ...]] = itertools.product(*sets)
    else:
        chance = random.Random(1)
        combinations = (tuple(map(chance.choice, sets)) for _ in range(MOST_TRIED))
    for values in combinations:
        point = dict(zip(names, values, strict=True))
        if _can_be(point):
            yield point


def _can_be(point: Facts) -> bool:
    """Says whether no order is broken that always holds, such as minimum below mean."""
    for low, high in ORDERED:
        below, above = point.get(low), point.get(high)
        if isinstance(below, float) and isinstance(above, float) and below > above:
            return False
    return True


def _common(one: _Tried, other: _Tried) -> Facts | None:
    """Returns facts with which both rules would fire; None if none were found."""
    shared = sorted(one.checked.names & other.checked.names)
    by_shared: dict[tuple[FactValue, ...], list[Facts]] = {}
    for point in one.fires:
        by_shared.setdefault(tuple(point[name] for name in shared), []).append(point)
    for point in other.fires:
        for partner in by_shared.get(tuple(point[name] for name in shared), [])[:_PARTNERS]:
            merged = {**partner, **point}
            if _can_be(merged):
                return merged
    return None


_PARTNERS = 20


def _told(point: Facts) -> str:
    return ", ".join(
        f"{name} = {value:g}" if isinstance(value, float) else f"{name} = {value}"
        for name, value in sorted(point.items())
    )
