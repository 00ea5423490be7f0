"""The batch planner makes plans for many sites in one process: questions in, plans out.

Sites share the optimizer's models, which are what takes memory and time to make. Equal questions
give equal plans, whoever else was planned for before.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from holdfast.core.abilities import Abilities
from holdfast.core.config import Site
from holdfast.core.errors import HoldfastError
from holdfast.core.plan import Plan
from holdfast.optimization.model import PlanModels
from holdfast.scheduling.ladder import Ladder
from holdfast.scheduling.plan_question import PlanQuestion
from holdfast.scheduling.strategies.maker import plan_maker

_MOST_MODELS = 8
"""Sites differ in how far prices and horizon reach, in few ways at one moment; each is some MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedOfSite:
    """Holds a site, and what is known of it."""

    site: Site
    abilities: Abilities
    question: PlanQuestion


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedForSite:
    """Holds the plan of a site, or why there is none."""

    plan: Plan | None
    problem: str = ""


class BatchPlanner:
    """Plans for one site after the other. Not safe to share between threads."""

    def __init__(self) -> None:
        self._models = PlanModels(_MOST_MODELS)

    def plan(self, asked: AskedOfSite) -> Plan:
        """Returns the plan of the best rung of the ladder.

        Raises PriceDataError if no price is known for now, ConfigError for a site that has not what
        its strategy needs.
        """
        maker = plan_maker(asked.site, asked.abilities, self._models)
        question = asked.question
        ladder = Ladder(asked.site, asked.abilities)
        return ladder.plan(question.now_utc, question.prices, lambda: maker(question))

    def answers(self, asked: Iterable[AskedOfSite]) -> Iterator[PlannedForSite]:
        """Yields an answer to each question, in their order; one that has none costs itself."""
        for each in asked:
            try:
                yield PlannedForSite(plan=self.plan(each))
            except HoldfastError as error:
                yield PlannedForSite(plan=None, problem=str(error))
