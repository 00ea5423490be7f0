"""The schedule of a site.yaml asks, entry by entry, in the words of a plan."""

from collections.abc import Mapping

from holdfast.calendars.expansion import ScheduledWindow
from holdfast.core.asked_slot import AskedBy, AskedSlot, SlotTerms
from holdfast.core.config.schedule import ScheduleEntry
from holdfast.core.slot_mode import DOES, SlotMode


def asked_by_schedule(window: ScheduledWindow) -> AskedSlot:
    """Returns what the entry of ``window`` asks for in it."""
    entry = window.entry
    mode, power_w, terms = _in_plan(entry)
    because = f" ({window.because})" if window.because else ""
    return AskedSlot(
        start=window.start,
        end=window.end,
        by=AskedBy.SCHEDULE,
        who=entry.name,
        reason=f"{in_words(entry)}{because}",
        mode=mode,
        battery_power_w=power_w,
        terms=terms,
    )


def _in_plan(entry: ScheduleEntry) -> tuple[SlotMode | None, float, SlotTerms]:
    target_pct, reserve_pct = entry.soc_target_pct, entry.reserve_pct
    power_w = entry.power_w or 0.0
    mode: SlotMode | None
    match entry.mode:
        case "charge":
            mode = SlotMode.POWER if target_pct is None else SlotMode.CHARGE_ONLY
        case "discharge":
            mode, power_w = SlotMode.POWER, -power_w
            if target_pct is not None:
                # Discharging ends there, as at a reserve.
                reserve_pct = max(target_pct, reserve_pct or 0.0)
                target_pct = None
        case None:
            mode = None
        case _:
            mode = SlotMode(entry.mode)
    terms = SlotTerms(
        grid_target_w=entry.grid_target_w,
        soc_target_pct=target_pct,
        soc_ceiling_pct=entry.soc_ceiling_pct,
        reserve_pct=reserve_pct,
        import_max_w=entry.import_max_w,
        export_max_w=entry.export_max_w,
    )
    return mode, power_w, terms


_DOES: Mapping[str, str] = {**DOES, "charge": "charge", "discharge": "discharge"}
_ASKED = {
    "power_w": "with {:g} W",
    "grid_target_w": "grid at {:g} W",
    "soc_target_pct": "to {:g} %",
    "soc_ceiling_pct": "store no more than {:g} %",
    "reserve_pct": "keep {:g} %",
    "import_max_w": "import no more than {:g} W",
    "export_max_w": "export no more than {:g} W",
}


def in_words(entry: ScheduleEntry) -> str:
    """Tells what ``entry`` asks for."""
    words = [] if entry.mode is None else [_DOES[entry.mode]]
    values = ((text, getattr(entry, name)) for name, text in _ASKED.items())
    words += [text.format(value) for text, value in values if value is not None]
    return ", ".join(words)
