"""A site that has all there is, and whose controller publishes: no metric is missing."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from holdfast.core.signals import SITE, Signal
from holdfast.monitoring.history.energies import TOTALS
from holdfast.monitoring.history.span_savings import SpanName, SpanSavings
from holdfast.monitoring.history.state import HistoryState, encode_history_state
from holdfast.monitoring.judgement import Judgement, encode_judgement
from holdfast.monitoring.notification.ledger import Ledger
from holdfast.monitoring.plan_judge import Weighed
from holdfast.monitoring.quantities.quantity import MODE, ON_OFF, Quantity, QuantityName
from holdfast.monitoring.status.codec import encode_status
from holdfast.monitoring.status.histogram import BOUNDS_S, HistogramStatus
from holdfast.monitoring.status.schema import (
    AuditStatus,
    CommsStatus,
    ConnectionStatus,
    LimitStatus,
    LoopStatus,
    ModeStatus,
    OperatorStatus,
    PlanStatusNow,
    Status,
)
from holdfast.runtime.gateway import GatewayServer
from holdfast.safety.limits import build_limits
from holdfast.simulation.demo_site import simulated_site
from holdfast.simulation.net import free_port
from holdfast.site.files import SiteFiles
from holdfast.site.shared_memory import RecordWriter
from tests.builders import build_site
from tests.monitoring.statuses import UNIT, found, power, reading, status

UNITS = {
    QuantityName.DEVICE_MODE: MODE,
    QuantityName.EXPORT_LIMIT: "W",
    QuantityName.PV_SWITCH: ON_OFF,
    QuantityName.LOAD: ON_OFF,
    QuantityName.ROOM_SETPOINT: "°C",
}


PLAN = PlanStatusNow(
    plan_id="p", status="optimal", age_s=7.0, expires_in_s=90.0, expected_cost=1.0, slot=None
)


def _quantities() -> Iterator[Quantity]:
    yield replace(power(1200.0), low=-5000.0, low_by="soc", high=5000.0, high_by="hardware")
    for name, unit in UNITS.items():
        yield Quantity(
            owner=f"a_{name}", name=name, unit=unit, asked=1.0, source="plan", reason="cheap",
            low=0.0, low_by="rule", high=1.0, high_by="rule", permitted=1.0, written=1.0,
            read_back=1.0, measured=1.0,
        )  # fmt: skip


def _limits() -> Iterator[LimitStatus]:
    for limit in build_limits(simulated_site()):
        yield LimitStatus(
            owner=limit.owner,
            row=limit.row.id,
            signal=limit.row.signal,
            unit=limit.unit,
            levels={level.name.lower(): value for level, value in limit.levels},
            margin=1.0,
        )


def rich_status(cycles: int) -> Status:
    """After so many cycles, of which one in ten was skipped."""
    counted = HistogramStatus(
        counts=(cycles, *([0] * len(BOUNDS_S))), sum_s=cycles * 1e-4, max_s=1e-3
    )
    operator = OperatorStatus(state="limited", for_s=60.0, limited_s=60.0, exceeded_s=1.0)
    return status(
        monotonic_ns=time.monotonic_ns(),
        quantities=tuple(_quantities()),
        limits=tuple(_limits()),
        findings=(found("bms_data_old", "derate"), found("cell_voltage_high", "trip", "trip")),
        latched_faults=(f"{UNIT}/cell_voltage_high",),
        readings={
            UNIT: {Signal.SOC_PCT: reading(54.0, "%")},
            SITE: {
                Signal.GRID_POWER_W: reading(1800.0, "W"),
                Signal.WATCHDOG_ARMED: reading(1.0, "0/1"),
            },
        },
        plan=PLAN,
        mode=ModeStatus(
            by="plan", mode="charge", for_s=60.0, kept_by=("fuse",), verdict="steady",
            meter_rms_w=12.0, reversals_a_minute=2.0,
        ),
        connection=ConnectionStatus(
            low_w=-5000.0, low_by="fuse", high_w=5000.0, high_by="fuse", consumption=operator
        ),
        comms={"battery/bms": CommsStatus(reads=cycles, writes=cycles, errors=1, last_error="")},
        audit=AuditStatus(lines=cycles, lost=0, problem=""),
        loop=LoopStatus(
            period_s=0.02, cycles=cycles, missed=cycles // 10, real_time=True, cycle=counted,
            lateness=counted,
        ),
    )  # fmt: skip


def rich_history() -> HistoryState:
    now = datetime.now(UTC)
    saved = SpanSavings(
        span=SpanName.TODAY,
        start=now - timedelta(hours=5),
        end=now,
        paid=1.0,
        no_battery=3.0,
        self_consumption=2.0,
    )
    return HistoryState(
        utc=now,
        monotonic_ns=time.monotonic_ns(),
        written=now,
        samples_lost=1,
        size_bytes=12345,
        backup=now,
        totals={name: now.timestamp() for name in TOTALS},
        currency="EUR",
        savings=(saved,),
    )


@contextmanager
def gateway_of_rich_site(folder: Path) -> Iterator[str]:
    """The address of its gateway, while something publishes as the controller does."""
    prices = {
        way: {"source": {"kind": "fixed", "price_per_kwh": price}}
        for way, price in (("purchase", 0.3), ("feed_in", 0.08))
    }
    site = build_site(state_dir=str(folder), gateway={"port": free_port()}, prices=prices)
    files = SiteFiles.of(site)
    files.create()
    weighed = Weighed(days=28, total=14.0, mean=0.5, low=0.3, high=0.7)
    files.judgement.write_bytes(
        encode_judgement(
            Judgement(
                site=site.name, currency=site.currency, made=datetime.now(UTC), weighed=weighed
            )
        )
    )
    ledger = Ledger(delivered=1, failed=1, failing_since=datetime.now(UTC))
    server = GatewayServer(site, files, ledgers=lambda: {"ann": ledger})
    end = threading.Event()

    def publish() -> None:
        cycles = 0
        with RecordWriter(files.status) as told, RecordWriter(files.history_state) as history:
            while not end.is_set():
                cycles += 50
                told.publish(encode_status(rich_status(cycles)))
                history.publish(encode_history_state(rich_history()))
                end.wait(0.2)

    publisher = threading.Thread(target=publish)
    publisher.start()
    server.start()
    try:
        yield f"127.0.0.1:{site.gateway.port}"
    finally:
        end.set()
        publisher.join()
        server.close()
