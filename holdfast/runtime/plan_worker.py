"""The optimizer runs in a process of its own."""

from functools import partial

from holdfast.core.abilities import Abilities
from holdfast.core.config import Site
from holdfast.core.errors import PlanFailed
from holdfast.core.plan import Plan
from holdfast.runtime.child import Child, ChildFailed
from holdfast.scheduling.plan_question import PlanMaker, PlanQuestion
from holdfast.scheduling.strategies.maker import plan_maker
from holdfast.site.devices import abilities

TIMEOUT_S = 30.0
"""This is far above what any plan takes, the first one with its imports included."""


class PlanWorker(Child[PlanQuestion, Plan]):
    """Makes plans in a child process."""

    def __init__(self, site: Site, timeout_s: float = TIMEOUT_S) -> None:
        begin = partial(_planning, site, abilities(site))
        super().__init__("optimizer", begin, timeout_s=timeout_s)

    def make_plan(self, question: PlanQuestion) -> Plan:
        """Asks who plans for the site. Raises PlanFailed if the child hangs or dies."""
        try:
            return self.ask(question)
        except ChildFailed as error:
            raise PlanFailed(str(error)) from error


def _planning(site: Site, abilities: Abilities) -> PlanMaker:
    return plan_maker(site, abilities)
