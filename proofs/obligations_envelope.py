"""The envelope, the findings that narrow it, and the permit that carries it: for all floats."""

from functools import partial

from holdfast.safety.envelope import Envelope, up_to, zero
from holdfast.safety.finding import RAMP_TO_ZERO_NS, Finding, Level, Reaction
from holdfast.safety.permit import Permit
from proofs.inputs import any_envelope, covers, inside, is_envelope
from proofs.proof import Proof, Values, is_finite, is_nan, negated


def construction(v: Values) -> None:
    """Four floats become an envelope around zero, or nothing."""
    low, high = v.number("min_w"), v.number("max_w")
    sound = is_finite(low) & is_finite(high) & (low <= 0.0) & (high >= 0.0)
    try:
        envelope = Envelope(min_w=low, max_w=high, min_by="", max_by="")
    except ValueError:
        v.claim("only what is no envelope is refused", negated(sound))
        return
    v.claim("what is constructed is finite and has zero inside", sound)
    v.claim("contains(0) is true", envelope.contains(0.0))
    v.claim("contains(-0.0) is true", envelope.contains(-0.0))


def containing(v: Values) -> None:
    """``contains`` is the specification."""
    envelope, power_w = any_envelope(v), v.number("power_w")
    found = envelope.contains(power_w)
    wanted = inside(envelope, power_w)
    v.claim("contains means inside", wanted, given=found)
    v.claim("inside means contains", found, given=wanted)
    v.claim("NaN is not inside", negated(found), given=is_nan(power_w))


def clamping(v: Values) -> None:
    """``clamp`` gives the nearest power inside."""
    envelope, power_w = any_envelope(v), v.number("power_w")
    result_w = envelope.clamp(power_w)
    v.claim("the result is inside", inside(envelope, result_w))
    v.claim("a power inside stays", result_w == power_w, given=inside(envelope, power_w))
    v.claim("too much becomes max_w", result_w == envelope.max_w, given=power_w > envelope.max_w)
    v.claim("too little becomes min_w", result_w == envelope.min_w, given=power_w < envelope.min_w)
    v.claim("NaN becomes 0 W", result_w == 0.0, given=is_nan(power_w))
    v.claim("no power grows", abs(result_w) <= abs(power_w), given=negated(is_nan(power_w)))


def intersecting(v: Values) -> None:
    """``intersect`` gives what both permit, and never raises."""
    one, other, power_w = any_envelope(v, "one"), any_envelope(v, "other"), v.number("power_w")
    both = one.intersect(other)
    v.claim("the result is an envelope", is_envelope(both))
    v.claim("it is part of the one", covers(one, both))
    v.claim("it is part of the other", covers(other, both))
    v.claim(
        "what both permit is in it",
        inside(both, power_w),
        given=inside(one, power_w) & inside(other, power_w),
    )


def magnitudes(v: Values) -> None:
    """``up_to`` takes any floats; one that is no number >= 0 permits nothing."""
    charge_w, discharge_w = v.number("charge_w"), v.number("discharge_w")
    envelope = up_to(charge_w=charge_w, discharge_w=discharge_w, by="")
    for name, given_w, end_w in (
        ("charge", charge_w, envelope.max_w),
        ("discharge", discharge_w, -envelope.min_w),
    ):
        sound = is_finite(given_w) & (given_w >= 0.0)
        v.claim(f"{name}: what is sound is the end", end_w == given_w, given=sound)
        v.claim(f"{name}: anything else is 0 W", end_w == 0.0, given=negated(sound))
    v.claim("the result is an envelope", is_envelope(envelope))
    nothing = zero("")
    v.claim("zero() permits 0 W alone", (nothing.min_w == 0.0) & (nothing.max_w == 0.0))


def narrowing(reaction: Reaction, v: Values) -> None:
    """``narrow`` only ever narrows, at all times, also before the finding began."""
    envelope = any_envelope(v)
    now_ns, since_ns = v.time_ns("now_ns"), v.time_ns("since_ns")
    left = Finding(
        owner="", row="", level=Level.ALARM, reaction=reaction, since_ns=since_ns, text=""
    ).narrow(envelope, now_ns)
    v.claim("the result is an envelope", is_envelope(left))
    v.claim("the result is part of what it was", covers(envelope, left))
    charge_gone, discharge_gone = left.max_w == 0.0, left.min_w == 0.0
    match reaction:
        case Reaction.LOG | Reaction.HOLD:
            v.claim("nothing is taken away", covers(left, envelope))
        case Reaction.DERATE:
            v.claim("half is left of charging", left.max_w == 0.5 * envelope.max_w)
            v.claim("half is left of discharging", left.min_w == 0.5 * envelope.min_w)
        case Reaction.BLOCK_CHARGE:
            v.claim("no charging", charge_gone)
            v.claim("discharging as before", left.min_w == envelope.min_w)
        case Reaction.BLOCK_DISCHARGE:
            v.claim("no discharging", discharge_gone)
            v.claim("charging as before", left.max_w == envelope.max_w)
        case Reaction.RAMP_TO_ZERO:
            over = now_ns - since_ns >= RAMP_TO_ZERO_NS
            v.claim("closed when the time is over", charge_gone & discharge_gone, given=over)
        case Reaction.TRIP | Reaction.EMERGENCY_STOP:
            v.claim("closed at once", charge_gone & discharge_gone)


def permitting(v: Values) -> None:
    """What a permit covers is inside its envelope and in time; nothing else is covered."""
    permit = Permit(
        unit="",
        envelope=any_envelope(v),
        expires_ns=v.time_ns("expires_ns"),
        may_write=True,
        may_increase=True,
        may_connect=True,
        may_close=True,
        may_run=True,
        islanded=False,
    )
    power_w, now_ns = v.number("power_w"), v.time_ns("now_ns")
    found = permit.covers(power_w, now_ns)
    fresh, within = now_ns < permit.expires_ns, inside(permit.envelope, power_w)
    v.claim("covered means inside", within, given=found)
    v.claim("covered means fresh", fresh, given=found)
    v.claim("inside and fresh means covered", found, given=within & fresh)
    v.claim("NaN is not covered", negated(found), given=is_nan(power_w))
    v.claim("is_fresh means before it expires", fresh, given=permit.is_fresh(now_ns))


PROOFS = (
    Proof(name="envelope.construct", run=construction),
    Proof(name="envelope.contains", run=containing),
    Proof(name="envelope.clamp", run=clamping),
    Proof(name="envelope.intersect", run=intersecting),
    Proof(name="envelope.up_to", run=magnitudes),
    *(
        Proof(name=f"finding.narrow.{reaction.name.lower()}", run=partial(narrowing, reaction))
        for reaction in Reaction
    ),
    Proof(name="permit.covers", run=permitting),
)
