"""A limit that falls is followed at once; one that rises, slowly."""

from holdfast.safety.envelope import Envelope

RISE_PER_S = 0.05
"""The share is of the nameplate. OpenEMS lets a battery's permitted power rise by 5 % a second."""
_BY = "rises_slowly"


def follow(before: Envelope | None, target: Envelope, nameplate: Envelope, dt_s: float) -> Envelope:
    """Returns ``target``, but no end of it further out than ``before`` plus a step; without
    ``before``, ``target`` itself. It is always within ``target``."""
    if before is None:
        return target
    step = RISE_PER_S * dt_s if 0.0 < dt_s < 60.0 else 0.0
    max_w, max_by = target.max_w, target.max_by
    min_w, min_by = target.min_w, target.min_by
    highest_w = before.max_w + step * nameplate.max_w
    lowest_w = before.min_w + step * nameplate.min_w
    if max_w > highest_w:
        max_w, max_by = highest_w, _BY
    if min_w < lowest_w:
        min_w, min_by = lowest_w, _BY
    return Envelope(min_w=min_w, max_w=max_w, min_by=min_by, max_by=max_by)
