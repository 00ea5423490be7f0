"""The regulator makes of a wish what is to be asked of the site so that the meter comes to it.

What is wanted follows from the rest of the site at once (feed-forward): nothing has to be found by
trying. Feedback corrects only what feed-forward cannot know: a device that delivers something else
than it is asked, and a loop that swings all the same.
"""

from dataclasses import dataclass, field, replace

from holdfast.control.regulation.delivery import DeliveryGain, DeliveryMemory
from holdfast.control.regulation.following import Following, FollowMemory
from holdfast.control.regulation.quality import QualityJudge, QualityMemory, RegulationQuality
from holdfast.control.regulation.zero_crossing import ZeroCrossing, ZeroMemory
from holdfast.core.config import Site
from holdfast.core.data_store import Snapshot
from holdfast.core.signals import SITE, Signal
from holdfast.core.units import s_from_ns
from holdfast.safety.bounds import site_power
from holdfast.safety.rest_of_site import batteries_w

DEAD_BAND = 0.001
"""Share of the rated power: a wish that moves by less is not followed."""
DEAD_BAND_W = 5.0
TURN = 0.01
"""Share of the rated power by which a wish has to come back to count as a turn."""
TURN_W = 30.0
INTERVALS = 4
"""The meter's period is the shortest of so many intervals: a load that rests makes one long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegulatorWish:
    """Tells what is wanted of all batteries together."""

    power_w: float
    """By feed-forward, + charging."""
    grid_w: float | None = None
    """Where the meter should be if the site does that; None: the wish is not about the meter."""
    urgent: bool = False
    """A limit at the meter is being kept: no dead band, no dwell, no slower way."""
    is_limited: bool = False
    """Less than the last request was permitted or reached by the ramp."""
    meter_delay_s: float = 0.0
    """The least that the meter may be late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegulationMemory:
    """Holds what one step hands to the next."""

    is_regulating: bool = False
    follow: FollowMemory = field(default_factory=FollowMemory)
    zero: ZeroMemory = field(default_factory=ZeroMemory)
    delivery: DeliveryMemory = field(default_factory=DeliveryMemory)
    quality: QualityMemory = field(default_factory=QualityMemory)
    grid_w: float | None = None
    """What the meter showed last."""
    changed_ns: int = 0
    intervals_ns: tuple[int, ...] = ()
    """Between the last changes of the meter's value."""


class Regulator:
    """Regulates one site. Holds no state."""

    def __init__(self, site: Site, *, coarse_w: float = 0.0) -> None:
        """Takes the steps, W, in which the coarsest device keeps its setpoint: what is lost by
        that is no error."""
        rated_w = site_power(site)
        hardware = [unit.inverter_hardware for unit in site.storage]
        self._units = site.unit_names
        self._response_s = max(each.response_time_s for each in hardware)
        self._delivery = DeliveryGain(
            rated_w=rated_w, response_s=self._response_s, coarse_w=coarse_w
        )
        self._following = Following(
            dead_band_w=max(DEAD_BAND * rated_w, DEAD_BAND_W),
            turn_w=max(TURN * rated_w, TURN_W),
        )
        self._zero = ZeroCrossing(
            rated_w=rated_w, min_power_w=min(each.min_power_w for each in hardware)
        )
        self._judge = QualityJudge(rated_w=rated_w)

    def step(
        self, wish: RegulatorWish, snapshot: Snapshot, memory: RegulationMemory, dt_s: float
    ) -> tuple[float, RegulationMemory]:
        """Returns what is to be asked of the site, W, + charging, and the memory.

        A wish that is not about the meter passes as it is.
        """
        now_ns = snapshot.time_ns
        if wish.grid_w is None:
            return wish.power_w, self._passed(wish.power_w, memory)
        memory = self._met(wish, snapshot, memory)
        if not memory.is_regulating:
            follow = replace(memory.follow, taken_w=wish.power_w)
            memory = replace(memory, is_regulating=True, follow=follow)
        follow = self._following.follow(
            wish.power_w,
            memory.follow,
            now_ns=now_ns,
            dt_s=dt_s,
            loop_s=self._loop_s(wish, memory),
            urgent=wish.urgent,
        )
        wanted_w, zero = self._zero.cross(
            follow.taken_w, memory.zero, dt_s=dt_s, urgent=wish.urgent
        )
        asked_w, delivery = self._delivery.correct(
            wanted_w,
            batteries_w(self._units, snapshot),
            memory.delivery,
            now_ns=now_ns,
            dt_s=dt_s,
            is_limited=wish.is_limited,
        )
        if asked_w * wish.power_w < 0.0:  # whatever is slow here: no wish is ever turned round
            asked_w = 0.0
        return asked_w, RegulationMemory(
            is_regulating=True,
            follow=follow,
            zero=zero,
            delivery=delivery,
            quality=memory.quality,
            grid_w=memory.grid_w,
            changed_ns=memory.changed_ns,
            intervals_ns=memory.intervals_ns,
        )

    def quality(self, memory: RegulationMemory) -> RegulationQuality | None:
        """Returns the verdict on the last minute; None while nothing is regulated."""
        return self._judge.judge(memory.quality) if memory.is_regulating else None

    def _passed(self, power_w: float, memory: RegulationMemory) -> RegulationMemory:
        """Returns the memory beside a wish that is not about the meter."""
        zero = self._zero.passed(power_w, memory.zero)
        delivery = memory.delivery
        if delivery.wanted:
            delivery = replace(delivery, wanted=(), tried=None)
        return replace(
            memory, is_regulating=False, zero=zero, delivery=delivery, quality=QualityMemory()
        )

    def _met(
        self, wish: RegulatorWish, snapshot: Snapshot, memory: RegulationMemory
    ) -> RegulationMemory:
        """Returns the memory with what the meter shows, if that is another value than before."""
        grid_w = snapshot.good(SITE, Signal.GRID_POWER_W)
        if grid_w is None or grid_w == memory.grid_w or wish.grid_w is None:
            return memory
        now_ns, quality, intervals_ns = snapshot.time_ns, memory.quality, memory.intervals_ns
        if memory.grid_w is not None:
            since_ns = now_ns - memory.changed_ns
            intervals_ns = (*intervals_ns, since_ns)[-INTERVALS:]
            quality = self._judge.note(
                grid_w - wish.grid_w,
                quality,
                now_ns=now_ns,
                dt_s=s_from_ns(since_ns),
                is_limited=wish.is_limited or memory.delivery.at_limit,
            )
        return replace(
            memory,
            quality=quality,
            grid_w=grid_w,
            changed_ns=now_ns,
            intervals_ns=intervals_ns,
        )

    def _loop_s(self, wish: RegulatorWish, memory: RegulationMemory) -> float:
        """Returns how long it takes until the meter shows what a wish has done, s."""
        period_s = s_from_ns(min(memory.intervals_ns, default=0))
        return wish.meter_delay_s + period_s + self._response_s
