"""Conditions are what people have to know beside the findings of the safety path.

They are told as findings are, in a table of their own. It is pure: what was seen goes in.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from holdfast.core.signals import SITE
from holdfast.core.units import NS_PER_S
from holdfast.monitoring.language import Phrase
from holdfast.monitoring.recovery import steps as s
from holdfast.monitoring.recovery.rows import EMERGENCY_STOP, RecoveryRow
from holdfast.monitoring.status.schema import FindingStatus, Status
from holdfast.safety.finding import Reaction

_IN_LOGS = Phrase(
    "`state/log` says why; `holdfast status` shows what the site does meanwhile.",
    "In `state/log` steht, warum; `holdfast status` zeigt, was die Anlage inzwischen tut.",
)
_START = Phrase(
    "If that is right, `holdfast start`; `resume: automatic` in site.yaml would have done it.",
    "Wenn das in Ordnung ist: `holdfast start`; `resume: automatic` in site.yaml hätte es getan.",
)
_DISK = Phrase(
    "Is the disk full, or worn? `df -h` on the site's computer.",
    "Ist der Datenträger voll oder verbraucht? `df -h` am Rechner der Anlage.",
)
_ANOTHER_WAY = Phrase(
    "`holdfast notices` says what came of the last try, `holdfast notices test` tries again.",
    "`holdfast notices` sagt, woran es lag, `holdfast notices test` versucht es noch einmal.",
)

_SWITCH_ON = Phrase(
    "Settings, Notifications on this device; or take the recipient out of site.yaml.",
    "Einstellungen, Benachrichtigungen auf diesem Gerät; oder den Empfänger aus site.yaml nehmen.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionRow:
    """Tells how strong a condition is, from when on it counts, and what it means."""

    reaction: Reaction
    """Ranks it among the findings; what it does has been done by others."""
    after_s: float
    meaning: RecoveryRow


def _row(reaction: Reaction, after_s: float, en: str, de: str, *steps: Phrase) -> ConditionRow:
    meaning = RecoveryRow(what=Phrase(en, de), steps=steps)
    return ConditionRow(reaction=reaction, after_s=after_s, meaning=meaning)


_R = Reaction
# fmt: off
CONDITIONS: Mapping[str, ConditionRow] = {
    "controller_silent":     _row(_R.TRIP,         60.0,  "the controller does not answer; the watchdog has switched the site off", "der Controller antwortet nicht; der Watchdog hat die Anlage abgeschaltet", s.PROCESSES, s.BUSY, s.LOGS),
    "waits_for_start":       _row(_R.RAMP_TO_ZERO, 60.0,  "the site was running, and now waits for a start",                        "die Anlage lief und wartet jetzt auf einen Start",                         _START),
    "device_silent":         _row(_R.HOLD,         600.0, "a device does not answer",                                               "ein Gerät antwortet nicht",                                                s.EXPLAIN, s.POWERED, s.ADDRESS),
    "latches_not_on_disk":   _row(_R.DERATE,       0.0,   "what is latched cannot be saved",                                        "Verriegeltes kann nicht gespeichert werden",                               _DISK, s.LOGS),
    "audit_not_written":     _row(_R.HOLD,         60.0,  "the audit log cannot be written",                                        "das Protokoll kann nicht geschrieben werden",                              _DISK, s.LOGS),
    "history_not_written":   _row(_R.HOLD,         600.0, "the history cannot be written",                                          "der Verlauf kann nicht geschrieben werden",                                _DISK, _IN_LOGS),
    "recipient_unreachable": _row(_R.HOLD,         0.0,   "could not be told of anything for a day",                                "konnte seit einem Tag nicht benachrichtigt werden",                        _ANOTHER_WAY),
    "no_browser_told":       _row(_R.HOLD,         86400.0, "nobody has switched notifications on in a browser",                    "niemand hat die Benachrichtigungen in einem Browser eingeschaltet",        _SWITCH_ON),
}
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Holds one condition that is there now."""

    row: str
    text: str
    owner: str = SITE

    @property
    def key(self) -> str:
        """Returns ``owner/row``."""
        return f"{self.owner}/{self.row}"


def site_conditions(status: Status) -> Iterator[Seen]:
    """Yields what the controller tells beside its findings."""
    if status.waits_for_start:
        text = "it was RUNNING when its controller ended, and waits for a start"
        yield Seen(row="waits_for_start", text=text)
    if not status.latches_on_disk:
        yield Seen(row="latches_not_on_disk", text="latches would not survive a restart")
    if status.audit is not None and status.audit.problem:
        yield Seen(row="audit_not_written", text=status.audit.problem)
    for key, comms in status.comms.items():
        owner, _, role = key.partition("/")
        if comms.why_silent and not _is_found(status, owner, role):
            yield Seen(row="device_silent", owner=key, text=f"{comms.where}: {comms.why_silent}")


def _is_found(status: Status, owner: str, role: str) -> bool:
    """Says whether a finding tells of that device's silence already."""
    silent = {"load_silent", *(f"{role}_data_{how}" for how in ("lost", "missing", "gone", "bad"))}
    return any(found.owner == owner and found.row in silent for found in status.findings)


def lasting(
    since: Mapping[str, int], seen: Iterator[Seen], now_ns: int
) -> tuple[list[FindingStatus], dict[str, int]]:
    """Returns those conditions that have lasted for long enough, and since when each is there."""
    present = {one.key: one for one in seen}
    kept = {key: since.get(key, now_ns) for key in present}
    found = []
    for key, one in present.items():
        row, for_s = CONDITIONS[one.row], (now_ns - kept[key]) / NS_PER_S
        if for_s >= row.after_s:
            found.append(_finding(one, row.reaction, for_s))
    return found, kept


def _finding(one: Seen, reaction: Reaction, for_s: float) -> FindingStatus:
    return FindingStatus(
        owner=one.owner,
        row=one.row,
        level="alarm",
        reaction=reaction.name.lower(),
        for_s=for_s,
        text=one.text,
    )


def findings_with_latches(status: Status) -> Iterator[FindingStatus]:
    """Yields all findings; what is latched stays one, as strong as it was, until it is reset."""
    latched = dict.fromkeys(status.latched_faults, "trip")
    if status.emergency_stop_latched:
        latched[f"{SITE}/{EMERGENCY_STOP}"] = "emergency_stop"
    for found in status.findings:
        reaction = latched.pop(f"{found.owner}/{found.row}", found.reaction)
        yield replace(found, reaction=reaction)
    for key, reaction in latched.items():
        owner, _, row = key.partition("/")
        yield FindingStatus(
            owner=owner, row=row, level="trip", reaction=reaction, for_s=0.0, text="latched"
        )
