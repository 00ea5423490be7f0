"""Plans are handed over to the controller, with what people ask for laid over them.

What people ask for goes there at once, over the plan that was made last: nobody waits for the
optimizer. Each plan is reported with what was rejected, and the forecast that it rests on.
"""

import logging
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic_core import to_json

from holdfast.client.control import ControlClient
from holdfast.client.manual_slots import ManualRead, Stamp, manual_stamp, read_manual
from holdfast.client.messages import PlanMessage
from holdfast.client.plan_report import PlanReport, read_report
from holdfast.core.config import Site
from holdfast.core.errors import NotRunning
from holdfast.core.plan import Plan, with_short_texts
from holdfast.core.texts import MAX_NOTE, shown
from holdfast.optimization.problem import PlanProblem
from holdfast.runtime.plan_reports import forecast_report, rejected, slot_costs
from holdfast.scheduling.alternatives import alternatives
from holdfast.scheduling.course import follow, known_problem, wishes_of, with_expectation
from holdfast.scheduling.manual_overlay import Overlaid, comes_up, is_alive, lay_over
from holdfast.scheduling.plan_question import PlanQuestion
from holdfast.site.devices import abilities
from holdfast.site.files import SiteFiles, write_atomically

_log = logging.getLogger(__name__)
_FIGURES = str.maketrans("", "", "0123456789")


class PlanHandover:
    """Hands over the plans of one site, and writes their reports."""

    def __init__(self, site: Site, files: SiteFiles) -> None:
        self._site, self._files = site, files
        self._abilities = abilities(site)
        self._plan: Plan | None = None
        self._question: PlanQuestion | None = None
        self._problem = ""
        """Tells why the last attempt gave no plan; empty if it gave one."""
        self._stamp: Stamp | None = None
        self._manual = ManualRead()
        before = read_report(files)
        self._leads = before is not None and any(before.manual)
        """What the controller has last taken holds what people asked for."""
        self._renew_s = 0.0
        self._told = ""

    def take(self, plan: Plan, question: PlanQuestion | None) -> bool:
        """Hands over ``plan``, which was made from ``question``; says whether it was accepted."""
        self._plan, self._question, self._problem = plan, question, ""
        self._note_change()
        if question is not None:
            self._write(self._files.forecast, forecast_report(question.forecast))
        return self._hand_over(datetime.now(UTC), None if question is None else question.soc_pct)

    def fail(self, problem: str, soc_pct: float | None) -> None:
        """Tells that no plan could be made; what people ask for goes on all the same."""
        self._problem = shown(problem, MAX_NOTE)
        if not self.look(soc_pct) and not self._is_asked(datetime.now(UTC)):
            self._report(None, accepted=False, problem=self._problem)

    def look(self, soc_pct: float | None) -> bool:
        """Hands over again if people ask for something else, or the plan would expire.

        ``soc_pct`` is what is stored now in all units together, None if that cannot be read. Says
        whether there was anything to hand over.
        """
        changed, utc = self._note_change(), datetime.now(UTC)
        due = time.monotonic() >= self._renew_s and self._is_asked(utc)
        if changed or due:
            self._hand_over(utc, soc_pct)
        return changed or due

    def _note_change(self) -> bool:
        """Reads what people ask for, if that has changed; says whether it has."""
        stamp = manual_stamp(self._files)
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        self._manual = read_manual(self._files, self._site, datetime.now(UTC))
        if self._manual.problem:
            _log.warning("%s", self._manual.problem)
        return True

    def _is_asked(self, utc: datetime) -> bool:
        """Says whether the controller has to know what people ask for, or that they do no more."""
        return self._leads or any(comes_up(slot, utc) for slot in self._manual.slots)

    def _hand_over(self, utc: datetime, soc_pct: float | None) -> bool:
        self._renew_s = time.monotonic() + self._site.planner.interval_s
        if not (is_alive(self._plan, utc) or self._is_asked(utc)):
            self._report(None, accepted=False, problem=self._problem)
            return False
        laid = lay_over(self._plan, self._manual.slots, site=self._site, now_utc=utc)
        problem = self._known(laid, utc, soc_pct)
        if problem is not None:
            course = follow(problem, wishes_of(laid.plan.slots, laid.first_manual))
            laid = replace(laid, plan=with_expectation(laid, course))
        laid = replace(laid, plan=with_short_texts(laid.plan))
        refused = self._send(laid.plan)
        if not refused:
            self._leads = any(laid.manual)
        self._report(laid, accepted=not refused, problem=refused or self._problem, known=problem)
        return not refused

    def _send(self, plan: Plan) -> str:
        """Returns why the controller does not take it; empty if it does."""
        try:
            with ControlClient(self._files.control_socket) as client:
                reply = client.send(PlanMessage(plan=plan))
        except NotRunning as error:
            return shown(str(error), MAX_NOTE)
        return "" if reply.accepted else shown(reply.reason, MAX_NOTE)

    def _known(self, laid: Overlaid, utc: datetime, soc_pct: float | None) -> PlanProblem | None:
        if self._question is None or soc_pct is None or not is_alive(self._plan, utc):
            return None
        now = replace(self._question, now_utc=utc, soc_pct=soc_pct)
        return known_problem(self._site, laid.plan.slots, now, self._abilities)

    def _report(
        self,
        laid: Overlaid | None,
        *,
        accepted: bool,
        problem: str,
        known: PlanProblem | None = None,
    ) -> None:
        plan = None if laid is None else laid.plan
        self._tell(problem or ("" if plan is None else plan.note))
        report = PlanReport(
            utc=datetime.now(UTC),
            plan=plan,
            accepted=accepted,
            problem=problem,
            manual=() if laid is None else laid.manual,
            manual_problem=self._manual.problem,
        )
        if laid is not None and known is not None and self._question is not None:
            found = alternatives(
                known,
                laid.plan.slots,
                laid.first_manual,
                planned=self._plan,
                previous=self._question.previous,
            )
            report = replace(
                report,
                alternatives=rejected(found, self._site.currency),
                slot_costs=slot_costs(found),
            )
        self._write(self._files.plan, report)

    def _write(self, path: Path, report: object) -> None:
        try:
            write_atomically(path, to_json(report))
        except OSError as error:
            _log.error("the report is not on disk: %s", error)

    def _tell(self, text: str) -> None:
        """Logs what speaks against a plan; the same with other figures is no news."""
        told = text.translate(_FIGURES)
        if told != self._told:
            _log.warning("%s", text or "plans are accepted again")
            self._told = told
