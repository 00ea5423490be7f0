"""Rules, signals and warnings of bad weather: what owners write, and what others send."""

from collections.abc import Iterator
from datetime import timedelta
from functools import cache

from fuzz.plant import NOON
from fuzz.target import Target
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError, WeatherDataError
from holdfast.forecasting.storm_warnings import LONGEST, parse_warnings
from holdfast.scheduling.rules.book import read_rules
from holdfast.scheduling.rules.engine import ASKED_FOR, RuleEngine
from holdfast.scheduling.rules.fact_table import FactKind, Facts
from holdfast.scheduling.rules.signals import (
    ExternalSignal,
    decode_signals,
    encode_signals,
    known_signals,
)
from holdfast.simulation.demo_site import simulated_site

_KINDS = {"hot": FactKind.TRUTH, "vpp_w": FactKind.NUMBER, "tariff": FactKind.TEXT}
_KNOWN: Facts = {"soc_pct": 40.0, "pv_w": 0.0, "hour": 7.5, "weekday": "mon", "is_holiday": False}


@cache
def _site() -> Site:
    return simulated_site()


def _run_rules(data: bytes) -> bool:
    site = _site()
    try:
        book = read_rules(data.decode(errors="replace"), site, "rules.yaml")
    except ConfigError:
        return False
    engine = RuleEngine(book, site.timezone)
    for facts in (_KNOWN, {}):
        engine.look(NOON, facts)
        for slot in engine.asked(NOON, NOON + timedelta(days=1)):
            assert NOON < slot.end <= NOON + ASKED_FOR
            assert abs(slot.battery_power_w) <= site.charge_power_max_w
    return bool(book.rules)


def _rule_seeds() -> Iterator[bytes]:
    yield b"rules:\n- {name: a, when: soc_pct < 50, then: {mode: hold}}\n"
    yield (
        b"signals: {hot: truth}\nrules:\n- name: b\n  when: hot || hour >= 7 && pv_w * 2 < 1\n"
        b"  then: {mode: charge_only, power_w: 100, soc_target_pct: 80}\n"
        b"  ends_when: soc_pct > 80\n  priority: 3\n  for_minutes: 0\n  until: 2099-01-01\n"
    )


def _run_signals(data: bytes) -> bool:
    try:
        signals = decode_signals(data)
    except ConfigError:
        return False
    types = {"hot": bool, "vpp_w": float, "tariff": str}
    for name, value in known_signals(signals, _KINDS, NOON).items():
        assert type(value) is types[name]
    return bool(signals)


def _signal_seeds() -> Iterator[bytes]:
    until = NOON + timedelta(hours=1)
    yield encode_signals(
        {
            "hot": ExternalSignal(value=True, until=until),
            "vpp_w": ExternalSignal(value=1500.5, until=until, by="somebody"),
            "tariff": ExternalSignal(value="low", until=until),
        }
    )


def _run_warnings(data: bytes) -> bool:
    try:
        warnings = parse_warnings(data)
    except WeatherDataError as error:
        assert len(str(error)) < 1000, "what a stranger says fills a log"
        return False
    for warning in warnings:
        assert timedelta(0) < warning.end - warning.start <= LONGEST
        assert all(text.isprintable() for text in (warning.event, warning.source, *warning.areas))
    return bool(warnings)


def _warning_seeds() -> Iterator[bytes]:
    yield (
        b'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><sender>met</sender>'
        b"<status>Actual</status><msgType>Alert</msgType><info><event>storm</event>"
        b"<severity>Severe</severity><onset>2026-03-02T18:00:00+01:00</onset>"
        b"<expires>2026-03-03T06:00:00+01:00</expires><area><areaDesc>here</areaDesc></area></info>"
        b"</alert>"
    )


TARGETS = (
    Target(name="rule_files", eats="a file of rules", seeds=_rule_seeds, run=_run_rules),
    Target(
        name="rule_signals",
        eats="signals that others set for rules",
        seeds=_signal_seeds,
        run=_run_signals,
    ),
    Target(
        name="storm_warnings",
        eats="warnings of bad weather",
        seeds=_warning_seeds,
        run=_run_warnings,
        longest=8192,
    ),
)
