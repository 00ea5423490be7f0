"""This module holds the plan that the cycle follows: the newest one that the gate let pass."""

import logging
import time
from datetime import UTC, datetime

from holdfast.control.plan_gate import AcceptedPlan, accept_plan
from holdfast.core.config import Site
from holdfast.core.errors import PlanRefused
from holdfast.core.plan import Plan
from holdfast.core.texts import MAX_ID, MAX_REASON, shown
from holdfast.runtime.audit.trail import AuditTrail

_log = logging.getLogger(__name__)


class PlanHolder:
    """Takes plans. One that is refused leaves the one before in place."""

    def __init__(self, site: Site, audit: AuditTrail | None = None) -> None:
        self._site = site
        self._audit = audit
        self.accepted: AcceptedPlan | None = None
        """The cycle itself sees when it has expired."""
        self.refused = ""
        """Tells why the newest plan was refused; empty if it was accepted."""

    def take(self, plan: Plan) -> None:
        """Accepts ``plan``, or raises PlanRefused and stays with what there was."""
        try:
            self.accepted = accept_plan(
                plan, now_ns=time.monotonic_ns(), utc=datetime.now(UTC), site=self._site
            )
        except PlanRefused as error:
            self.refused = shown(str(error), MAX_REASON)
            _log.warning("plan %s refused: %s", shown(plan.plan_id, MAX_ID), self.refused)
            if self._audit is not None:
                self._audit.plan_refused(plan, self.refused)
            raise
        self.refused = ""
        if self._audit is not None:
            self._audit.plan_accepted(plan)
