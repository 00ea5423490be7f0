"""Whoever leads the batteries: what can be pressed is taken, and the rest says why it cannot.

The controller and the API are the real ones, on a simulated site.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from holdfast.client.manual_slots import ManualSlots
from holdfast.core.asked_slot import AskedBy, SlotTerms
from holdfast.core.commands import Command
from holdfast.core.errors import NotRunning
from holdfast.core.manual_slot import ManualMode
from holdfast.core.plan import Plan
from holdfast.core.slot_mode import SlotMode
from holdfast.core.state_machine import State
from holdfast.testing.plans import plan_of
from holdfast.testing.rig import Rig
from tests.ui.conftest import WIDE
from tests.ui.test_pages import CATALOGUE
from tests.ui.test_real_site import PASSWORD, TAKES_MS, answers

pytestmark = pytest.mark.asyncio(loop_scope="session")
FIXED = {"source": {"kind": "fixed", "price_per_kwh": 0.3}}
LASTS_S = 3600.0
QUIET_MS = 150
MOST_PRESSES = 30
TERMS = SlotTerms(import_max_w=5000.0, soc_target_pct=60.0, soc_ceiling_pct=80.0)
POWERED = {ManualMode.CHARGE, ManualMode.DISCHARGE}


class Watched:
    """Counts what a page waits for, and keeps what was refused."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.refused: list[str] = []
        self._waits: set[Any] = set()
        page.on("request", self._begins)
        page.on("requestfinished", self._ends)
        page.on("requestfailed", self._ends)
        page.on("response", self._answered)

    def _begins(self, request: Any) -> None:
        if request.method != "GET":
            self._waits.add(request)

    def _ends(self, request: Any) -> None:
        self._waits.discard(request)

    def _answered(self, response: Any) -> None:
        if response.status >= 400:
            self.refused.append(f"{response.status} {response.request.method} {response.url}")

    async def settled(self) -> None:
        """Waits until everything that was sent has its answer, and the page shows it."""
        await self.page.wait_for_timeout(QUIET_MS)
        while self._waits:
            await self.page.wait_for_timeout(QUIET_MS)
        await self.page.wait_for_timeout(QUIET_MS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Tells who leads, by which mode, and how it comes to that."""

    by: AskedBy
    mode: SlotMode
    manual: ManualMode | None = None
    """None: a plan says so, or nobody."""
    power_w: float = 0.0

    def __str__(self) -> str:
        return f"{self.by} {self.manual or self.mode}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Is where somebody sits: before a browser, at a site."""

    rig: Rig
    page: Any
    watched: Watched
    address: str

    async def goes(self, path: str) -> None:
        await self.page.goto(f"{self.address}#/{path}")
        await self.page.reload()
        await self.page.locator("main h1").wait_for(timeout=TAKES_MS)
        await self.page.locator("main button").first.wait_for(timeout=TAKES_MS)
        await self.watched.settled()

    async def waits(self, holds: Callable[[], object], what: str) -> None:
        """Waits for the site without keeping the browser from telling what happens."""
        await asyncio.to_thread(self.rig.until, holds, what)


BY_PLAN = (
    Situation(by=AskedBy.PLAN, mode=SlotMode.SELF_CONSUMPTION),
    Situation(by=AskedBy.PLAN, mode=SlotMode.POWER, power_w=1500.0),
    Situation(by=AskedBy.SCHEDULE, mode=SlotMode.HOLD),
    Situation(by=AskedBy.SCHEDULE, mode=SlotMode.PEAK_SHAVING),
    Situation(by=AskedBy.RULE, mode=SlotMode.FULL_CHARGE),
    Situation(by=AskedBy.GRID_OPERATOR, mode=SlotMode.POWER, power_w=-1000.0),
)
BY_HAND = tuple(
    Situation(
        by=AskedBy.OPERATOR,
        mode=SlotMode.POWER if manual in POWERED or manual is ManualMode.REST else mode,
        manual=manual,
        power_w=1000.0 if manual in POWERED else 0.0,
    )
    for manual, mode in {
        ManualMode.SELF_CONSUMPTION: SlotMode.SELF_CONSUMPTION,
        ManualMode.HOLD: SlotMode.HOLD,
        ManualMode.CHARGE: SlotMode.POWER,
        ManualMode.DISCHARGE: SlotMode.POWER,
        ManualMode.REST: SlotMode.POWER,
        ManualMode.STAND_ASIDE: SlotMode.PASSIVE,
    }.items()
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    prices = {"purchase": FIXED, "feed_in": FIXED}
    with Rig(tmp_path_factory.mktemp("command"), prices=prices) as rig:
        rig.start_plant()
        rig.start("watchdog", "controller", "gateway", "api")
        rig.until(lambda: rig.state is State.IDLE, "IDLE")
        rig.until(lambda: answers(rig), "the API")
        yield rig
        assert rig.damage() == {}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def seat(site: Rig, browser: Any) -> AsyncIterator[Seat]:
    code = (await asyncio.to_thread(site.cli, "users", "setup-code")).stdout.split()[-1]
    context = await browser.new_context(viewport=WIDE, locale="en-GB", reduced_motion="reduce")
    page = await context.new_page()
    address = f"http://127.0.0.1:{site.api_port}/"
    await page.goto(address)
    await page.get_by_label("Set-up code").fill(code, timeout=TAKES_MS)
    await page.get_by_label("Name").fill("anna")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Make the account").click()
    await page.locator(".site-sign", has_text="Idle").first.wait_for(timeout=TAKES_MS)
    yield Seat(rig=site, page=page, watched=Watched(page), address=address)
    await context.close()


# ---------------------------------------------------------------------- how it comes to it


async def brought_to(seat: Seat, situation: Situation) -> None:
    """Makes the site one that runs, and is led so."""
    await asyncio.to_thread(_bring, seat.rig, situation)


def _bring(rig: Rig, situation: Situation) -> None:
    with suppress(NotRunning):
        rig.set(emergency_loop_closed=True)
    rig.until_running(lambda: True, "nothing more")
    slots = ManualSlots(rig.files, rig.site)
    for slot in slots.current().slots:
        slots.remove(slot.id)
    if situation.manual is not None:
        slots.add(
            start=None,
            end=datetime.now(UTC) + timedelta(seconds=LASTS_S),
            mode=situation.manual,
            power_w=situation.power_w or None,
            by="ben",
            owner="the installer" if situation.manual is ManualMode.STAND_ASIDE else "",
        )
    elif situation.by is not AskedBy.DEFAULT:
        assert rig.send_plan(_plan(situation)).accepted
    rig.until(lambda: _is_led(rig, situation), f"led: {situation}")


def _plan(situation: Situation) -> Plan:
    plan = plan_of((-1.0, LASTS_S, situation.power_w), expires_s=LASTS_S)
    (slot,) = plan.slots
    terms = TERMS if situation.mode is SlotMode.PEAK_SHAVING else SlotTerms()
    led = replace(slot, mode=situation.mode, by=situation.by, terms=terms)
    return replace(plan, plan_id=f"test {situation}", slots=(led,))


def _is_led(rig: Rig, situation: Situation) -> bool:
    status = rig.status
    if status is None or status.mode is None:
        return False
    return (status.mode.by, status.mode.mode) == (situation.by, situation.mode)


# ---------------------------------------------------------------------- what is pressed


async def enabled(seat: Seat) -> dict[str, Any]:
    """Returns what can be pressed on the page, by what it does."""
    found: dict[str, Any] = {}
    for button in await seat.page.locator("main button:enabled").all():
        name = await button.get_attribute("aria-label") or await button.inner_text()
        kind, _, of = name.partition(":")
        found.setdefault(f"{kind}: one" if of else kind, button)
    return found


async def press_all(seat: Seat) -> set[str]:
    """Presses each thing on the page that can be pressed, once, until nothing new is there."""
    pressed: set[str] = set()
    for _ in range(MOST_PRESSES):
        new = {name: one for name, one in (await enabled(seat)).items() if name not in pressed}
        if not new:
            return pressed
        name, button = next(iter(new.items()))
        pressed.add(name)
        await button.click(timeout=TAKES_MS)
        confirm = seat.page.locator("main .confirm .primary")
        if await confirm.count():
            await confirm.first.click()
        await seat.watched.settled()
    pytest.fail(f"there is always something new to press: {pressed}")


async def ask_for_each_mode(seat: Seat) -> None:
    """Asks by hand for whatever the page offers, from now on and for later."""
    choice = seat.page.get_by_label("What the batteries do")
    for option in await choice.locator("option").all():
        await choice.select_option(await option.get_attribute("value"))
        power = seat.page.get_by_label("Power in W")
        if await power.count():
            await power.fill("500")
        await seat.page.get_by_role("button", name="Add", exact=True).click()
        await seat.watched.settled()
    await seat.page.get_by_label("Begins").select_option("at")
    start = seat.page.get_by_label("Start (site's clock)")
    later = datetime.fromisoformat(await start.input_value()) + timedelta(hours=3)
    await start.fill(f"{later:%Y-%m-%dT%H:%M}")
    await choice.select_option("rest")
    await seat.page.get_by_role("button", name="Add", exact=True).click()
    await seat.watched.settled()
    await seat.page.get_by_role("button", name="End it now").wait_for(timeout=TAKES_MS)


async def told_why_not(seat: Seat) -> list[str]:
    """Returns what is said beside each command that cannot be given."""
    beside = seat.page.locator(".command:has(button:disabled) .command-told")
    return [(await one.inner_text()).strip() for one in await beside.all()]


async def who_is_shown(seat: Seat, situation: Situation) -> None:
    """Checks that the page names who decides, by which mode in effect, and how to take over."""
    who = CATALOGUE[f"source.{situation.by}"]["en"]
    facts = seat.page.locator(".facts")
    await facts.filter(has_text=who).first.wait_for(timeout=TAKES_MS)
    mode = CATALOGUE[f"mode.{situation.mode}"]["en"]
    await facts.filter(has_text=mode).first.wait_for(timeout=TAKES_MS)
    way = "End it now" if situation.by is AskedBy.OPERATOR else "add a slot that begins now"
    told = seat.page.locator(".take-over", has_text=way)
    await told.filter(has_text=who).wait_for(timeout=TAKES_MS)


async def presses_everything(seat: Seat, situation: Situation) -> None:
    seat.watched.refused.clear()
    await brought_to(seat, situation)
    await seat.goes("schedule")
    await who_is_shown(seat, situation)
    await ask_for_each_mode(seat)
    assert {"Add", "Change: one", "Remove: one", "End it now"} <= await press_all(seat)
    await brought_to(seat, situation)
    await seat.goes("now")
    pressed = await press_all(seat)
    assert "Stop" in pressed
    assert all(await told_why_not(seat))
    assert seat.watched.refused == []


# ---------------------------------------------------------------------- tests


async def test_while_it_is_idle_nobody_decides_and_a_start_is_what_it_takes(seat: Seat) -> None:
    await seat.goes("schedule")
    await seat.page.locator(".take-over", has_text="once it is started").wait_for()
    await ask_for_each_mode(seat)
    await press_all(seat)
    await seat.goes("now")
    why_not = await told_why_not(seat)
    assert len(why_not) == 3
    assert "The site does not run. Start lets it." in why_not
    assert "Start" in await press_all(seat)
    assert seat.watched.refused == []


async def test_while_an_emergency_stop_holds_a_reset_is_what_it_takes(seat: Seat) -> None:
    seat.rig.command(Command.EMERGENCY_STOP)
    await seat.waits(lambda: seat.rig.state is State.STOPPED, "STOPPED")
    await seat.goes("schedule")
    await seat.page.locator(".take-over", has_text="Reset it on the page Now").wait_for()
    await ask_for_each_mode(seat)
    await press_all(seat)
    await seat.goes("now")
    why_not = await told_why_not(seat)
    assert "An emergency stop holds the site. Reset it first." in why_not
    assert "Reset" in await press_all(seat)
    assert seat.watched.refused == []


async def test_where_nobody_asks_the_sites_own_mode_leads(seat: Seat) -> None:
    situation = Situation(by=AskedBy.DEFAULT, mode=SlotMode.SELF_CONSUMPTION)
    await presses_everything(seat, situation)


@pytest.mark.parametrize("situation", BY_PLAN, ids=str)
async def test_whoever_leads_by_the_plan_nothing_that_can_be_pressed_is_refused(
    seat: Seat, situation: Situation
) -> None:
    await presses_everything(seat, situation)


@pytest.mark.parametrize("situation", BY_HAND, ids=str)
async def test_whatever_a_person_asked_for_nothing_that_can_be_pressed_is_refused(
    seat: Seat, situation: Situation
) -> None:
    if "planner" not in seat.rig.processes:
        seat.rig.start("planner")
    await presses_everything(seat, situation)
