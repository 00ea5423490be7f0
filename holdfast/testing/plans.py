"""This module makes plans by hand."""

from datetime import UTC, datetime, timedelta

from holdfast.core.plan import Plan, PlanSlot, PlanStatus
from holdfast.core.slot_mode import SlotMode

Slot = tuple[float, float, float]
"""Holds start and end in seconds from now, and battery power in W."""


def plan_of(*slots: Slot, expires_s: float = 60.0, plan_id: str = "test") -> Plan:
    """Returns a plan made now, that expires after ``expires_s`` seconds."""
    now = datetime.now(UTC)
    return Plan(
        plan_id=plan_id,
        created=now,
        expires=now + timedelta(seconds=expires_s),
        status=PlanStatus.OPTIMAL,
        expected_cost=0.0,
        slots=tuple(
            PlanSlot(
                start=now + timedelta(seconds=start_s),
                end=now + timedelta(seconds=end_s),
                mode=SlotMode.POWER,
                battery_power_w=power_w,
                grid_power_w=0.0,
                soc_end_pct=50.0,
                import_price_per_kwh=0.3,
                reason="a test asks for it",
            )
            for start_s, end_s, power_w in slots
        ),
    )
