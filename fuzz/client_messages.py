"""Messages: what comes in at the control socket, plans in them, and what is answered."""

import math
from collections.abc import Iterator
from datetime import datetime
from functools import cache

import yaml

from fuzz.plant import house_content
from fuzz.target import Target
from holdfast.client.messages import (
    Act,
    CommandMessage,
    OperatorMessage,
    PlanMessage,
    ProcessMessage,
    Reply,
    decode_reply,
    encode,
)
from holdfast.control.plan_gate import AcceptedPlan, accept_plan
from holdfast.core.commands import Command
from holdfast.core.config import Site
from holdfast.core.errors import PlanRefused
from holdfast.core.plan import Plan
from holdfast.core.state_machine import State
from holdfast.runtime.incoming import decode_message
from holdfast.site.site_file import parse_site
from holdfast.testing.plans import plan_of

_NOW_NS = 10**12


@cache
def _site() -> Site:
    return parse_site(yaml.safe_dump(house_content()))


@cache
def _plan() -> Plan:
    return plan_of((-60.0, 900.0, 1000.0), (900.0, 1800.0, -500.0))


def _now() -> datetime:
    return _plan().created


def _run(data: bytes) -> bool:
    try:
        message = decode_message(data)
    except ValueError as error:
        assert len(str(error)) < 1000, "what a stranger sent fills a log"
        return False
    if isinstance(message, PlanMessage):
        return _is_accepted(message.plan)
    return True


def _is_accepted(plan: Plan) -> bool:
    try:
        accepted = accept_plan(plan, now_ns=_NOW_NS, utc=_now(), site=_site())
    except PlanRefused as error:
        assert len(str(error)) < 1000, "what a stranger sent fills a log"
        return False
    _check(accepted)
    return True


def _check(accepted: AcceptedPlan) -> None:
    """What is accepted asks for nothing that the site cannot do, and ends."""
    site = _site()
    assert accepted.expires_ns > _NOW_NS
    for start_ns in accepted.starts_ns:
        accepted.slot_at(start_ns)
        assert 0.0 <= accepted.share_over(start_ns) <= 1.0
    for slot in accepted.plan.slots:
        assert -site.discharge_power_max_w <= slot.battery_power_w <= site.charge_power_max_w
        limit_w = slot.export_limit_w
        assert limit_w is None or 0.0 <= limit_w <= site.grid.export_max_w
        for load in slot.loads:
            assert 0.0 <= load.power_w <= site.load_powers_w[load.name]
        expected = (slot.grid_power_w, slot.soc_end_pct, slot.import_price_per_kwh)
        assert all(math.isfinite(value) for value in expected if value is not None)


def _seeds() -> Iterator[bytes]:
    for command in Command:
        yield encode(CommandMessage(command=command, issued_ns=5, nonce="0" * 32))
    yield encode(PlanMessage(plan=_plan()))
    yield encode(OperatorMessage(who="owner", how="session from 192.0.2.7", what=Act.LOGIN))
    yield encode(ProcessMessage(process="planner", pid=7, utc=_now(), starts=1))


def _run_reply(data: bytes) -> bool:
    try:
        reply = decode_reply(data)
    except ValueError:
        return False
    assert reply.state in State
    return True


def _reply_seeds() -> Iterator[bytes]:
    yield encode(Reply(accepted=True, reason="started", state=State.RUNNING))


TARGETS = (
    Target(
        name="control_messages",
        eats="messages at the control socket, and the plans in them",
        seeds=_seeds,
        run=_run,
    ),
    Target(
        name="control_replies",
        eats="what the controller answers a client",
        seeds=_reply_seeds,
        run=_run_reply,
    ),
)
