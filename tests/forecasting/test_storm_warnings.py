"""Warnings of bad weather, alone and in a feed; what has no end is none."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import WeatherDataError
from holdfast.forecasting.storm_warnings import WarningSeverity, ask_warnings, parse_warnings

ALERT = """<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>2.49.0.0.276.0.DWD.1</identifier><sender>opendata@dwd.de</sender>
  <sent>2026-03-02T09:00:00+01:00</sent><status>Actual</status><msgType>Alert</msgType>
  <info>
    <event>ORKANBÖEN</event><severity>Extreme</severity>
    <effective>2026-03-02T09:00:00+01:00</effective><onset>2026-03-02T18:00:00+01:00</onset>
    <expires>2026-03-03T06:00:00+01:00</expires><senderName>Deutscher Wetterdienst</senderName>
    <area><areaDesc>Kreis Nordfriesland</areaDesc>
      <geocode><valueName>WARNCELLID</valueName><value>101054000</value></geocode></area>
    <area><areaDesc>Stadt Flensburg</areaDesc></area>
  </info>
</alert>
"""
FEED = """<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:cap="urn:oasis:names:tc:emergency:cap:1.2">
  <title>MeteoAlarm Denmark</title>
  <entry>
    <cap:areaDesc>Vestjylland</cap:areaDesc><cap:event>Yellow wind</cap:event>
    <cap:sent>2026-03-02T08:00:00+00:00</cap:sent>
    <cap:expires>2026-03-02T20:00:00+00:00</cap:expires>
    <cap:onset>2026-03-02T10:00:00+00:00</cap:onset>
    <cap:geocode><valueName>EMMA_ID</valueName><value>DK008</value></cap:geocode>
    <cap:message_type>Alert</cap:message_type><cap:severity>Moderate</cap:severity>
    <cap:status>Actual</cap:status>
  </entry>
  <entry>
    <cap:event>Red wind</cap:event><cap:severity>Extreme</cap:severity>
    <cap:message_type>Cancel</cap:message_type><cap:expires>2026-03-02T20:00:00+00:00</cap:expires>
    <cap:onset>2026-03-02T10:00:00+00:00</cap:onset>
  </entry>
</feed>
"""


def test_a_warning_is_read_with_times_places_and_who_warns() -> None:
    (warning,) = parse_warnings(ALERT.encode())
    assert warning.event == "ORKANBÖEN"
    assert warning.severity is WarningSeverity.EXTREME
    assert warning.start == datetime(2026, 3, 2, 17, tzinfo=UTC)
    assert warning.end == datetime(2026, 3, 3, 5, tzinfo=UTC)
    assert warning.areas == ("Kreis Nordfriesland", "101054000", "Stadt Flensburg")
    assert warning.source == "Deutscher Wetterdienst"


def test_a_feed_has_many_and_what_was_withdrawn_is_none() -> None:
    (warning,) = parse_warnings(FEED.encode())
    assert (warning.event, warning.areas) == ("Yellow wind", ("Vestjylland", "DK008"))
    assert warning.source == "MeteoAlarm Denmark"
    assert warning.end == datetime(2026, 3, 2, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("<status>Actual", "<status>Exercise"),
        ("<msgType>Alert", "<msgType>Cancel"),
        ("<severity>Extreme", "<severity>Unknown"),
        ("<expires>2026-03-03T06:00:00+01:00</expires>", ""),
        ("<expires>2026-03-03T06:00:00+01:00", "<expires>2026-03-03T06:00:00"),
        ("<expires>2026-03-03T06:00:00+01:00", "<expires>tomorrow"),
        ("<expires>2026-03-03", "<expires>2026-03-01"),
        ("<expires>2026-03-03", "<expires>2036-03-03"),
    ],
)
def test_what_does_not_count_or_has_no_exact_end_is_left_out(was: str, becomes: str) -> None:
    assert was in ALERT
    assert parse_warnings(ALERT.replace(was, becomes).encode()) == ()


def test_without_an_onset_it_begins_when_it_takes_effect_or_was_sent() -> None:
    later = ALERT.replace("<onset>2026-03-02T18:00:00+01:00</onset>", "")
    assert parse_warnings(later.encode())[0].start == datetime(2026, 3, 2, 8, tzinfo=UTC)
    sent = later.replace("<effective>2026-03-02T09:00:00+01:00</effective>", "")
    assert parse_warnings(sent.encode())[0].start == datetime(2026, 3, 2, 8, tzinfo=UTC)


BOMB = b"""<!DOCTYPE a [<!ENTITY x "xx"><!ENTITY y "&x;&x;">]><alert>&y;</alert>"""


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is no XML"),
        (b"{}", "is no XML"),
        (BOMB, "is no XML"),
        (b"<html><body>Sign in</body></html>", "is no CAP warning and no feed, but <html>"),
    ],
)
def test_anything_else_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(WeatherDataError, match=told):
        parse_warnings(content)


def test_more_than_anybody_warns_of_is_refused() -> None:
    info = ALERT[ALERT.index("<info>") : ALERT.index("</info>") + 7]
    with pytest.raises(WeatherDataError, match="more than 5000"):
        parse_warnings(ALERT.replace(info, info * 5001).encode())


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: f"<alert>{text}".encode()))
def test_whatever_comes_is_read_or_refused(content: bytes) -> None:
    try:
        found: object = parse_warnings(content)
    except WeatherDataError as error:
        found = str(error)
    assert found is not None


def test_a_feed_is_asked_for_once() -> None:
    asking = ask_warnings("https://feeds.example.org/dk")
    assert next(asking).url == "https://feeds.example.org/dk"
    with pytest.raises(StopIteration) as end:
        asking.send(FEED.encode())
    assert len(end.value.value) == 1
