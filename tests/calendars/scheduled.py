"""Sites with a schedule, for tests."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from holdfast.core.config import Site
from holdfast.site.site_file import parse_site

_DEVICE = "{profile: generic_inverter, connection: {kind: modbus_tcp, host: localhost}}"


def scheduled(
    schedule: str, *, timezone: str = "Europe/Berlin", more: str = "", folder: Path = Path()
) -> Site:
    """A site of 10 kWh and 5 kW with ``schedule``, in the flow style of YAML."""
    text = f"""
name: test
timezone: {timezone}
grid: {{import_max_w: 15000, export_max_w: 10000}}
meter: {_DEVICE}
emergency_input: {_DEVICE}
schedule: {schedule}
{more}
storage:
  - name: one
    battery: {{cells_in_series: 16, capacity_wh: 10000, charge_current_max_a: 100,
              discharge_current_max_a: 100}}
    inverter_hardware: {{charge_power_max_w: 5000, discharge_power_max_w: 5000}}
    operation: {{backup_reserve_pct: 20}}
    bms: {_DEVICE}
    inverter: {_DEVICE}
    relays: {_DEVICE}
"""
    return parse_site(text, folder=folder)


def entries(*texts: str, calendars: str = "{}") -> str:
    return f"{{calendars: {calendars}, entries: [{', '.join(texts)}]}}"


def days_from(year: int, month: int, day: int, days: float = 7) -> tuple[datetime, datetime]:
    since = datetime(year, month, day, tzinfo=UTC)
    return since, since + timedelta(days=days)
