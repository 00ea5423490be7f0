"""The load balancer levels: the grid delivers the mean of some minutes, the battery the rest."""

from holdfast.control.modes.wish import ModeView, ModeWish

MIDDLE_PCT = 50.0
LEAD_BACK_H = 4.0
"""So slowly it is led back to the middle: a battery that is full or empty levels nothing."""


def load_balancer(view: ModeView) -> ModeWish:
    """Takes what load and PV are away from their mean, and leads the battery to its middle."""
    target_pct = view.terms.soc_target_pct or MIDDLE_PCT
    off_pct = 0.0 if view.soc_pct is None else target_pct - view.soc_pct
    back_w = off_pct / 100.0 * view.capacity_wh / LEAD_BACK_H
    return ModeWish(power_w=view.mean_rest_w + back_w - view.rest_w, at_meter=True)
