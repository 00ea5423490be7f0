"""Plans are handed over to the controller, with what is asked for laid over them.

What people, rules and schedules ask for goes there at once, over the plan that was made last:
nobody waits for the optimizer. Each plan is reported with what was rejected, and the forecast that
it rests on.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic_core import to_json

from holdfast.client.control import ControlClient
from holdfast.client.messages import Act, PlanMessage
from holdfast.client.operator_note import OperatorNotes, note
from holdfast.client.plan_report import PlanReport, read_report
from holdfast.client.report_file import packed
from holdfast.core.asked_slot import AskedBy, AskedSlot
from holdfast.core.config import Site
from holdfast.core.errors import NotRunning
from holdfast.core.plan import Plan, with_short_texts
from holdfast.core.texts import MAX_NOTE, shown
from holdfast.optimization.problem import PlanProblem
from holdfast.runtime.askers import ManualAsker
from holdfast.runtime.plan_reports import forecast_report, rejected, slot_costs
from holdfast.scheduling.alternatives import alternatives
from holdfast.scheduling.asker import Asker
from holdfast.scheduling.course import follow, known_problem, paced, wishes_of, with_expectation
from holdfast.scheduling.plan_question import PlanQuestion
from holdfast.scheduling.precedence import Overlaid, comes_up, is_alive, lay_over, who_asks
from holdfast.site.devices import abilities
from holdfast.site.files import SiteFiles, write_atomically

_log = logging.getLogger(__name__)
TRY_AGAIN_S = 2.0
"""What no controller heard is told again so soon."""
NOTED_WITHIN = timedelta(seconds=10)
"""That something has ended is noted within a second or two while all run."""
SEEN_WITHIN_S = 3.0
"""A plan that was taken is to be seen in the status within this."""
_FIGURES = str.maketrans("", "", "0123456789")


class PlanHandover:
    """Hands over the plans of one site, and writes their reports."""

    def __init__(
        self, site: Site, files: SiteFiles, manual: ManualAsker, others: Sequence[Asker] = ()
    ) -> None:
        self._site, self._files = site, files
        self._manual, self._others = manual, others
        self._notes = OperatorNotes(files)
        self._abilities = abilities(site)
        self._plan: Plan | None = None
        self._question: PlanQuestion | None = None
        self._problem = ""
        """Tells why the last attempt gave no plan; empty if it gave one."""
        self._asked: tuple[AskedSlot, ...] = ()
        self._handed: tuple[AskedSlot, ...] = ()
        """It was asked for when the controller was last told."""
        self._accepted_id = ""
        """Names the plan that the controller has last taken; empty: none, or it takes none."""
        before = read_report(files)
        if before is not None:
            led = {slot_id for slot_id in before.manual if slot_id is not None}
            self._handed = tuple(manual.ended_of(led, datetime.now(UTC)))
        self._leads = before is not None and any(before.asked)
        """What the controller has last taken holds what somebody asked for."""
        self._renew_s = self._sent_s = 0.0
        self._told = ""

    def take(self, plan: Plan, question: PlanQuestion | None) -> bool:
        """Hands over ``plan``, which was made from ``question``; says whether it was accepted."""
        self._plan, self._question, self._problem = plan, question, ""
        self.ask()
        if question is not None:
            self._write(self._files.forecast, forecast_report(question.forecast))
        return self._hand_over(datetime.now(UTC), None if question is None else question.soc_pct)

    def fail(self, problem: str, soc_pct: float | None) -> None:
        """Tells that no plan could be made; what is asked for goes on all the same."""
        self._problem = shown(problem, MAX_NOTE)
        if not self.look(soc_pct) and not self._is_asked(datetime.now(UTC)):
            self._report(None, accepted=False, problem=self._problem)

    def look(self, soc_pct: float | None) -> bool:
        """Hands over again if something else is asked for, or the plan would expire.

        ``soc_pct`` is what is stored now in all units together, None if that cannot be read. Says
        whether there is something else to plan around.
        """
        changed, utc = self.ask() != self._handed, datetime.now(UTC)
        needed = self._is_asked(utc) or is_alive(self._plan, utc)
        due = time.monotonic() >= self._renew_s and needed
        if changed or due:
            self._hand_over(utc, soc_pct)
        return changed

    def see(self, plan_id: str | None) -> None:
        """Notes which plan the controller follows: one that was started anew is told again."""
        is_lost = self._accepted_id not in ("", plan_id)
        if is_lost and time.monotonic() >= self._sent_s + SEEN_WITHIN_S:
            self._accepted_id, self._renew_s = "", 0.0

    def ask(self) -> tuple[AskedSlot, ...]:
        """Asks the askers; returns what is asked for, as far as plans reach."""
        utc = datetime.now(UTC)
        until = utc + timedelta(hours=self._site.planner.horizon_h)
        askers = (self._manual, *self._others)
        self._asked = tuple(slot for asker in askers for slot in asker.asked(utc, until))
        return self._asked

    def _is_asked(self, utc: datetime) -> bool:
        """Says whether the controller has to know what is asked for, or that it is no more."""
        return self._leads or any(comes_up(slot, utc) for slot in self._asked)

    def _hand_over(self, utc: datetime, soc_pct: float | None) -> bool:
        self._tell_ended(utc)
        self._sent_s, self._handed = time.monotonic(), self._asked
        self._renew_s = self._sent_s + self._site.planner.interval_s
        if not (is_alive(self._plan, utc) or self._is_asked(utc)):
            self._report(None, accepted=False, problem=self._problem)
            return False
        laid = lay_over(self._plan, self._asked, site=self._site, now_utc=utc)
        problem = self._known(laid, utc, soc_pct)
        if problem is not None:
            course = follow(problem, wishes_of(laid))
            laid = replace(laid, plan=with_expectation(laid, course))
        laid = paced(laid, soc_pct, utc)
        laid = replace(laid, plan=with_short_texts(laid.plan))
        refused = self._send(laid.plan)
        self._accepted_id = "" if refused else laid.plan.plan_id
        if not refused:
            self._leads = any(laid.asked)
        self._report(laid, accepted=not refused, problem=refused or self._problem, known=problem)
        return not refused

    def _tell_ended(self, utc: datetime) -> None:
        """Has the audit log know what ended while nobody could take it back."""
        for slot in self._handed:
            if slot.by is AskedBy.OPERATOR and slot.end + NOTED_WITHIN <= utc:
                ended = f"{slot.reason}, until {slot.end:%Y-%m-%d %H:%M:%S}Z"
                detail = f"{ended}: ended while the site was down, and is not taken up again"
                self._notes.add(note(slot.who, "planner", Act.OVERRIDE, detail))
                _log.warning("asked by %s: %s", slot.who, detail)

    def close(self) -> None:
        """Tells what is still to be told."""
        self._notes.close()

    def _send(self, plan: Plan) -> str:
        """Returns why the controller does not take it; empty if it does."""
        try:
            with ControlClient(self._files.control_socket) as client:
                reply = client.send(PlanMessage(plan=plan))
        except NotRunning as error:
            self._renew_s = self._sent_s + TRY_AGAIN_S
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
            asked=() if laid is None else tuple(map(_names, laid.asked)),
            asked_problem="; ".join(filter(None, (asker.problem for asker in self._others))),
        )
        if laid is not None and known is not None and self._question is not None:
            found = alternatives(
                known,
                laid,
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
            write_atomically(path, packed(to_json(report)))
        except OSError as error:
            _log.error("the report is not on disk: %s", error)

    def _tell(self, text: str) -> None:
        """Logs what speaks against a plan; the same with other figures is no news."""
        told = text.translate(_FIGURES)
        if told != self._told:
            _log.warning("%s", text or "plans are accepted again")
            self._told = told


def _names(asked: Sequence[AskedSlot]) -> tuple[str, ...]:
    return tuple(who_asks(slot) for slot in asked)
