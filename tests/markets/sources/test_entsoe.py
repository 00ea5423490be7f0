"""A price document gives the right price for each instant, or is refused with its reason."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import PriceDataError
from holdfast.markets.sources.entsoe import parse_entsoe
from holdfast.markets.sources.left_out import LeftOut

DAY = datetime(2026, 2, 1, 23, tzinfo=UTC)
QUARTER = timedelta(minutes=15)

Points = dict[int, float | str]


def period(
    points: Points,
    *,
    start: datetime = DAY,
    length: timedelta = timedelta(hours=1),
    resolution: str = "PT15M",
) -> str:
    rows = "".join(
        f"<Point><position>{position}</position><price.amount>{price}</price.amount></Point>"
        for position, price in points.items()
    )
    return (
        f"<Period><timeInterval><start>{start:%Y-%m-%dT%H:%MZ}</start>"
        f"<end>{start + length:%Y-%m-%dT%H:%MZ}</end></timeInterval>"
        f"<resolution>{resolution}</resolution>{rows}</Period>"
    )


def series(
    *periods: str,
    sequence: int | None = None,
    curve: str = "A03",
    currency: str = "EUR",
    unit: str = "MWH",
    domain: str = "10Y1001A1001A82H",
    contract: str = "A01",
) -> str:
    name = "classificationSequence_AttributeInstanceComponent.position"
    position = "" if sequence is None else f"<{name}>{sequence}</{name}>"
    return (
        f"<TimeSeries><in_Domain.mRID>{domain}</in_Domain.mRID>"
        f"<contract_MarketAgreement.type>{contract}</contract_MarketAgreement.type>"
        f"<currency_Unit.name>{currency}</currency_Unit.name>"
        f"<price_Measure_Unit.name>{unit}</price_Measure_Unit.name>{position}"
        f"<curveType>{curve}</curveType>{''.join(periods)}</TimeSeries>"
    )


def document(*content: str, version: str = "7:3") -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?><Publication_MarketDocument xmlns="urn:'
        f'iec62325.351:tc57wg16:451-3:publicationdocument:{version}"><type>A44</type>'
        f"{''.join(content)}</Publication_MarketDocument>"
    )


def prices_of(*content: str) -> list[float]:
    return [round(slot.price_per_kwh * 1000, 6) for slot in parse_entsoe(document(*content))]


def left_of(text: str, now: datetime | None = None) -> tuple[list[float | None], tuple[str, ...]]:
    """Prices of the first hour, and what is told of the rest."""
    left_out = LeftOut() if now is None else LeftOut(now)
    prices = parse_entsoe(text, left_out)
    notes = (note for note in left_out.notes() if "doubtful" not in note)
    return [prices.price_at(DAY + n * QUARTER) for n in range(4)], tuple(notes)


def test_points_left_out_repeat_the_one_before_up_to_the_end_of_the_period() -> None:
    assert prices_of(series(period({1: 100, 3: 50}))) == [100, 100, 50, 50]


def test_a_first_point_left_out_stays_missing() -> None:
    prices = parse_entsoe(document(series(period({3: 50}))))
    assert prices.price_at(DAY) is None
    assert prices.price_at(DAY + QUARTER) is None
    assert prices.price_at(DAY + 2 * QUARTER) == 0.05
    assert prices.price_at(DAY + 3 * QUARTER) == 0.05


def test_the_order_of_the_points_does_not_matter_their_position_does() -> None:
    assert prices_of(series(period({4: 4, 1: 1, 3: 3, 2: 2}))) == [1, 2, 3, 4]


def test_curve_a01_must_be_complete() -> None:
    full = period({1: 1, 2: 2, 3: 3, 4: 4})
    assert prices_of(series(full, curve="A01")) == [1, 2, 3, 4]
    holed = document(series(period({1: 1, 2: 2, 4: 4}), curve="A01"))
    found, (note,) = left_of(holed)
    assert found == [0.001, 0.002, None, 0.004]
    assert "points of a Period are missing, and curve type A01 leaves none out" in note
    assert "(2026-02-01T23:30Z to 2026-02-01T23:45Z)" in note


@pytest.mark.parametrize(("resolution", "slots"), [("PT15M", 4), ("PT30M", 2), ("PT60M", 1)])
def test_each_resolution_covers_the_hour(resolution: str, slots: int) -> None:
    prices = parse_entsoe(document(series(period({1: 80}, resolution=resolution))))
    assert len(prices) == slots
    assert prices.slots[-1].end_utc == DAY + timedelta(hours=1)


@pytest.mark.parametrize(
    ("start", "hours", "quarters"),
    [
        (datetime(2026, 3, 28, 23, tzinfo=UTC), 23, 92),
        (datetime(2026, 10, 24, 22, tzinfo=UTC), 25, 100),
    ],
)
def test_days_with_a_clock_change_have_their_own_number_of_quarters(
    start: datetime, hours: int, quarters: int
) -> None:
    points: Points = {position: position for position in range(1, quarters + 1)}
    day = period(points, start=start, length=timedelta(hours=hours))
    prices = parse_entsoe(document(series(day)))
    assert len(prices) == quarters
    for position in (1, 9, 13, quarters):
        assert prices.price_at(start + (position - 1) * QUARTER) == position / 1000


@pytest.mark.parametrize("reverse", [False, True])
def test_the_coupled_auction_counts_whatever_the_order(*, reverse: bool) -> None:
    auctions = [series(period({1: 10}), sequence=1), series(period({1: 20}), sequence=2)]
    assert prices_of(*(reversed(auctions) if reverse else auctions)) == [10] * 4


def test_a_second_auction_serves_where_it_is_the_only_one() -> None:
    tomorrow = DAY + timedelta(hours=1)
    assert (
        prices_of(
            series(period({1: 20}), period({1: 30}, start=tomorrow), sequence=2),
            series(period({1: 10}), sequence=1),
        )
        == [10] * 4 + [30] * 4
    )


def test_a_series_without_an_auction_number_is_used() -> None:
    assert prices_of(series(period({1: 20}), sequence=2), series(period({1: 7}))) == [7] * 4


@pytest.mark.parametrize("reverse", [False, True])
def test_of_two_resolutions_the_finer_is_used_alone(*, reverse: bool) -> None:
    mixed = [
        series(period({1: 99}, resolution="PT60M"), sequence=1),
        series(period({1: 1, 2: 2, 3: 3, 4: 4}), sequence=1),
    ]
    assert prices_of(*(reversed(mixed) if reverse else mixed)) == [1, 2, 3, 4]


def test_hours_and_quarters_may_follow_each_other() -> None:
    later = period({1: 1, 2: 2, 3: 3, 4: 4}, start=DAY + timedelta(hours=1))
    assert prices_of(series(period({1: 99}, resolution="PT60M")), series(later)) == [
        99,
        1,
        2,
        3,
        4,
    ]


def test_of_two_different_prices_of_one_rank_neither_counts_and_equal_ones_are_one() -> None:
    same = series(period({1: 10}))
    assert prices_of(same, same) == [10] * 4
    half = series(period({1: 10}, start=DAY + 2 * QUARTER))
    assert prices_of(same, half) == [10] * 6
    other = series(period({1: 11}, start=DAY + 2 * QUARTER))
    found, (note,) = left_of(document(same, other))
    assert found == [0.01, 0.01, None, None]
    assert "nothing says which counts (2 such, 2026-02-01T23:30Z to 2026-02-02T00:00Z)" in note
    with pytest.raises(PriceDataError, match="nothing says which counts"):
        parse_entsoe(document(same, series(period({1: 11}))))


def test_a_bad_piece_costs_itself_alone_and_is_told() -> None:
    good = period({1: 1, 2: 2, 3: 3, 4: 4})
    later = DAY + timedelta(hours=1)
    broken = period({1: 5, 9: 6}, start=later)
    odd = period({1: 5}, start=later, resolution="P1D")
    for bad, told in ((broken, "position 9 lies outside"), (odd, "resolution 'P1D'")):
        found, (note,) = left_of(document(series(bad, good)))
        assert found == [0.001, 0.002, 0.003, 0.004]
        assert told in note
    for bad, told in (
        (series(good, curve="A02"), "curve type 'A02'"),
        (series(good, unit="KWH"), "per 'KWH'"),
    ):
        found, (note,) = left_of(document(bad, series(good)))
        assert found == [0.001, 0.002, 0.003, 0.004]
        assert told in note


def test_a_price_that_cannot_be_read_is_a_hole_and_repeats_nothing() -> None:
    found, (note,) = left_of(document(series(period({1: 10, 2: "dear", 4: 40}))))
    assert found == [0.01, None, None, 0.04]
    assert "price 'dear' is not a decimal number" in note
    again = period({2: 21})
    twice = period({1: 10, 2: 20}).replace("</Period>", again[again.index("<Point>") :])
    found, (note,) = left_of(document(series(twice)))
    assert found == [0.01, None, None, None]
    assert "position 2 comes twice" in note


def test_what_lies_before_now_is_not_judged() -> None:
    now = DAY + timedelta(hours=24)
    yesterday = [period({1: price}, length=timedelta(hours=24)) for price in (10, 11)]
    today = period({1: 30}, start=now)
    left_out = LeftOut(now)
    prices = parse_entsoe(document(series(*yesterday), series(today)), left_out)
    assert (prices.price_at(DAY), prices.price_at(now)) == (None, 0.03)
    assert (left_out.notes(), left_out.is_partial) == ((), False)


def test_a_period_that_cannot_be_read_is_not_replaced_by_another_auction() -> None:
    broken = series(period({9: 10}), sequence=1)
    early = series(period({1: 99}), period({1: 20}, start=DAY + timedelta(hours=1)), sequence=2)
    prices = parse_entsoe(document(broken, early))
    assert prices.price_at(DAY) is None
    assert prices.price_at(DAY + timedelta(hours=1)) == 0.02


def test_quarter_hours_from_noon_on_leave_the_morning_to_the_hours() -> None:
    hours = period({1: 50}, length=timedelta(hours=24), resolution="PT60M")
    noon = DAY + timedelta(hours=12)
    quarters = period({1: 70}, start=noon, length=timedelta(hours=12))
    prices = parse_entsoe(document(series(hours), series(quarters)))
    assert prices.known_until(DAY) == DAY + timedelta(hours=24)
    assert (prices.price_at(noon - QUARTER), prices.price_at(noon)) == (0.05, 0.07)
    assert len(prices) == 12 + 48


def test_of_several_currencies_the_sites_counts() -> None:
    both = document(series(period({1: 10})), series(period({1: 43}), currency="PLN"))
    assert parse_entsoe(both, currency="PLN").price_at(DAY) == 0.043
    assert parse_entsoe(both, currency="EUR").price_at(DAY) == 0.01
    with pytest.raises(PriceDataError, match="mixes currency"):
        parse_entsoe(both, currency="SEK")


def test_negative_and_zero_prices_are_prices() -> None:
    assert prices_of(series(period({1: -500, 2: 0, 3: -0.01}))) == [-500, 0, -0.01, -0.01]


def test_another_version_of_the_namespace_is_read() -> None:
    assert len(parse_entsoe(document(series(period({1: 1})), version="9:0"))) == 4


def test_intraday_series_are_not_taken_for_day_ahead() -> None:
    intraday = series(period({1: 999}), contract="A07")
    assert prices_of(intraday, series(period({1: 1}))) == [1] * 4
    with pytest.raises(PriceDataError, match="no day-ahead"):
        parse_entsoe(document(intraday))


def test_the_currency_is_read_and_bytes_are_as_good_as_text() -> None:
    text = document(series(period({1: 4000}), currency="CZK"))
    assert parse_entsoe(text.encode()).currency == "CZK"
    assert parse_entsoe(text) == parse_entsoe(text.encode())


ACKNOWLEDGEMENT = (
    '<Acknowledgement_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-1:'
    'acknowledgementdocument:7:0"><Reason><code>999</code><text>No matching data found for\n'
    " A44</text></Reason></Acknowledgement_MarketDocument>"
)
BOMB = '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;">]><a>&c;</a>'
GOOD = period({1: 1})
OTHER = period({1: 2})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is not XML"),
        ("<Publication_MarketDocument>", "is not XML"),
        ("<!DOCTYPE html><html><body>503</body></html>", "web page"),
        ("<html><body>Service unavailable</body></html>", "is a <html>"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "is not XML"),
        (BOMB, "entities"),
        (ACKNOWLEDGEMENT, "No matching data found for A44"),
        (document(), "no day-ahead TimeSeries"),
        (document(series()), "holds no price"),
        (document(series(GOOD)).replace("A44", "A75"), "A75"),
        (document(series(GOOD, unit="KWH")), "only MWH"),
        (document(series(GOOD, currency="euro")), "ISO 4217"),
        (document(series(GOOD), series(GOOD, currency="PLN")), "mixes currency"),
        (document(series(GOOD), series(GOOD, domain="10YAT-APG------L")), "mixes in_Domain"),
        (document(series(GOOD, curve="A02")), "curve type"),
        (document(series(period({1: 1}, resolution="P1D"))), "resolution"),
        (document(series(period({1: 1}, length=timedelta(minutes=50)))), "sensible number"),
        (document(series(period({1: 1}, length=timedelta(0)))), "sensible number"),
        (document(series(period({1: 1}, length=timedelta(days=9000)))), "sensible number"),
        (document(series(period({1: 1}, start=DAY + timedelta(minutes=7)))), "quarter hour"),
        (document(series(period({0: 1}))), "outside"),
        (document(series(period({5: 1}))), "outside"),
        (document(series(GOOD.replace("</Period>", OTHER[OTHER.index("<Point>") :]))), "twice"),
        (document(series(GOOD)).replace("<position>1<", "<position>one<"), "position"),
        (document(series(period({1: 10_001}))), "not within"),
        (document(series(period({1: -1_001}))), "not within"),
        (document(series(period({1: "nan"}))), "decimal"),
        (document(series(period({1: "1e3"}))), "decimal"),
        (document(series(period({1: "9" * 400}))), "not within"),
        (document(series(period({1: ""}))), "no <price.amount>"),
        (document(series(GOOD)).replace("23:00Z", "23:00"), "time zone"),
        (document(series(GOOD)).replace("2026-02-01T23:00Z", "yesterday"), "ISO 8601"),
    ],
)
def test_what_cannot_be_trusted_is_refused_with_its_reason(text: str | bytes, told: str) -> None:
    with pytest.raises(PriceDataError, match=told):
        parse_entsoe(text)


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_no_input_breaks_the_parser(content: str | bytes) -> None:
    with pytest.raises(PriceDataError):
        parse_entsoe(content)


@given(st.data())
def test_a_document_with_a_piece_cut_out_or_changed_never_gives_an_absurd_price(
    data: st.DataObject,
) -> None:
    text = document(series(period({1: 10, 2: 20, 3: -5}), sequence=1))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 30)))
    changed = text[:start] + data.draw(st.text("0123456789.-<>/PTMZ", max_size=6)) + text[end:]
    try:
        prices = parse_entsoe(changed)
    except PriceDataError:
        return
    assert all(-1 <= slot.price_per_kwh <= 10 for slot in prices)


def test_a_recorded_document_gives_two_days_of_the_coupled_auction(shared_data: Path) -> None:
    path = shared_data / "entsoe_DE_LU_2026-02-02.xml"
    prices = parse_entsoe(path.read_bytes())
    assert len(prices) == 192
    assert prices.known_until(DAY) == DAY + timedelta(days=2)
    only_second = path.read_text("utf-8").replace("position>1</class", "position>9</class")
    second = parse_entsoe(only_second)
    assert len(second) == 192  # one of its points is left out in the document
    assert second != prices


@pytest.mark.parametrize(
    "text",
    [
        document(series(GOOD)).replace("A44", "A" * 9000),
        document(series(GOOD, currency="E" * 9000)),
        document(series(GOOD, currency="E" * 9000), series(GOOD, currency="F" * 9000)),
        document(series(GOOD, curve="C" * 9000)),
        document(series(period({1: 1}, resolution="R" * 9000))),
    ],
)
def test_however_long_a_wrong_word_is_it_fills_no_log(text: str) -> None:
    with pytest.raises(PriceDataError) as refused:
        parse_entsoe(text)
    assert len(str(refused.value)) < 500
