"""Peaks are shaved: the battery serves what is above a cap, and is ready for the next one."""

from holdfast.control.modes.wish import ModeView, ModeWish
from holdfast.core.slot_mode import REFILL_SHARE


def peak_shaving(view: ModeView) -> ModeWish:
    """Serves what is above the cap, stores surplus, and refills below the cap, up to a target."""
    shaved = _shaved(view)
    if shaved is not None:
        return shaved
    if _is_below(view, view.terms.soc_target_pct or 100.0):
        return ModeWish(power_w=_room_w(view))
    return ModeWish(power_w=max(-view.rest_w, 0.0), at_meter=view.rest_w < 0.0)


def commercial(view: ModeView) -> ModeWish:
    """Keeps the caps of a load profile with the energy up to the target, and serves any load with
    what is stored beyond: below the target it works as peak shaving does."""
    target_pct = view.terms.soc_target_pct
    if target_pct is None or _is_below(view, target_pct):
        return peak_shaving(view)
    return _shaved(view) or ModeWish(power_w=-view.rest_w, at_meter=True)


def _shaved(view: ModeView) -> ModeWish | None:
    """Returns what keeps the cap; None where it is kept without."""
    cap_w = view.terms.import_max_w
    if cap_w is None or not view.rest_w > cap_w:
        return None
    return ModeWish(power_w=cap_w - view.rest_w, at_meter=True)


def _room_w(view: ModeView) -> float:
    """Returns what may be charged below the cap, W; surplus always may."""
    surplus_w = max(-view.rest_w, 0.0)
    if view.terms.import_max_w is None:
        return surplus_w
    room_w = REFILL_SHARE * view.terms.import_max_w - view.rest_w
    return min(max(room_w, surplus_w, 0.0), view.charge_max_w)


def _is_below(view: ModeView, target_pct: float) -> bool:
    return view.soc_pct is not None and view.soc_pct < target_pct
