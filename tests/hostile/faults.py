"""The faults as rows: what begins to lie, what has to follow, and how soon, at the wire."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.hostile.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class HostileFault:
    """One fault on a site that runs in self-consumption."""

    name: str
    house_w: float
    """Load less sun before it begins; the battery does the opposite."""
    begins: Callable[[World], None]
    after: Callable[[World], None] | None = None
    """What the house does two seconds later."""
    safe: Callable[[World], bool]
    """What has to become true,"""
    within_s: float
    """this soon after the fault began,"""
    holds_s: float = 0.0
    """and stay true for this long."""
    never: Callable[[World], bool] | None = None
    """What may not be true at any time."""
    finding: str = ""
    """A row that has been found by then; of several, separated by a bar, any."""
    check: str = ""
    """The check without which it does not end so, as :mod:`tests.hostile.without` has it."""
    from_start: bool = False
    """It has been so for as long as the site runs."""
    soc: float = 0.5
    capacity_wh: float = 10_000.0
    import_max_w: int = 17_000


def is_open(world: World) -> bool:
    return not world.closed


def is_at_zero(world: World) -> bool:
    return abs(world.power_w) < 100.0


def beyond(power_w: float) -> Callable[[World], bool]:
    return lambda world: abs(world.power_w) > power_w


def closed_under_power(world: World) -> bool:
    """It was told to close while the power stage was on."""
    return any(enabled for _, enabled in world.closings)


def set_house(power_w: float) -> Callable[[World], None]:
    def change(world: World) -> None:
        world.house_w = power_w

    return change


def keeps_its_power(world: World) -> None:
    world.obeys = False


def inverter_silent(world: World) -> None:
    world.obeys, world.inverter.silent = False, True


def inverter_cut_off(world: World) -> None:
    world.obeys = False
    world.inverter.cut()


def inverter_says_zero(world: World) -> None:
    world.obeys, world.tells_power = False, lambda _: 0.0


def all_behind_one_gateway_silent(world: World) -> None:
    world.obeys = False
    world.inverter.silent = world.bms.silent = True


def bms_hangs(world: World) -> None:
    world.bms_hangs = True


def meter_frozen(world: World) -> None:
    world.meter.frozen = True


def meter_slow(world: World) -> None:
    world.meter_period_s = 10.0


def meter_of_something_else(world: World) -> None:
    world.tells_grid = lambda grid_w: world.house_w + 5.0 * (grid_w % 7.0)


def meter_wrong_way_round(world: World) -> None:
    world.tells_grid = lambda grid_w: -grid_w


def contactor_falls_out(world: World) -> None:
    world.falls_out = True


def islanded_and_disobedient(world: World) -> None:
    world.islanded, world.obeys = True, False


def emergency_input_lost(world: World) -> None:
    world.emergency.cut()


def emergency_loop_opened(world: World) -> None:
    world.loop_closed = False


_FOLLOW_UP = "holdfast.devices.power_follow_up:PowerFollowUp.check"
_UNSEEN = "holdfast.devices.unseen_power:UnseenPower.check"
_FROZEN = "holdfast.safety.frozen_data:FrozenData.assess"
_STILL = "holdfast.safety.still_meter:StillMeter.assess"
_COUNT = "holdfast.safety.plausibility:Plausibility.assess"
_GAIN = "holdfast.safety.meter_sign:MeterSign.assess"

# fmt: off
FAULTS = (
    HostileFault(name="inverter silent, and goes on", house_w=3000, begins=inverter_silent, safe=is_open, within_s=20, finding="bms_over_delivery", check=_FOLLOW_UP),
    HostileFault(name="inverter cut off, and goes on", house_w=3000, begins=inverter_cut_off, safe=is_open, within_s=20, finding="bms_over_delivery", check=_FOLLOW_UP),
    HostileFault(name="inverter says 0 W, and goes on", house_w=3000, begins=inverter_says_zero, safe=is_open, within_s=20, finding="bms_over_delivery|bms_wrong_sign", check=_FOLLOW_UP),
    HostileFault(name="inverter charges on, and says 0 W", house_w=-3000, begins=inverter_says_zero, safe=is_open, within_s=20, finding="bms_over_delivery|bms_wrong_sign", check=_FOLLOW_UP),
    HostileFault(name="inverter and BMS silent", house_w=3000, begins=all_behind_one_gateway_silent, safe=is_open, within_s=12, finding="power_unseen", check=_UNSEEN),
    HostileFault(name="BMS hangs while the power moves", house_w=500, begins=bms_hangs, after=set_house(1500), safe=is_at_zero, within_s=25, holds_s=5, finding="bms_data_frozen", check=_FROZEN),
    HostileFault(name="BMS hangs, nearly full", house_w=-1500, begins=bms_hangs, soc=0.93, capacity_wh=300, safe=is_at_zero, within_s=90, finding="soc_understated|bms_data_frozen", check=_COUNT, never=lambda world: bool(world.damage)),
    HostileFault(name="meter frozen", house_w=900, begins=meter_frozen, after=set_house(2500), safe=is_at_zero, within_s=45, holds_s=5, finding="meter_data_frozen", check=_STILL, never=beyond(1300)),
    HostileFault(name="meter frozen below its import limit", house_w=-2000, import_max_w=6000, begins=meter_frozen, after=set_house(5000), safe=is_at_zero, within_s=45, holds_s=5, finding="meter_data_frozen", check=_STILL, never=beyond(2400)),
    HostileFault(name="meter with a value every 10 s", house_w=900, begins=meter_slow, from_start=True, after=set_house(1500), safe=lambda world: abs(world.power_w + 1500) < 200, within_s=40, holds_s=15, never=beyond(1800)),
    HostileFault(name="meter of something else", house_w=900, begins=meter_of_something_else, after=set_house(1000), safe=is_at_zero, within_s=40, holds_s=5, finding="meter_sign_wrong", check=_GAIN),
    HostileFault(name="meter the wrong way round", house_w=900, begins=meter_wrong_way_round, safe=is_at_zero, within_s=20, holds_s=5, finding="meter_sign_wrong", check=_GAIN),
    HostileFault(name="contactor falls out under load", house_w=3000, begins=contactor_falls_out, safe=is_open, within_s=5, holds_s=5, finding="relays_contactor_dropped", never=closed_under_power),
    HostileFault(name="an island that is none", house_w=3000, begins=islanded_and_disobedient, after=set_house(0), safe=is_open, within_s=15, finding="inverter_over_delivery|bms_over_delivery|inverter_wrong_sign", check=_FOLLOW_UP),
    HostileFault(name="emergency loop opened", house_w=3000, begins=emergency_loop_opened, safe=is_open, within_s=2, holds_s=2),
    HostileFault(name="emergency input lost", house_w=3000, begins=emergency_input_lost, safe=is_at_zero, within_s=2, holds_s=5),
)
# fmt: on
