"""Bodies: what is no strict JSON of bounded length is refused before anybody acts on it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from holdfast.api import strict_json
from holdfast.api.strict_json import MAX_BODY_BYTES, MAX_DEPTH, check_json
from holdfast.core.state_machine import State
from tests.api.bench import API, ApiBench

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{", "Expecting property name"),
        (b'{"sequence": NaN}', "NaN is no number of JSON"),
        (b'{"sequence": -Infinity}', "-Infinity is no number of JSON"),
        (b'{"sequence": 1e999}', "1e999 is too large for a number"),
        (b'{"sequence": 1, "sequence": 2}', "the key 'sequence' twice"),
        (b'{"a": {"b": 1, "b": 1}}', "the key 'b' twice"),
        (b'{"nonce": "\xff"}', "not UTF-8 at byte 11"),
        (b"[" * 10_000, f"more than {MAX_DEPTH} levels"),
        (b'{"sequence": ' + b"9" * 5000 + b"}", "is no JSON"),
        (b"{} {}", "Extra data"),
    ],
)
async def test_what_is_no_strict_json_is_refused_with_the_reason(
    bench: ApiBench, body: bytes, why: str
) -> None:
    for command in ("start", "estop"):
        answer = await bench.client.post(f"{API}/commands/{command}", content=body, headers=JSON)
        assert answer.status_code == 400, answer.text
        assert why in answer.json()["detail"]
    assert bench.state is State.IDLE


def test_what_people_mean_is_taken() -> None:
    check_json('{"a": [1, -2.5e3, true, null, "ü [[["], "b": {}}'.encode())


async def test_a_body_that_is_too_long_is_refused_before_its_end(bench: ApiBench) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b"x" * 65_536

    answer = await bench.client.post(f"{API}/commands/start", content=endless(), headers=JSON)
    assert answer.status_code == 413
    assert sent * 65_536 < 3 * MAX_BODY_BYTES


async def test_a_body_that_does_not_come_is_not_waited_for(
    bench: ApiBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strict_json, "BODY_S", 0.05)

    async def never() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    answer = await bench.client.post(f"{API}/commands/start", content=never(), headers=JSON)
    assert answer.status_code == 408


async def test_a_form_of_a_page_is_no_command(bench: ApiBench) -> None:
    answer = await bench.client.post(f"{API}/commands/start", data={"nonce": "n"})
    assert answer.status_code == 415
    assert "application/json" in answer.json()["detail"]
