"""Dispatch divides what the site asks among its storage units."""

from collections.abc import Mapping

from holdfast.safety.permit import Permit


def divide(power_w: float, permits: Mapping[str, Permit]) -> dict[str, float]:
    """Returns the share of each unit, W, in proportion to its headroom in the direction asked for.

    All shares have the sign of ``power_w``: no unit ever charges another. A request that is
    no number is divided into zeros. What exceeds all headroom together is left out.
    """
    rooms_w = {unit: headroom_w(power_w, permit) for unit, permit in permits.items()}
    total_w = sum(rooms_w.values())
    if not total_w > 0.0:
        return dict.fromkeys(permits, 0.0)
    sign = 1.0 if power_w > 0.0 else -1.0
    fraction = min(abs(power_w) / total_w, 1.0)
    return {unit: sign * room_w * fraction for unit, room_w in rooms_w.items()}


def headroom_w(power_w: float, permit: Permit) -> float:
    """Returns how much ``permit`` leaves in the direction of ``power_w``, W; 0 W for no number."""
    if power_w > 0.0:
        return permit.envelope.max_w
    if power_w < 0.0:
        return -permit.envelope.min_w
    return 0.0
