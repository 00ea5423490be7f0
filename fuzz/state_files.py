"""State files: what a site keeps, and reads when it starts, whatever became of it meanwhile."""

import gzip
import json
import math
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import yaml
from pydantic import TypeAdapter
from pydantic_core import to_json

from fuzz.plant import NOON, UNIT, house_content
from fuzz.target import Target
from holdfast.client.audit_reader import lines_backwards
from holdfast.client.forecast_report import read_forecast
from holdfast.client.manual_slots import read_manual
from holdfast.client.plan_report import PlanReport, read_report
from holdfast.client.report_file import packed
from holdfast.client.status_reader import StatusReader
from holdfast.control.cycle import Cycle, CycleState, Inputs
from holdfast.control.plan_gate import accept_plan
from holdfast.core import latches
from holdfast.core.config import Site
from holdfast.core.config.notifications import Recipient
from holdfast.core.config.prices import PriceSource
from holdfast.core.errors import ConfigError
from holdfast.core.latches import LATCH_FILE_CORRUPT, Latches
from holdfast.core.manual_slot import ManualMode, ManualSlot
from holdfast.core.plan import ROOM_C
from holdfast.core.quarter_hours import quarter_of
from holdfast.core.reading import Good
from holdfast.core.sealed import seal
from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import State
from holdfast.deployment.checklist.signatures import Signature, Signatures
from holdfast.devices.contactor.memory import Wear
from holdfast.forecasting.forecast import Basis, PowerForecast
from holdfast.forecasting.history import Field, PowerHistory
from holdfast.forecasting.site_forecast import SiteForecast
from holdfast.forecasting.weather import COLUMNS, WeatherForecast
from holdfast.forecasting.weather_cache import FetchedWeather, WeatherCache
from holdfast.markets.price_answer import PriceAnswer
from holdfast.markets.price_cache import Failure, FetchedPrices, PriceCache
from holdfast.markets.prices import Direction, PriceSeries, PriceSlot
from holdfast.monitoring.audit.events import ProcessEnded
from holdfast.monitoring.audit.verify import verify
from holdfast.monitoring.judgement import (
    JudgedDay,
    Judgement,
    decode_judgement,
    encode_judgement,
)
from holdfast.monitoring.notices import Notice, NoticeKind, TimedNotice
from holdfast.monitoring.notification.ledger import Ledger, due, escalate
from holdfast.monitoring.plan_judge import WhoLeads
from holdfast.monitoring.replay.coding import MalformedRecord
from holdfast.monitoring.replay.course import course_of, recorded_steps
from holdfast.monitoring.replay.kept_cycle import RanCycle
from holdfast.monitoring.replay.reading import parse_recording
from holdfast.monitoring.replay.recording import (
    CycleEncoder,
    RecordingCause,
    RecordingEnd,
    RecordingHead,
    end_line,
    head_line,
)
from holdfast.monitoring.replay.rerun import build_recorded, difference_in, rerun
from holdfast.monitoring.replay.scrubbing import scrubbed, site_of
from holdfast.monitoring.status.codec import encode_status
from holdfast.monitoring.status.histogram import Histogram
from holdfast.monitoring.status.schema import LoopStatus, ReadingStatus, Status, WearStatus
from holdfast.runtime import wear_file
from holdfast.runtime.audit.folder import AuditFolder, Entry
from holdfast.runtime.crash_loop import StartRecord
from holdfast.runtime.incident_recorder import wiring_of
from holdfast.runtime.latch_file import load_latches
from holdfast.runtime.measured import load_history, load_memory
from holdfast.runtime.notification.postman import read_ledger
from holdfast.runtime.plan_reports import forecast_report
from holdfast.runtime.resume import Resume
from holdfast.safety.goals import Authority
from holdfast.scheduling import planner_memory
from holdfast.scheduling.loads.progress import LoadsNow, LoadState, RoomState
from holdfast.scheduling.manual_asker import asked_by_hand
from holdfast.scheduling.planner_memory import PlannerMemory
from holdfast.scheduling.precedence import lay_over
from holdfast.site.files import SiteFiles, write_atomically
from holdfast.site.proof import Proof, ProofStep, TimerFound, encode_proof, read_proof
from holdfast.site.push_book import PushBook, PushBrowser, PushShelf, with_browser, with_key
from holdfast.site.release import Release, encode_release, read_release
from holdfast.site.shared_memory import Beat, HeartbeatReader
from holdfast.site.site_file import parse_site
from holdfast.testing.plans import plan_of
from holdfast.web.web_push import (
    PushAddress,
    encrypted,
    new_push_key,
    public_push_key,
    to_base64url,
)

Write = Callable[[SiteFiles, bytes], None]
Read = Callable[[SiteFiles], bool]
Wrap = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class _StateFile:
    """Describes one file of a site."""

    name: str
    eats: str
    path: Callable[[SiteFiles], Path]
    seeds: Callable[[], Iterable[bytes]]
    """Returns contents without their check sums."""
    wrap: Wrap | None
    """Gives content the check sum without which nobody looks at it; None: it has none."""
    read: Read
    """Reads it as whoever starts does, and says whether it was of use."""


JO = Recipient.model_validate(
    {"name": "jo", "channel": {"kind": "ntfy", "topic": "holdfast-of-jo"}, "after_minutes": 10}
)


def _run(file: _StateFile, data: bytes) -> bool:
    files = _files()
    path = file.path(files)
    path.parent.mkdir(exist_ok=True)
    of_use = False
    for content in (data,) if file.wrap is None else (data, file.wrap(data)):
        path.write_bytes(content)
        of_use |= file.read(files)
    return of_use


@cache
def _temporary() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="fuzz-")


def _files() -> SiteFiles:
    return SiteFiles(state_dir=Path(_temporary().name))


@cache
def _site() -> Site:
    return parse_site(yaml.safe_dump(house_content()))


# ------------------------------------------------------------------ check sums


def _sealed(data: bytes) -> bytes:
    return seal(data.decode("utf-8", errors="replace").replace("\n", " "))


def _body(content: bytes) -> bytes:
    """Returns what was sealed."""
    return content.partition(b"\n")[0]


_PACKED = b"holdfast packed 1\n"


def _packed(data: bytes) -> bytes:
    return _PACKED + sha256(data).hexdigest().encode() + b"\n" + data


def _archive(content: bytes) -> bytes:
    return content.removeprefix(_PACKED).partition(b"\n")[2]


def _record(data: bytes) -> bytes:
    return struct.pack("<QII", 1, len(data), zlib.crc32(data)) + data


def _beat(data: bytes) -> bytes:
    return data[:32] + zlib.crc32(data[:32]).to_bytes(4, "little")


# ------------------------------------------------------------------ what the controller reads


def _read_latches(files: SiteFiles) -> bool:
    found = load_latches(files.latches)
    assert all(isinstance(fault, str) for fault in found.faults)
    assert type(found.emergency_stop) is bool
    return LATCH_FILE_CORRUPT not in found.faults


def _latches() -> Iterator[bytes]:
    for one in (Latches(), Latches(emergency_stop=True, faults=("site/x", "battery/y"))):
        yield _body(latches.encode(one))


def _read_starts(files: SiteFiles) -> bool:
    record = StartRecord(files.starts)
    assert all(math.isfinite(start_s) for start_s in record._starts), record._starts
    return bool(record._starts)


def _starts() -> Iterator[bytes]:
    yield json.dumps([NOON.timestamp() + second for second in range(6)]).encode()


def _read_running(files: SiteFiles) -> bool:
    return Resume(files.running, automatic=True).waits


def _running() -> Iterator[bytes]:
    yield json.dumps({"version": 1, "running": True}).encode()


def _read_wear(files: SiteFiles) -> bool:
    found, on_disk = wear_file.load_wear(files.wear, [UNIT])
    for wear in found.values():
        assert type(wear.closings) is type(wear.openings_under_load) is int
        assert wear.closings >= 0
        assert wear.openings_under_load >= 0
    return on_disk is not None


def _wear() -> Iterator[bytes]:
    yield _body(wear_file.encode({UNIT: Wear(closings=7, openings_under_load=1)}))


def _read_proof(files: SiteFiles) -> bool:
    proof = read_proof(files.proofs / "unit.json")
    if proof is None:
        return False
    assert 0.0 <= proof.power_w < math.inf
    assert proof.in_words
    return True


def _read_release(files: SiteFiles) -> bool:
    release = read_release(files.release)
    if release is None:
        return False
    assert release.utc.utcoffset() is not None, "a time without a zone"
    return release.permits > Authority.OBSERVE


def _release() -> Iterator[bytes]:
    yield _body(encode_release(Release(stage="full", hardware="ab" * 32, utc=NOON, by="Jo")))


def _read_ledger(files: SiteFiles) -> bool:
    ledger = read_ledger(files.notice_ledger(JO.name))
    if ledger == Ledger():
        return False
    list(due(JO, escalate(JO, ledger, NOON, None), NOON, ZoneInfo("UTC")))
    return True


def _ledger() -> Iterator[bytes]:
    notice = Notice(
        kind=NoticeKind.NEW, owner="site", row="trip", reaction="trip", text="why", times=1
    )
    timed = TimedNotice(utc=NOON, notice=notice)
    yield to_json(Ledger(waiting=(timed,), alarms=(timed,), sent=(NOON,), last_told=NOON))


_PHONE = PushAddress(
    endpoint="https://web.push.apple.com/x",
    p256dh=public_push_key(new_push_key()),
    auth=to_base64url(bytes(range(16))),
)


def _read_push_book(files: SiteFiles) -> bool:
    book = PushShelf(files.web_push).read()
    for browser in book.browsers:
        browser.address.check()
        assert browser.made.utcoffset() is not None, "a time without a zone"
        encrypted(browser.address, b"told")
    return book != PushBook()


def _push_book() -> Iterator[bytes]:
    browser = PushBrowser(account="jo", name="Firefox", made=NOON, address=_PHONE)
    yield to_json(with_browser(with_key(PushBook()), browser))


def _read_signatures(files: SiteFiles) -> bool:
    signed = Signatures(files.signatures).read()
    assert all(one.utc.utcoffset() is not None and one.in_words for one in signed.values())
    return bool(signed)


def _signatures() -> Iterator[bytes]:
    one = Signature(by="Jo", utc=NOON, hardware="ab" * 32, note="3 x 35 A").model_dump_json()
    yield f'{{"version":1,"signed":{{"fuse":{one}}}}}'.encode()


def _proof() -> Iterator[bytes]:
    step = ProofStep(name="charge", passed=True, told="it charges", figures={"power_w": 500.0})
    proof = Proof(
        unit=UNIT,
        table="generic_inverter",
        device="0" * 64,
        utc=NOON,
        power_w=500.0,
        reason="",
        at_zero=True,
        steps=(step,),
        response_s=1.0,
        timer=TimerFound.ENDS,
    )
    yield _body(encode_proof(proof))


def _read_audit(files: SiteFiles) -> bool:
    """Takes the last line for the head of the log, and all before it for its only file."""
    path = _log_path(files)
    lines, _, head = path.read_bytes().rstrip(b"\n").rpartition(b"\n")
    path.write_bytes(lines + b"\n")
    (files.audit / "audit.head").write_bytes(head + b"\n")
    verdict = verify([(path.name, lines + b"\n")], head + b"\n")
    assert all(line.sequence >= 0 for line in lines_backwards(files.audit))
    folder = AuditFolder(files.audit)
    folder.open()
    folder.close()
    return verdict.lines > 0


def _audit() -> Iterator[bytes]:
    files = _files()
    folder = AuditFolder(files.audit)
    events = (ProcessEnded(reason="asked to"), ProcessEnded(reason="asked again"))
    folder.append([Entry(utc=NOON, monotonic_ns=1, event=event) for event in events])
    folder.close()
    yield _log_path(files).read_bytes() + (files.audit / "audit.head").read_bytes()


def _log_path(files: SiteFiles) -> Path:
    return files.audit / "audit-000001.jsonl"


# ------------------------------------------------------------------ what watchdog and clients do


def _read_status(files: SiteFiles) -> bool:
    found = StatusReader(files).latest()
    return found is not None and found[1] >= 0.0


def _status() -> Iterator[bytes]:
    times = Histogram().status()
    status = Status(
        site="fuzz",
        currency="EUR",
        authority="full",
        utc=NOON,
        monotonic_ns=1,
        state=State.RUNNING,
        waits_for=(),
        emergency_stop_latched=False,
        latched_faults=("battery/x",),
        latches_on_disk=True,
        ignored_events=0,
        request_w=0.0,
        request_source="plan",
        request_reason="a cheap hour",
        plan=None,
        plan_refused="",
        quantities=(),
        readings={UNIT: {Signal.SOC_PCT: _reading()}},
        findings=(),
        limits=(),
        contactors={UNIT: _worn()},
        comms={},
        loop=LoopStatus(
            period_s=0.02, cycles=1, missed=0, real_time=True, cycle=times, lateness=times
        ),
    )
    yield encode_status(status)


def _reading() -> ReadingStatus:
    return ReadingStatus(value=50.0, unit="%", quality="good", age_s=0.1)


def _worn() -> WearStatus:
    return WearStatus(
        closings=1, openings_under_load=0, cycles_used=1, cycles_rated=1000, complete=True
    )


def _read_beat(files: SiteFiles) -> bool:
    try:
        reader = HeartbeatReader(files.heartbeat)
    except FileNotFoundError:
        return False
    with reader:
        return reader.last() != Beat()


def _beats() -> Iterator[bytes]:
    yield struct.pack("<QqqQ", 7, 10**12, 1, 0x1234)


def _read_report(files: SiteFiles) -> bool:
    report = read_report(files)
    assert report is None or report.utc.utcoffset() is not None, "a time without a zone"
    return report is not None


def _report() -> Iterator[bytes]:
    plan = plan_of((0.0, 900.0, 1000.0), (900.0, 1800.0, 0.0))
    report = to_json(PlanReport(utc=NOON, plan=plan, accepted=True, problem=""))
    yield report
    yield packed(report)
    yield to_json(PlanReport(utc=NOON, plan=None, accepted=False, problem="no prices"))


def _read_forecast(files: SiteFiles) -> bool:
    report = read_forecast(files)
    assert report is None or report.made.utcoffset() is not None, "a time without a zone"
    return report is not None


def _forecast() -> Iterator[bytes]:
    power = PowerForecast(start_utc=NOON, mean_w=(500.0, 600.0), basis=Basis.HISTORY)
    yield to_json(forecast_report(SiteForecast(load=power, pv=power)))


# ------------------------------------------------------------------ what the planner reads


def _read_manual(files: SiteFiles) -> bool:
    """What counts can be laid over a plan, and the controller takes it."""
    found, site = read_manual(files, _site(), NOON), _site()
    assert not (found.slots and found.problem)
    laid = lay_over(None, [asked_by_hand(slot) for slot in found.slots], site=site, now_utc=NOON)
    accept_plan(laid.plan, now_ns=0, utc=NOON, site=site)
    return bool(found.slots)


def _manual() -> Iterator[bytes]:
    slot = ManualSlot(
        id="1f",
        start=NOON,
        end=NOON + timedelta(hours=1),
        mode=ManualMode.CHARGE,
        power_w=1_000.0,
        by="anna",
        made=NOON,
    )
    later = replace(slot, id="2e", start=slot.end, end=slot.end + timedelta(hours=1))
    yield to_json({"slots": [slot, replace(later, mode=ManualMode.REST, power_w=None)]})


def _read_memory(files: SiteFiles) -> bool:
    memory = load_memory(_site(), files)
    for room in memory.loads_now.rooms.values():
        assert ROOM_C[0] <= room.temperature_c <= ROOM_C[1]
    for load in memory.loads_now.loads.values():
        assert 0.0 <= load.delivered_wh < math.inf
    return memory != PlannerMemory()


def _memory() -> Iterator[bytes]:
    now = LoadsNow(
        loads={"boiler": LoadState(window_end=NOON, delivered_wh=500.0)},
        rooms={"bath": RoomState(temperature_c=21.0, utc=NOON)},
    )
    yield planner_memory.encode(PlannerMemory(loads_now=now, peaks_w={"2026-05": 4000.0}))


def _read_judgement(files: SiteFiles) -> bool:
    """What is believed can be told, and goes on with another day."""
    try:
        found = decode_judgement(files.judgement.read_bytes())
    except ValueError:
        return False
    assert found.why
    day = JudgedDay(day=date.max, led=found.leads, gain=0.1, plans_soc_pct=50.0, rule_soc_pct=50.0)
    assert decode_judgement(encode_judgement(found)) == found
    assert found.with_day(day, NOON, NOON.date()).why
    return True


def _judgement() -> Iterator[bytes]:
    new = Judgement(site="fuzz", currency="EUR", made=NOON)
    yield encode_judgement(new)
    for number in range(30, 0, -1):
        new = new.with_day(
            JudgedDay(
                day=NOON.date() - timedelta(days=number),
                led=WhoLeads.PLANS,
                gain=0.5 + 0.1 * (number % 3),
                plans_soc_pct=50.0,
                rule_soc_pct=40.0,
            ),
            NOON,
            NOON.date(),
        )
    yield encode_judgement(new)


def _read_history(files: SiteFiles) -> bool:
    history = load_history(files)
    files.old_history.unlink(missing_ok=True)
    for field in Field:
        window = history.window(field, quarter_of(NOON) - 96, 2 * 96)
        assert not np.isinf(window).any(), field
    return len(history) > 0


def _history() -> Iterator[bytes]:
    history = PowerHistory()
    for _ in range(3):
        history.add(NOON, 500.0, 1000.0)
    yield _archive(history.to_bytes())


def _old_history() -> Iterator[bytes]:
    rows = [[quarter_of(NOON) + number, 400.0, 60] for number in range(4)]
    yield json.dumps({"version": 1, "load": rows, "pv": rows}).encode()


def _weather_cache(files: SiteFiles) -> WeatherCache:
    return WeatherCache(files.weather, write_atomically)


def _read_weather(files: SiteFiles) -> bool:
    found = _weather_cache(files).load("here")
    return found is not None and len(found.weather) > 0


def _weather() -> Iterator[bytes]:
    columns = dict.fromkeys(COLUMNS, np.full(96, 5.0))
    weather = WeatherForecast(first=quarter_of(NOON), **columns)
    files = _files()
    _weather_cache(files).keep("here", FetchedWeather(utc=NOON, weather=weather))
    yield _archive(files.weather.read_bytes())


_SOURCE: Any = TypeAdapter(PriceSource).validate_python({"kind": "awattar"})


def _price_cache(files: SiteFiles) -> PriceCache:
    return PriceCache(files.prices, write_atomically)


def _price_path(files: SiteFiles) -> Path:
    return _price_cache(files)._path(_SOURCE, Direction.PURCHASE)


def _failure_path(files: SiteFiles) -> Path:
    return _price_cache(files)._failure_path(_SOURCE, Direction.PURCHASE)


def _read_prices(files: SiteFiles) -> bool:
    found = _price_cache(files).load(_SOURCE, Direction.PURCHASE)
    if found is None:
        return False
    assert all(math.isfinite(slot.price_per_kwh) for slot in found.prices)
    return len(found.prices) > 0


def _prices() -> Iterator[bytes]:
    slot = PriceSlot(start_utc=NOON, end_utc=NOON.replace(hour=NOON.hour + 1), price_per_kwh=0.2)
    answer = PriceAnswer(prices=PriceSeries(currency="EUR", slots=(slot,)), notes=("a hole",))
    files = _files()
    _price_cache(files).keep(_SOURCE, Direction.PURCHASE, FetchedPrices(utc=NOON, answer=answer))
    yield _body(_price_path(files).read_bytes())


def _read_failure(files: SiteFiles) -> bool:
    return _price_cache(files).load_failure(_SOURCE, Direction.PURCHASE) is not None


def _failure() -> Iterator[bytes]:
    files = _files()
    failure = Failure(utc=NOON, error="no answer", count=2, ask_utc=NOON)
    _price_cache(files).keep_failure(_SOURCE, Direction.PURCHASE, failure)
    yield _body(_failure_path(files).read_bytes())


def _run_incident(data: bytes) -> bool:
    """What can be read is run again, whatever it says."""
    try:
        recording = parse_recording(gzip.compress(data, compresslevel=1))
        cycle = build_recorded(recording, site_of(recording.site))
    except (MalformedRecord, ConfigError) as error:
        assert len(str(error)) < 5000, "what a stranger says fills a terminal"
        return False
    for again in rerun(cycle, recording):
        difference_in(again)
    course_of(recorded_steps(recording.cycles), recording.cycles[0].inputs.now_ns)
    return True


def _incident() -> Iterator[bytes]:
    site = _site()
    wiring = wiring_of(site)
    cycle = Cycle(site, wiring.expected, wiring.points, wiring.traits, wiring.ages)
    head = RecordingHead(version="1", python="3", configuration="0", wiring=wiring)
    sample = Good(value=50.0, time_ns=10**12)
    image = {SITE: {}, **{name: {Signal.SOC_PCT: sample} for name in site.unit_names}}
    image |= {name: {} for name in site.load_names}
    state, encoder = CycleState(), CycleEncoder()
    lines = [head_line(head, scrubbed(site))]
    for number in range(3):
        inputs = Inputs(now_ns=10**12 + number * 10**9, image=image, utc_ns=0)
        before = state
        state, record = cycle.step(state, inputs)
        lines.append(encoder.lines(RanCycle(record=record, before=before)))
    why = RecordingCause(utc=NOON, now_ns=10**12, row="trip", text="why")
    yield b"".join([*lines, end_line(RecordingEnd(cycles=3, causes=(why,)))])


def _row(
    name: str,
    eats: str,
    path: Callable[[SiteFiles], Path],
    seeds: Callable[[], Iterable[bytes]],
    wrap: Wrap | None,
    read: Read,
) -> Target:
    file = _StateFile(name=name, eats=eats, path=path, seeds=seeds, wrap=wrap, read=read)
    return Target(name=name, eats=eats, seeds=seeds, run=partial(_run, file))


# fmt: off
TARGETS = (
    _row("latch_file", "latches.json", lambda files: files.latches, _latches, _sealed, _read_latches),
    _row("start_record", "starts.json", lambda files: files.starts, _starts, None, _read_starts),
    _row("running_file", "running.json", lambda files: files.running, _running, _sealed, _read_running),
    _row("wear_file", "wear.json", lambda files: files.wear, _wear, _sealed, _read_wear),
    _row("release_file", "a release", lambda files: files.release, _release, _sealed, _read_release),
    _row("push_book", "key and browsers of web push", lambda files: files.web_push, _push_book, None, _read_push_book),
    _row("notice_ledger", "what one recipient was told", lambda files: files.notice_ledger(JO.name), _ledger, None, _read_ledger),
    _row("signatures_file", "signatures", lambda files: files.signatures, _signatures, _sealed, _read_signatures),
    _row("proof_file", "a proof", lambda files: files.proofs / "unit.json", _proof, _sealed, _read_proof),
    _row("audit_log", "the audit log and its head", _log_path, _audit, None, _read_audit),
    _row("status_record", "the status in shared memory", lambda files: files.status, _status, _record, _read_status),
    _row("heartbeat", "a heartbeat in shared memory", lambda files: files.heartbeat, _beats, _beat, _read_beat),
    _row("plan_report", "plan.json.gz", lambda files: files.plan, _report, None, _read_report),
    _row("forecast_report", "forecast.json.gz", lambda files: files.forecast, _forecast, None, _read_forecast),
    _row("manual_slots", "manual.json", lambda files: files.manual, _manual, None, _read_manual),
    _row("planner_memory", "desk.json", lambda files: files.planner_memory, _memory, None, _read_memory),
    _row("judgement_file", "judgement.json", lambda files: files.judgement, _judgement, None, _read_judgement),
    _row("power_history", "history.packed", lambda files: files.history, _history, _packed, _read_history),
    _row("old_history", "history.json", lambda files: files.old_history, _old_history, None, _read_history),
    _row("weather_file", "weather.packed", lambda files: files.weather, _weather, _packed, _read_weather),
    _row("price_cache", "prices as they are kept", _price_path, _prices, _sealed, _read_prices),
    Target(name="incident", eats="a recording of an incident, unpacked", seeds=_incident, run=_run_incident, longest=65536),
    _row("price_failure", "why a source gave no prices", _failure_path, _failure, _sealed, _read_failure),
)
# fmt: on
