"""What people were told is told over the API, too, and an alarm is acknowledged there."""

from datetime import UTC, datetime, timedelta

from pydantic_core import to_json

from holdfast.api.access import UserRole
from holdfast.runtime.notification.witness import acknowledged_since
from holdfast.testing.waiting import until
from tests.api.bench import API, ApiBench
from tests.monitoring.notification.people import notice


async def test_what_was_told_is_listed(bench: ApiBench) -> None:
    assert await bench.get("/notices") == []
    bench.files.notices.write_bytes(to_json((notice(),)))
    (one,) = await bench.get("/notices")
    assert (one["utc"], one["notice"]["row"]) == ("2026-03-02T12:00:00Z", "cell_voltage_high")


async def test_an_operator_acknowledges_for_all(bench: ApiBench) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    assert acknowledged_since(bench.files, before) is None
    async with bench.client_of(UserRole.OPERATOR) as client:
        answer = await client.post(f"{API}/notices/ack")
    assert answer.status_code == 200, answer.text
    at = acknowledged_since(bench.files, before)
    assert at is not None
    assert answer.json()["utc"].startswith(f"{at:%Y-%m-%dT%H:%M}")


async def test_a_reset_on_record_is_an_acknowledgement(bench: ApiBench) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    await bench.loop.command("reset")  # type: ignore[arg-type]
    until(lambda: acknowledged_since(bench.files, before), "the reset on record")
    assert acknowledged_since(bench.files, datetime.now(UTC) + timedelta(hours=1)) is None
