"""The items of the checklist are rows: what has to be seen, before which authority, and by whom.

The program sees what it can measure; the rest a person looks at and signs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from holdfast.core.config.device import Without
from holdfast.deployment.checklist.evidence import Evidence
from holdfast.monitoring.history.energy_rows import EnergyRow
from holdfast.safety.finding import Reaction
from holdfast.safety.goals import Authority
from holdfast.site.assurance import highest_authority

WATCHED_H = 24
"""So many hours are watched before anything is written, and acted before all is permitted."""
COMPLETE = 0.99
"""Share of that time in which all has to be known that the site measures."""
MOVED_WH = 100.0
"""So much has to have gone into the batteries, and out of them (assumption)."""
FREE_BYTES = 1_000_000_000
"""History, audit log and a backup of them fit in it for years."""
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Standing(StrEnum):
    """Names how an item stands."""

    DONE = "done"
    OPEN = "open"
    NOT_NEEDED = "not needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Tells how an item stands, and by what that is known."""

    standing: Standing
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Describes one item."""

    key: str
    stage: Authority
    """Is the authority that it is needed for."""
    text: str
    """Says what has to be so, as a whole sentence."""
    see: Callable[[Evidence], Look] | None = None
    """Sees how it stands; None: a person looks, and signs."""
    not_needed: Callable[[Evidence], str] = lambda _: ""
    """Says why this site needs it not; empty if it does."""
    may_sign: bool = False
    """Tells whether a person may sign what the program sees otherwise."""

    @property
    def signed_by_people(self) -> bool:
        """Says whether a signature can close it."""
        return self.see is None or self.may_sign


def done(told: str) -> Look:
    """Returns that it is so."""
    return Look(standing=Standing.DONE, told=told)


def not_yet(told: str) -> Look:
    """Returns that it is not so, and why."""
    return Look(standing=Standing.OPEN, told=told)


def _configuration(evidence: Evidence) -> Look:
    found = evidence.examination
    if found is None:
        return not_yet(f"it cannot be run: {evidence.wrong}")
    if found.doubts:
        return not_yet(f"doubtful: {'; '.join(found.doubts)}")
    return done("right, and nothing in it is doubtful")


def _guards(stage: Authority) -> Callable[[Evidence], Look]:
    def see(evidence: Evidence) -> Look:
        if evidence.examination is None:
            return not_yet("not known while site.yaml is wrong")
        highest = highest_authority(evidence.examination.guards)
        if highest >= stage:
            return done(f"its guards permit {highest.key}")
        gaps = [
            f"{each.goal} of {each.owner}"
            for each in evidence.examination.guards
            if each.permits < stage
        ]
        return not_yet(f"not guarded and not accepted (`holdfast check`): {', '.join(gaps)}")

    return see


def _proven(evidence: Evidence) -> Look:
    if evidence.unproven:
        return not_yet(f"`holdfast devices prove` has not proven: {', '.join(evidence.unproven)}")
    return done("every inverter did what its table says")


def _watched(evidence: Evidence) -> Look:
    hours = evidence.hours[-WATCHED_H:]
    known = sum(row.complete for row in hours) / WATCHED_H
    told = f"{len(hours)} whole hours on record, {100 * known:.1f} % of {WATCHED_H} h known"
    return done(told) if len(hours) == WATCHED_H and known >= COMPLETE else not_yet(told)


def _answering(evidence: Evidence) -> Look:
    status = evidence.status
    if status is None:
        return not_yet("the site does not run now")
    silent = [name for name, comms in status.comms.items() if comms.why_silent]
    if silent:
        return not_yet(f"silent now: {', '.join(silent)}")
    return done(f"all {len(status.comms)} devices answer")


def _quiet(evidence: Evidence) -> Look:
    status = evidence.status
    if status is None:
        return not_yet("the site does not run now")
    strong = [
        f"{found.row} of {found.owner}"
        for found in status.findings
        if Reaction[found.reaction.upper()] >= Reaction.BLOCK_CHARGE
    ]
    if strong:
        return not_yet(f"not as it should be now: {', '.join(strong)}")
    return done("nothing blocks power now")


def _no_trips(evidence: Evidence) -> Look:
    since = evidence.now - timedelta(hours=WATCHED_H)
    recent = [trip for trip in evidence.record.trips if trip >= since]
    if recent:
        return not_yet(f"{len(recent)} trips in the last {WATCHED_H} h, the last at {recent[-1]}")
    return done(f"no trip in the last {WATCHED_H} h; {len(evidence.record.trips)} before")


def _acted(evidence: Evidence) -> Look:
    hours = evidence.record.acted.total_seconds() / 3600.0
    told = f"RUNNING for {hours:.1f} h with the authority to write"
    return done(told) if hours >= WATCHED_H else not_yet(f"{told}; {WATCHED_H} h are wanted")


def _moved(evidence: Evidence) -> Look:
    charged = _sum(evidence, lambda row: row.charge_wh)
    discharged = _sum(evidence, lambda row: row.discharge_wh)
    told = f"{charged:.0f} Wh went in, {discharged:.0f} Wh came out"
    return done(told) if min(charged, discharged) >= MOVED_WH else not_yet(told)


def _sum(evidence: Evidence, of: Callable[[EnergyRow], float | None]) -> float:
    return sum(of(row) or 0.0 for row in evidence.hours)


def _stopped_by_input(evidence: Evidence) -> Look:
    return _stopped(evidence, "emergency-stop loop is open", "pressed")


def _stopped_by_command(evidence: Evidence) -> Look:
    return _stopped(evidence, "by command", "`holdfast estop`")


def _stopped(evidence: Evidence, cause: str, how: str) -> Look:
    found = [stop for stop in evidence.record.stops if cause in stop.cause]
    if not found:
        return not_yet(f"no such stop is on record ({how})")
    return done(f"it stopped at {found[-1].utc:%Y-%m-%d %H:%M} UTC")


def _came_back(evidence: Evidence) -> Look:
    at = evidence.record.came_back
    if at is None:
        return not_yet("no start after an end that nobody asked for is on record")
    return done(f"it came back at {at:%Y-%m-%d %H:%M} UTC")


def _clock(evidence: Evidence) -> Look:
    if evidence.is_clock_right is None:
        return not_yet("not known on this computer")
    if evidence.is_clock_right:
        return done("synchronised")
    return not_yet("not synchronised: prices and schedules would hold at other times")


def _real_time(evidence: Evidence) -> Look:
    if evidence.record.begun is None:
        return not_yet("the site has not run yet")
    if evidence.record.real_time:
        return done("granted at the last start")
    return not_yet("not granted at the last start: run it as its systemd unit, or as root")


def _admin(evidence: Evidence) -> Look:
    if evidence.has_admin:
        return done("there is an admin, and the set-up code is used up")
    return not_yet("nobody has used the set-up code (`holdfast users`)")


def _network(evidence: Evidence) -> Look:
    api, gateway = evidence.site.api, evidence.site.gateway
    open_to = [
        f"{name} at {section.host}"
        for name, section in (("pages", api), ("plain pages and metrics", gateway))
        if section.host not in _LOOPBACK
    ]
    if api.host not in _LOOPBACK and api.tls == "off":
        return not_yet("pages are open to the network without a certificate (api.tls)")
    return done(f"open to the network: {', '.join(open_to)}" if open_to else "this computer alone")


def _disk(evidence: Evidence) -> Look:
    told = f"{evidence.free_bytes / 1e9:.1f} GB free"
    return done(told) if evidence.free_bytes >= FREE_BYTES else not_yet(f"{told}, 1 GB is wanted")


def _told_at_night(evidence: Evidence) -> Look:
    if not evidence.ledgers:
        return not_yet("nobody is named under notifications (docs/notifications.md)")
    missed = [name for name, one in evidence.ledgers.items() if not one.delivered or one.failures]
    if missed:
        return not_yet(f"nothing was delivered yet, or the last try failed: {', '.join(missed)}")
    return done(f"notices were delivered to {', '.join(evidence.ledgers)}")


def _without_input(evidence: Evidence) -> str:
    found = evidence.site.emergency_input
    return f"left out: {found.none}" if isinstance(found, Without) else ""


def _without_contactor(evidence: Evidence) -> str:
    reasons = [u.relays.none for u in evidence.site.storage if isinstance(u.relays, Without)]
    return f"left out: {reasons[0]}" if len(reasons) == len(evidence.site.storage) else ""


_LIMITED, _FULL = Authority.LIMITED, Authority.FULL

# fmt: off
ITEMS = (
    # What the program sees.
    Item(key="configuration", stage=_LIMITED, see=_configuration, may_sign=True, text="site.yaml is right, and nothing in it is doubtful."),
    Item(key="guards_limited", stage=_LIMITED, see=_guards(_LIMITED), text="Each goal of protection is guarded, or accepted in words, as far as limited authority needs."),
    Item(key="proven", stage=_LIMITED, see=_proven, may_sign=True, text="Each inverter was seen to do what its table says."),
    Item(key="answering", stage=_LIMITED, see=_answering, text="Every device answers."),
    Item(key="watched", stage=_LIMITED, see=_watched, text=f"A day was watched: of the last {WATCHED_H} h all is known by {100 * COMPLETE:g} %."),
    Item(key="quiet", stage=_LIMITED, see=_quiet, text="Nothing is found now that would block power."),
    Item(key="clock", stage=_LIMITED, see=_clock, may_sign=True, text="The computer's clock is right, and is kept so."),
    Item(key="real_time", stage=_LIMITED, see=_real_time, may_sign=True, text="The controller has real-time scheduling."),
    Item(key="admin", stage=_LIMITED, see=_admin, text="Somebody has an account who may do all; the set-up code is used up."),
    Item(key="network", stage=_LIMITED, see=_network, text="Pages that are open to the network have a certificate."),
    Item(key="disk", stage=_LIMITED, see=_disk, text="The disk has room."),
    # What a person looks at.
    Item(key="data_sheets", stage=_LIMITED, text="Battery and inverter in site.yaml were compared with their data sheets: cells, capacity, currents, powers."),
    Item(key="fuse", stage=_LIMITED, text="grid.import_max_w and grid.export_max_w were compared with the main fuse and the contract."),
    Item(key="bms_limits", stage=_LIMITED, text="The BMS protects the cells by itself, with limits that were looked at."),
    Item(key="meter_sign", stage=_LIMITED, text="A load of known power was switched on, and the meter showed it: its sign, its size, on the right phase."),
    Item(key="by_hand", stage=_LIMITED, text="Whoever is there knows how to switch inverter and battery off by hand, and can reach it."),
    Item(key="emergency_wiring", stage=_LIMITED, not_needed=_without_input, text="The emergency-stop loop is normally closed; a wire that was taken off was heard as a stop."),
    Item(key="contactor_wiring", stage=_LIMITED, not_needed=_without_contactor, text="The contactor opens without a signal, and its feedback contact shows where it is."),
    Item(key="place", stage=_LIMITED, text="The place of the battery is as its maker asks: ventilation, temperature, distance, smoke detector."),
    Item(key="electrician", stage=_LIMITED, text="A qualified electrician has tested the installation: RCD, fuses, earth, insulation."),
    # Look by the program, after a while with limited power.
    Item(key="guards_full", stage=_FULL, see=_guards(_FULL), text="Each goal of protection is guarded, or accepted in words, as far as full authority needs."),
    Item(key="acted", stage=_FULL, see=_acted, text=f"The site was RUNNING for {WATCHED_H} h with limited power."),
    Item(key="moved", stage=_FULL, see=_moved, text=f"The batteries were charged and discharged by {MOVED_WH:g} Wh at least."),
    Item(key="no_trips", stage=_FULL, see=_no_trips, text=f"Nothing tripped in the last {WATCHED_H} h."),
    Item(key="stop_by_input", stage=_FULL, see=_stopped_by_input, not_needed=_without_input, text="The emergency stop was pressed, and stopped the site."),
    Item(key="stop_by_command", stage=_FULL, see=_stopped_by_command, text="The emergency stop was given by command or page, and stopped the site."),
    Item(key="came_back", stage=_FULL, see=_came_back, text="The computer was switched off while the site ran, and the site came back."),
    Item(key="told_at_night", stage=_FULL, see=_told_at_night, may_sign=True, text="Somebody is told when the site stops, and has been."),
    # What a person looks at, then.
    Item(key="outage", stage=_FULL, text="It was tried, or is known and accepted, what the house has in an outage of the grid."),
    Item(key="registered", stage=_FULL, text="The grid operator knows of the battery, and his limits are in site.yaml."),
    Item(key="sheet", stage=_FULL, text="The sheet of what to do in an emergency hangs at the battery, with names and numbers (docs/emergency.md)."),
    Item(key="people", stage=_FULL, text="Those who live or work there were shown the emergency stop, and what the site does."),
    Item(key="backup", stage=_FULL, text="A backup of site.yaml and state lies elsewhere."),
)
# fmt: on
"""They stand in the order in which they are done."""


def item_named(key: str) -> Item | None:
    """Returns the item of that name; None if there is none."""
    return next((item for item in ITEMS if item.key == key), None)
