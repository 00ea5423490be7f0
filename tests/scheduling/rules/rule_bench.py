"""Rules for tests, and facts to try them on."""

from datetime import UTC, datetime, timedelta

from holdfast.scheduling.rules.book import RuleBook, read_rules
from holdfast.scheduling.rules.engine import RuleEngine
from holdfast.scheduling.rules.fact_table import Facts
from holdfast.simulation.demo_site import simulated_site

NOON = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)
"""It is a Monday, noon in Berlin, the zone of the demonstration's site."""


def book(text: str) -> RuleBook:
    """Rules of a file, whose first line is left out."""
    return read_rules("rules:\n" + text, simulated_site(), "rules.yaml")


def one(when: str, more: str = "", then: str = "{mode: hold}") -> RuleBook:
    """One rule."""
    return book(f"  - name: it\n    when: {when}\n    then: {then}\n    {more}\n")


class Days:
    """Looks at rules minute by minute."""

    def __init__(self, rules: RuleBook) -> None:
        self.engine = RuleEngine(rules, "Europe/Berlin")
        self.utc = NOON

    def after(self, minutes: float, **facts: float | bool | str) -> "Days":
        """So many minutes later."""
        self.utc += timedelta(minutes=minutes)
        self.look(facts)
        return self

    def look(self, facts: Facts) -> None:
        self.engine.look(self.utc, facts)

    @property
    def asked(self) -> list[str]:
        """Who asks now, the first to be followed first."""
        return [slot.who for slot in self.engine.asked(self.utc, self.utc + timedelta(days=1))]

    @property
    def why(self) -> str:
        """Why the first rule fires, or not."""
        return self.engine.states[0].why
