"""An expression of a rule is CEL with the names of one table, typed and bounded before it is used.

What it takes and how it is calculated is the library's (cel-python). Here stands what a rule may
use of it, and that each mistake is told when the rule is read: a name that is not known, two kinds
that do not go together, what is no condition, what is too long. There are no loops in it, so its
length bounds its time.

What is not known makes a part of an expression not known, and no more than that part: ``false &&
unknown`` is false, as in CEL.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.core.errors import ConfigError
from holdfast.scheduling.rules.cel import BY_ZERO, TOO_LARGE, CelProgram, parsed
from holdfast.scheduling.rules.fact_table import FACTS, FactKind, FactRow, Facts, FactValue
from holdfast.scheduling.rules.kinds import A_KIND, KindReader

if TYPE_CHECKING:
    from lark import Token, Tree

MAX_CHARACTERS = 500
MAX_PARTS = 120
"""So many names, values and operators may be in it."""
MAX_DEPTH = 8
"""So many brackets may lie in each other."""
_KEPT = 20_000
"""So many outcomes are kept: a search asks for the same ones again and again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleVerdict:
    """Tells whether an expression holds."""

    holds: bool | None
    """None: that cannot be said."""
    why: str = ""
    """Tells why that cannot be said."""


class RuleExpression:
    """Is one expression that has passed all checks."""

    def __init__(self, text: str, rows: Mapping[str, FactRow] = FACTS) -> None:
        """Raises ConfigError that tells the place in ``text`` and what would be right."""
        self.text = text
        _check_size(text)
        tree = parsed(text)
        _check_parts(tree)
        reader = KindReader(rows, text)
        kind = reader.kind_of(tree)
        if kind is not FactKind.TRUTH:
            raise ConfigError(
                f"is {A_KIND[kind]}, and no condition; compare it, such as soc_pct > 50"
            )
        self.names = frozenset(reader.names)
        self.numbers = frozenset(reader.numbers)
        """The numbers that stand in it: where it changes."""
        self.texts = frozenset(reader.texts)
        self._order = sorted(self.names)
        self._program = CelProgram(tree)
        self._verdicts: dict[tuple[FactValue | None, ...], RuleVerdict] = {}

    def verdict(self, facts: Facts) -> RuleVerdict:
        """Says whether it holds with ``facts``."""
        key = tuple(facts.get(name) for name in self._order)
        found = self._verdicts.get(key)
        if found is None:
            if len(self._verdicts) >= _KEPT:
                self._verdicts.clear()
            found = self._verdicts[key] = self._calculated(facts)
        return found

    def used(self, facts: Facts) -> dict[str, FactValue]:
        """Returns the facts that it rests on, as far as they are known."""
        return {name: facts[name] for name in self._order if name in facts}

    def _calculated(self, facts: Facts) -> RuleVerdict:
        result = self._program.calculate(self.used(facts))
        if isinstance(result, bool):
            return RuleVerdict(holds=result)
        missing = [name for name in self._order if name not in facts]
        if missing and result not in (BY_ZERO, TOO_LARGE):
            return RuleVerdict(holds=None, why=f"not known: {', '.join(missing)}")
        return RuleVerdict(holds=None, why=result)


def _check_size(text: str) -> None:
    if not text.strip():
        raise ConfigError("is empty; write a condition, such as soc_pct < 50")
    if len(text) > MAX_CHARACTERS:
        raise ConfigError(f"has {len(text)} characters, and {MAX_CHARACTERS} are permitted")
    depth = 0
    for place, character in enumerate(text, 1):
        depth += (character in "([") - (character in ")]")
        if depth > MAX_DEPTH:
            raise ConfigError(f"column {place}: more than {MAX_DEPTH} brackets lie in each other")


def _check_parts(tree: "Tree[Token]") -> None:
    parts = sum(len(node.children) > 1 for node in tree.iter_subtrees())
    parts += sum(1 for _ in tree.scan_values(lambda _: True))
    if parts > MAX_PARTS:
        raise ConfigError(f"has {parts} parts, and {MAX_PARTS} are permitted; make several rules")
