"""Manual slots for tests."""

from datetime import UTC, datetime, timedelta

from holdfast.core.manual_slot import ManualMode, ManualSlot

NOW = datetime(2026, 5, 8, 10, tzinfo=UTC)  # 12:00 in Berlin


def slot(
    start_min: float,
    end_min: float,
    mode: ManualMode = ManualMode.CHARGE,
    power_w: float | None = 2_000.0,
    *,
    by: str = "anna",
    slot_id: str = "",
    now: datetime = NOW,
) -> ManualSlot:
    """One from so many minutes from ``now`` on, until so many."""
    has_power = mode in (ManualMode.CHARGE, ManualMode.DISCHARGE)
    return ManualSlot(
        id=slot_id or f"{start_min:g}-{end_min:g}",
        start=now + timedelta(minutes=start_min),
        end=now + timedelta(minutes=end_min),
        mode=mode,
        power_w=power_w if has_power else None,
        by=by,
        made=now,
        owner="the VPP" if mode is ManualMode.STAND_ASIDE else "",
    )
