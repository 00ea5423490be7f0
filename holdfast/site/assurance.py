"""This module says who guards each protection goal of a site, and what authority follows from that.

Why it is so: docs/decisions/0022-who-guards-what.md.
"""

from collections.abc import Iterator, Mapping, Set

from holdfast.core.commands import Point
from holdfast.core.config import Site, StorageUnit
from holdfast.core.config.device import Device, GpioChip, Without
from holdfast.core.device_mode import ON_ISLAND
from holdfast.core.errors import ConfigError
from holdfast.core.role import Role
from holdfast.core.signals import SIGNALS, SITE, Signal
from holdfast.devices.profile import Profile, load_profile
from holdfast.safety.derived import RESTS_ON
from holdfast.safety.goals import GOALS, Assurance, Authority, Facts, Goal, Nobody, assure
from holdfast.safety.limits import build_limits
from holdfast.site.devices import devices, physical_devices
from holdfast.site.proof import OutageFound, Proof, TimerFound, valid_proof


def assurance(site: Site) -> tuple[Assurance, ...]:
    """Returns who guards each goal, of the site and of each unit.

    Raises ConfigError where ``accepts`` names no goal, or one of another section.
    """
    found = assure(SITE, _facts(site, SITE, _accepted_by_site(site)), of_site=True)
    for owner, accepted in _accepted_by_units(site):
        found += assure(owner, _facts(site, owner, accepted), of_site=False)
    return found


def highest_authority(assurances: tuple[Assurance, ...]) -> Authority:
    """Returns the highest authority that all goals together permit."""
    return min(each.permits for each in assurances)


def unwatched(site: Site) -> dict[str, tuple[Signal, ...]]:
    """Returns the limits that no device of ``site`` feeds, and what is not told, by their keys."""
    told = {
        owner: {
            signal
            for (whose, role), (_, device) in devices(site).items()
            if whose == owner
            for signal in load_profile(device.profile).of(role).signals
        }
        for owner in (SITE, *site.unit_names)
    }
    return {
        limit.key: lacks
        for limit in build_limits(site)
        if (lacks := _lacking(limit.row.signal, told[limit.owner]))
    }


def _lacking(signal: Signal, told: Set[Signal]) -> tuple[Signal, ...]:
    return tuple(
        source
        for source in RESTS_ON.get(signal, (signal,))
        if source not in told and isinstance(SIGNALS[source].producer, Role)
    )


def check_authority(site: Site) -> None:
    """Raises ConfigError if site.yaml asks for more authority than its guards permit."""
    found, wanted = assurance(site), Authority[site.authority.upper()]
    gaps = [_gap(site, each) for each in found if each.permits < wanted]
    if gaps:
        raise ConfigError(
            f"authority: {wanted.key} is more than this site's guards permit, which is "
            f"{highest_authority(found).key}: " + "; ".join(gaps)
        )


def hangs_on_lines(unit: StorageUnit | None) -> bool:
    """Says whether the contactor of ``unit`` hangs on GPIO lines, which one process holds.

    A controller that hangs keeps them, and the watchdog opens nothing before that is killed.
    """
    if unit is None or isinstance(unit.relays, Without):
        return False
    return isinstance(unit.relays.connection, GpioChip)


def _gap(site: Site, gap: Assurance) -> str:
    """Says what is missing, and what would be right."""
    row = GOALS[gap.goal]
    if isinstance(gap.guard, Nobody):
        key = "accepts" if gap.owner == SITE else f"accepts of {gap.owner}"
        return (
            f"nobody guards that {row.text}, {gap.guard.why} "
            f"({key}: {{{gap.goal}: why that is right}})"
        )
    unless = f", unless {row.second_way} is guarded" if row.second_way else ""
    if unless and hangs_on_lines(site.unit_named(gap.owner)):
        unless = (
            f": {row.second_way} is no second way by relays on GPIO lines, which a controller "
            "that hangs keeps"
        )
    return f"{gap.goal} of {gap.owner} is accepted, which permits {gap.permits.key}{unless}"


def _facts(site: Site, owner: str, accepted: Mapping[Goal, str]) -> Facts:
    told_by: dict[Signal, str] = {}
    guarded: dict[Goal, str] = {}
    commanded: list[str | None] = []
    unit = site.unit_named(owner)
    proof = None if unit is None else valid_proof(site, unit)
    for device in physical_devices(site):
        # What the site's devices tell is told of the unit, too: the meter sees the battery.
        roles = [role for role, whose in device.owners.items() if whose in {owner, SITE}]
        if not roles:
            continue
        profile = load_profile(device.device.profile)
        told_by |= dict.fromkeys(profile.of(*roles).required, device.name)
        if owner in device.owners.values():
            guarded |= profile.guards
            seen = _seen(proof, device.device) or profile.confirmed
            commanded += [seen] if profile.points else []
            guarded |= _proven_in_outage(proof, device.device)
            guarded |= _given_back(profile)
    if commanded and all(commanded):  # a device that is only read is found wrong by the others
        guarded[Goal.UNDERSTOOD] = "; ".join(dict.fromkeys(filter(None, commanded)))
    disproven = {} if proof is None else _disproven(proof)
    inverter = None if unit is None else load_profile(unit.inverter.profile)
    if inverter is not None and _given_back(inverter):
        disproven.pop(Goal.SUPPLY_IN_OUTAGE, None)  # it was told 0 W, which nobody does any more
    return Facts(
        told_by=told_by,
        guarded=guarded,
        accepted=accepted,
        disproven=disproven,
        unguarded={} if inverter is None else _told_of_outages(inverter),
        ends_with_us=frozenset({Goal.DISCONNECTION} if hangs_on_lines(unit) else ()),
    )


def _seen(proof: Proof | None, device: Device) -> str | None:
    """Returns what was seen on this very device, if anything was."""
    return proof.in_words if proof is not None and proof.is_of(device) else None


def _proven_in_outage(proof: Proof | None, device: Device) -> dict[Goal, str]:
    """Returns what was seen on this very device while the grid was away."""
    if proof is None or proof.outage is not OutageFound.SERVED or not proof.is_of(device):
        return {}
    return {Goal.SUPPLY_IN_OUTAGE: f"told 0 W it served the house on {proof.date}"}


def _given_back(profile: Profile) -> dict[Goal, str]:
    """Returns what follows where an inverter tells of an outage, and is then told nothing more."""
    modes = profile.traits[Point.DEVICE_MODE].modes if Point.DEVICE_MODE in profile.points else ()
    if Signal.ISLANDED not in profile.signals or not set(modes).intersection(ON_ISLAND):
        return {}
    return {Goal.SUPPLY_IN_OUTAGE: "it tells of an outage, and is then given back to its own rule"}


def _told_of_outages(inverter: Profile) -> dict[Goal, str]:
    """Returns why an inverter is not known to be on an island, in the words of its table."""
    why = inverter.lacks.get(Signal.ISLANDED)
    return {} if why is None else {Goal.SUPPLY_IN_OUTAGE: f"{inverter.name} lacks islanded: {why}"}


def _disproven(proof: Proof) -> dict[Goal, str]:
    """Returns what the device did not do, though the rest of it is proven."""
    found = {}
    if proof.timer is TimerFound.LATE:
        found[Goal.LOST_CONTROLLER] = (
            f"the inverter's timer did not end a command when it was proven on {proof.date}"
        )
    if proof.outage is OutageFound.DARK:
        found[Goal.SUPPLY_IN_OUTAGE] = f"told 0 W it left the house dark on {proof.date}"
    return found


def _accepted_by_site(site: Site) -> dict[Goal, str]:
    return _accepted("accepts", site.accepts, Goal.EMERGENCY_STOP, site.emergency_input)


def _accepted_by_units(site: Site) -> Iterator[tuple[str, dict[Goal, str]]]:
    for index, unit in enumerate(site.storage):
        where = f"storage[{index}].accepts"
        yield unit.name, _accepted(where, unit.accepts, Goal.DISCONNECTION, unit.relays)


def _accepted(
    where: str, accepts: Mapping[str, str], by_device: Goal, device: object
) -> dict[Goal, str]:
    """Returns what is accepted in words, and by leaving out the ``device`` of a goal in words."""
    accepted = {by_device: device.none} if isinstance(device, Without) else {}
    of_site = GOALS[by_device].of_site
    may_be = [
        goal
        for goal, row in GOALS.items()
        if row.of_site is of_site and row.accepted > row.unguarded
    ]
    for name, reason in accepts.items():
        if name not in may_be:
            raise ConfigError(f"{where}.{name}: may be one of {', '.join(may_be)}")
        accepted[Goal(name)] = reason
    return accepted
