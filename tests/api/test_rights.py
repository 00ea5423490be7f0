"""Each operation asks for its right: who lacks it is refused, whatever else he sends."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from holdfast.api.access import Right, UserRole, rights_of
from holdfast.core.commands import Command
from holdfast.core.state_machine import State
from holdfast.monitoring.audit.events import OperatorActed
from holdfast.monitoring.audit.log_lines import event_of
from tests.api.bench import API, ApiBench
from tests.api.test_commands import asked

_R = Right
TABLE: dict[str, Right | None] = {
    "GET /health": None,
    "GET /ready": None,
    "GET /api/v1/status": _R.SITE_READ,
    "GET /api/v1/snapshot": _R.SITE_READ,
    "GET /api/v1/state": _R.SITE_READ,
    "GET /api/v1/live": _R.SITE_READ,
    "GET /api/v1/limits": _R.SITE_READ,
    "GET /api/v1/findings": _R.SITE_READ,
    "GET /api/v1/blocks": _R.SITE_READ,
    "GET /api/v1/assurance": _R.SITE_READ,
    "GET /api/v1/devices": _R.SITE_READ,
    "GET /api/v1/plan": _R.SITE_READ,
    "GET /api/v1/recommendation/now": _R.SITE_READ,
    "GET /api/v1/manual": _R.SITE_READ,
    "POST /api/v1/manual": _R.PLAN_OVERRIDE,
    "DELETE /api/v1/manual/{slot_id}": _R.PLAN_OVERRIDE,
    "GET /api/v1/forecasts": _R.SITE_READ,
    "GET /api/v1/prices": _R.SITE_READ,
    "POST /api/v1/prices/refresh": _R.PRICES_REFRESH,
    "GET /api/v1/history/series": _R.SITE_READ,
    "GET /api/v1/history": _R.SITE_READ,
    "GET /api/v1/history/spells": _R.SITE_READ,
    "GET /api/v1/history/export": _R.HISTORY_EXPORT,
    "GET /api/v1/energy": _R.SITE_READ,
    "GET /api/v1/money": _R.SITE_READ,
    "GET /api/v1/reports/{kind}/{day}": _R.HISTORY_EXPORT,
    "GET /api/v1/explain": _R.SITE_READ,
    "GET /api/v1/audit": _R.AUDIT_READ,
    "GET /api/v1/audit/verify": _R.AUDIT_READ,
    "GET /api/v1/incidents": _R.SITE_READ,
    "GET /api/v1/incidents/{number}": _R.SITE_READ,
    "GET /api/v1/notices": _R.SITE_READ,
    "POST /api/v1/notices/ack": _R.SITE_RESET,
    "GET /api/v1/notices/push": _R.OWN_ACCOUNT,
    "POST /api/v1/notices/push/browsers": _R.OWN_ACCOUNT,
    "DELETE /api/v1/notices/push/browsers/{browser_id}": _R.OWN_ACCOUNT,
    "POST /api/v1/notices/push/browsers/{browser_id}/test": _R.OWN_ACCOUNT,
    "GET /api/v1/config": _R.CONFIG_READ,
    "PUT /api/v1/config": _R.CONFIG_WRITE,
    "POST /api/v1/config/check": _R.CONFIG_WRITE,
    "GET /api/v1/config/history": _R.CONFIG_READ,
    "GET /api/v1/config/history/{number}": _R.CONFIG_READ,
    "POST /api/v1/config/rollback": _R.CONFIG_WRITE,
    "POST /api/v1/config/apply": _R.CONFIG_WRITE,
    "POST /api/v1/commands/start": _R.SITE_START,
    "POST /api/v1/commands/stop": _R.SITE_STOP,
    "POST /api/v1/commands/estop": _R.SITE_STOP,
    "POST /api/v1/commands/reset": _R.SITE_RESET,
    "POST /api/v1/commands/service_reset": _R.SITE_SERVICE_RESET,
}
"""None: nobody is asked who he is. What stands below /auth has tests of its own."""
REFUSED = {401, 403}


async def test_the_table_has_every_operation_and_no_other(bench: ApiBench) -> None:
    described = {
        f"{method.upper()} {path}"
        for path, methods in bench.app.openapi()["paths"].items()
        for method in methods
        if not path.startswith(f"{API}/auth")
    }
    assert described == TABLE.keys()


@pytest.mark.parametrize("role", [None, *UserRole])
async def test_who_lacks_the_right_is_refused_and_nobody_else(
    bench: ApiBench, role: UserRole | None
) -> None:
    wrong = []
    async with bench.client_of(role) as client:
        for operation, right in TABLE.items():
            method, _, path = operation.partition(" ")
            if path.endswith("/live") and right in rights_of(role):
                continue  # it would not end
            answer = await client.request(method, _some(path))
            may = right is None or right in rights_of(role)
            if (answer.status_code in REFUSED) is may:
                wrong.append((operation, answer.status_code, answer.text))
    assert wrong == []


def _some(path: str) -> str:
    values = {"{slot_id}": "x", "{kind}": "day", "{day}": "2026-11-29", "{number}": "1"}
    for name, value in values.items():
        path = path.replace(name, value)
    return path


async def test_a_cookie_opens_nothing_after_its_owner_has_logged_out(bench: ApiBench) -> None:
    async with bench.client_of(UserRole.OPERATOR) as client:
        stolen = dict(client.cookies)
        assert (await client.get(f"{API}/audit")).status_code == 200
        assert (await client.post(f"{API}/auth/logout")).is_success
    async with bench.client_of(None, address="192.0.2.66") as thief:
        thief.cookies.update(stolen)
        assert (await thief.get(f"{API}/audit")).status_code == 401
        assert (await thief.post(f"{API}/commands/start", json=asked())).status_code == 401
    assert bench.state is State.IDLE


async def test_a_cookie_without_the_header_of_our_pages_starts_nothing(bench: ApiBench) -> None:
    async with bench.client_of(UserRole.OPERATOR) as client:
        del client.headers["X-Holdfast"]
        answer = await client.post(f"{API}/commands/start", json=asked())
    assert answer.status_code == 403
    assert bench.state is State.IDLE


def _forged(good: dict[str, Any]) -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    return [
        good,  # once more
        {**good, "nonce": "another"},  # an old sequence
        {**asked(), "nonce": good["nonce"]},
        {**asked(), "seen": now.replace(year=now.year - 1).isoformat()},
        {**asked(), "seen": now.replace(year=now.year + 1).isoformat()},
    ]


async def test_a_command_that_was_overheard_or_made_up_does_nothing_and_is_on_record(
    bench: ApiBench,
) -> None:
    good = asked()
    async with bench.client_of(UserRole.OPERATOR) as client:
        bench.sample()
        answer = await client.post(f"{API}/commands/start", json=good)
        assert answer.status_code == 200, answer.text
        await bench.ask("POST", "/commands/estop")
        await bench.loop.command(Command.RESET)
        await bench.to(State.IDLE)
        for body in _forged(good):
            answer = await client.post(f"{API}/commands/start", json=body)
            assert answer.status_code == 409, answer.text
    assert bench.state is State.IDLE
    acts = await _acts(bench)
    assert [act.accepted for act in acts if "nonce: was sent before" in act.detail] == [False]
    assert ("the operator", True) in [(act.who, act.accepted) for act in acts]


async def _acts(bench: ApiBench) -> list[OperatorActed]:
    """What the audit log holds of what people did, once all of it is there."""
    await asyncio.to_thread(bench.auth.close)
    found: list[OperatorActed] = []
    async with asyncio.timeout(10.0):
        while not any("nonce" in act.detail for act in found):
            await asyncio.sleep(0.05)
            events = [event_of(line) for line in bench.app.state.view.audit.backwards()]
            found = [event for event in events if isinstance(event, OperatorActed)]
    return found


async def test_from_another_computer_nobody_resets_an_emergency_stop(bench: ApiBench) -> None:
    await bench.ask("POST", "/commands/estop")
    await bench.to(State.STOPPED)
    async with bench.client_of(UserRole.ADMIN, address="192.0.2.7") as far:
        for command in ("reset", "service_reset"):
            answer = await far.post(f"{API}/commands/{command}", json=asked())
            assert answer.status_code == 409, answer.text
            offers = {
                one["command"]: one for one in (await far.get(f"{API}/state")).json()["commands"]
            }
            assert not offers[command]["enabled"]
            assert "on site" in offers[command]["why_not"]
    assert bench.state is State.STOPPED
    assert (await bench.ask("POST", "/commands/reset", asked())).status_code == 200


async def test_who_may_not_change_site_yaml_sees_no_secret_in_it(bench: ApiBench) -> None:
    bench.config.write_text(f"{bench.config.read_text()}# password: open-sesame\n")
    answers: list[httpx.Response] = []
    for role in (UserRole.SERVICE, UserRole.ADMIN):
        async with bench.client_of(role) as client:
            answers.append(await client.get(f"{API}/config"))
    service, admin = answers
    assert "open-sesame" not in service.text
    assert "open-sesame" in admin.text
    assert service.json()["digest"] == admin.json()["digest"]
