"""How long it takes from an event to the command on the wire, by device table: what is promised."""

from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.core.config.device import CanBus, Connection, ModbusTcp
from holdfast.core.role import Role
from holdfast.core.units import s_from_ns
from holdfast.devices.can_frames import GAP_NS
from holdfast.devices.can_profile import CanProfile
from holdfast.devices.http_profile import HttpProfile
from holdfast.devices.mqtt_profile import MqttProfile
from holdfast.devices.profile import Profile, load_profile, profile_names
from holdfast.safety.finding import DERATE_FACTOR, RAMP_TO_ZERO_S
from holdfast.safety.limits import ALL_LIMITS
from holdfast.site.devices import ages_of

SAMPLES = tuple(sorted({row.samples for row in ALL_LIMITS if row.samples != (1, 1)}))
"""Lists every debounce of the limit table, m of n, but one of one."""
_WITH_POWER = frozenset({Role.BMS, Role.INVERTER, Role.METER, Role.EMERGENCY_INPUT})
"""What they tell can take the power away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionTimes:
    """Holds the longest times of one device table, in s; its answers take no time."""

    profile: str
    period_s: float
    """A value comes at least this often."""
    cycle_s: float
    old_s: float
    """After this silence half of the power is left."""
    lost_s: float
    """After this silence the power is 0 W."""

    def after(self, samples: int) -> float:
        """Returns the time until a finding acts that takes ``samples`` of them.

        The event comes just behind a sample.
        """
        return samples * self.period_s + self.cycle_s


def reaction_times(profile: Profile, cycle_s: float) -> ReactionTimes:
    """Returns the times of a device that follows ``profile`` and answers at once."""
    connection: Connection = ModbusTcp(host="localhost")
    if isinstance(profile, CanProfile):
        connection = CanBus(interface="virtual", channel="")
        period_s = profile.burst_period_s + s_from_ns(GAP_NS)
    elif isinstance(profile, HttpProfile | MqttProfile):
        period_s = profile.period_s
    else:
        period_s = profile.poll_period_s
    ages = [ages_of(signal, profile, connection) for signal in profile.signals]
    rest_of_ramp_s = DERATE_FACTOR * RAMP_TO_ZERO_S
    return ReactionTimes(
        profile=profile.name,
        period_s=period_s,
        cycle_s=cycle_s,
        old_s=s_from_ns(min(old for old, _ in ages)) + cycle_s,
        lost_s=s_from_ns(min(lost for _, lost in ages)) + rest_of_ramp_s + cycle_s,
    )


def reaction_rows(cycle_s: float) -> Iterator[tuple[str, ...]]:
    """Yields a heading, then a row for each table whose device can take the power away."""
    debounced = (f"{m} of {n}" for m, n in SAMPLES)
    yield "table", "a value every", "one sample", *debounced, "silent: half", "silent: 0 W"
    for name in profile_names():
        profile = load_profile(name)
        if _WITH_POWER.isdisjoint(profile.roles):
            continue
        times = reaction_times(profile, cycle_s)
        cells = [times.period_s, times.after(1), *(times.after(m) for m, _ in SAMPLES)]
        yield name, *(f"{cell:.2f} s" for cell in (*cells, times.old_s, times.lost_s))
