"""The ramp and the dispatch: for all floats, however large, small or broken."""

import math
from functools import partial

from holdfast.control.storage import dispatch, power_ramper
from holdfast.control.storage.power_ramper import MAX_STEP_S, PowerRamper, Setpoint
from holdfast.safety.permit import Permit
from proofs.floats import Reals
from proofs.inputs import UNIT, any_envelope, inside, site_of, some_unit
from proofs.proof import Proof, Values, is_finite, is_nan, negated


def _ramp(
    v: Values, *, rate_is_sound: bool, urgent: bool
) -> tuple[Permit, float, float, float, Setpoint]:
    rate_w_per_s = v.number("ramp_w_per_s")
    if rate_is_sound:  # site.yaml takes no other; tests/proofs shows it
        v.assume((rate_w_per_s > 0.0) & (rate_w_per_s < math.inf))
    unit = some_unit(operation={"ramp_w_per_s": rate_w_per_s})
    permit = Permit(
        unit=UNIT,
        envelope=any_envelope(v),
        expires_ns=0,
        may_write=True,
        may_increase=v.truth("may_increase"),
        may_connect=True,
        may_close=True,
        may_run=True,
        islanded=False,
    )
    last_w, asked_w, dt_s = v.number("last_w"), v.number("asked_w"), v.number("dt_s")
    ramper = PowerRamper(site_of(unit))
    setpoint = ramper.approach(last_w, asked_w, permit, dt_s, urgent=urgent)
    return permit, last_w, dt_s, rate_w_per_s, setpoint


def ramp_is_inside(v: Values, *, urgent: bool) -> None:
    """Whatever the ramp is told, its result is inside the permit. Even with a broken rate."""
    permit, _, _, _, setpoint = _ramp(v, rate_is_sound=False, urgent=urgent)
    v.claim("the result is inside the permit", inside(permit.envelope, setpoint.power_w))
    v.claim("what is permitted is inside the permit", inside(permit.envelope, setpoint.permitted_w))


def ramp_is_slow_and_fast(v: Values, *, urgent: bool) -> None:
    """Away from zero no faster than the rate, towards zero at once, never across zero.

    What is urgent goes there at once, and still never without leave to increase.
    """
    permit, last_w, dt_s, rate_w_per_s, setpoint = _ramp(v, rate_is_sound=True, urgent=urgent)
    result_w, permitted_w = setpoint.power_w, setpoint.permitted_w
    same_side = ((last_w > 0.0) & (permitted_w > 0.0)) | ((last_w < 0.0) & (permitted_w < 0.0))
    v.claim("never further than permitted", abs(result_w) <= abs(permitted_w))
    v.claim(
        "never on the other side",
        ((result_w >= 0.0) & (permitted_w >= 0.0)) | ((result_w <= 0.0) & (permitted_w <= 0.0)),
    )
    v.claim(
        "towards zero at once",
        result_w == permitted_w,
        given=(abs(permitted_w) <= abs(last_w)) & same_side & (abs(last_w * permitted_w) > 0.0),
    )
    v.claim("NaN asked is 0 W", setpoint.power_w == 0.0, given=is_nan(setpoint.asked_w))
    v.claim("to zero at once", result_w == 0.0, given=permitted_w == 0.0)
    step_w = rate_w_per_s * min(max(dt_s, 0.0), MAX_STEP_S)
    reach_w = abs(last_w) + step_w
    if urgent:
        may = permit.may_increase & is_finite(dt_s) & (dt_s > 0.0)
        v.claim("what is urgent is there at once", result_w == permitted_w, given=may)
    else:
        _keeps_the_rate(v, result_w, reach_w, step_w, rate_w_per_s, same_side, dt_s)
    held = (abs(result_w) <= abs(last_w)) & same_side | (result_w == 0.0)
    v.claim("without leave to increase it does not", held, given=negated(permit.may_increase))
    v.claim("without a finite dt it does not increase", held, given=negated(is_finite(dt_s)))
    v.claim("with time running backwards it does not increase", held, given=dt_s <= 0.0)


def _keeps_the_rate(
    v: Values,
    result_w: float,
    reach_w: float,
    step_w: float,
    rate_w_per_s: float,
    same_side: bool,  # noqa: FBT001 - a condition of the claims
    dt_s: float,
) -> None:
    v.claim(
        "away from zero no faster than the rate",
        abs(result_w) <= reach_w,
        given=same_side & is_finite(dt_s),
    )
    v.claim(
        "after a reversal it begins at zero",
        abs(result_w) <= step_w,
        given=negated(same_side) & is_finite(dt_s),
    )
    v.claim(
        "a late cycle counts for no longer than MAX_STEP_S",
        step_w <= rate_w_per_s * MAX_STEP_S,
        given=is_finite(dt_s),
    )


def _permits(v: Values, units: int) -> dict[str, Permit]:
    return {
        f"unit{index}": Permit(
            unit=f"unit{index}",
            envelope=any_envelope(v, f"unit{index}"),
            expires_ns=0,
            may_write=True,
            may_increase=True,
            may_connect=True,
            may_close=True,
            may_run=True,
            islanded=False,
        )
        for index in range(units)
    }


LARGEST_W = 1e300
"""Beyond this the sum of a few headrooms may overflow; a share that is NaN then becomes 0 W."""


def dividing(units: int, v: Values) -> None:
    """No unit ever charges another, and each gets no more than its own headroom."""
    power_w, permits = v.number("power_w"), _permits(v, units)
    shares_w = dispatch.divide(power_w, permits)
    for unit, permit in permits.items():
        share_w = shares_w[unit]
        v.assume((permit.envelope.max_w <= LARGEST_W) & (permit.envelope.min_w >= -LARGEST_W))
        v.claim("each share is inside its envelope", inside(permit.envelope, share_w))
        v.claim("a share of a charge is no discharge", share_w >= 0.0, given=power_w >= 0.0)
        v.claim("a share of a discharge is no charge", share_w <= 0.0, given=power_w <= 0.0)
        v.claim("NaN is divided into zeros", share_w == 0.0, given=is_nan(power_w))


def dividing_huge(units: int, v: Values) -> None:
    """Without any bound on the envelopes: what is no number is made 0 W by the next clamp."""
    power_w, permits = v.number("power_w"), _permits(v, units)
    shares_w = dispatch.divide(power_w, permits)
    for unit, permit in permits.items():
        share_w = shares_w[unit]
        good = inside(permit.envelope, share_w)
        v.claim("each share is inside its envelope or NaN", good | is_nan(share_w))


def dividing_exactly(units: int, v: Values) -> None:
    """Together the shares are what was asked, or all headroom there is."""
    power_w, permits = v.number("power_w"), _permits(v, units)
    shares_w = dispatch.divide(power_w, permits)
    total_w = sum(shares_w.values())
    room_w = sum(permit.envelope.max_w for permit in permits.values())
    rest_w = sum(permit.envelope.min_w for permit in permits.values())
    v.claim("together no more than asked", abs(total_w) <= abs(power_w))
    enough = (rest_w <= power_w) & (power_w <= room_w)
    v.claim("what fits in is divided without rest", total_w == power_w, given=enough)
    v.claim("else all headroom is used", total_w == room_w, given=power_w > room_w)
    v.claim("discharging too", total_w == rest_w, given=power_w < rest_w)


PROOFS = (
    Proof(name="ramp.inside", run=partial(ramp_is_inside, urgent=False), patched=(power_ramper,)),
    Proof(
        name="ramp.rate",
        run=partial(ramp_is_slow_and_fast, urgent=False),
        patched=(power_ramper,),
    ),
    Proof(
        name="ramp.inside.urgent",
        run=partial(ramp_is_inside, urgent=True),
        patched=(power_ramper,),
    ),
    Proof(
        name="ramp.rate.urgent",
        run=partial(ramp_is_slow_and_fast, urgent=True),
        patched=(power_ramper,),
    ),
    *(
        Proof(name=f"dispatch.{units}_units", run=partial(dividing, units)) for units in (1, 2, 3)
    ),
    Proof(name="dispatch.unbounded", run=partial(dividing_huge, 2)),
    *(
        Proof(
            name=f"dispatch.sum.{units}_units", run=partial(dividing_exactly, units), floats=Reals
        )
        for units in (1, 2, 3)
    ),
)  # fmt: skip
