"""Measured data: what is read, and what is refused, with line and column."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.errors import DataError, HoldfastError
from holdfast.testing.backtest.data import (
    COLUMNS,
    Gaps,
    SiteData,
    parse_data,
    read_data,
    require_an_hour,
)

HEADER = ",".join(COLUMNS)


def lines(*rows: str, header: str = HEADER) -> list[str]:
    return [header + "\n", *(row + "\n" for row in rows)]


def quarters(count: int, *, minutes: int = 15) -> list[str]:
    start = datetime(2024, 3, 30, 22, tzinfo=UTC)
    times = (start + timedelta(minutes=minutes * index) for index in range(count))
    return [f"{time:%Y-%m-%dT%H:%M:%SZ},0.30,0.08,500,0" for time in times]


def test_reads_columns_in_any_order_and_ignores_others() -> None:
    data = parse_data(
        lines(
            "x,1000,2024-03-01T00:00:00Z,0.3,-0.05,200",
            "y,1100,2024-03-01T00:30:00+00:00,0.2,0.05,0",
            header="note,load_w,time_utc,import_price_per_kwh,export_price_per_kwh,pv_w",
        )
    )
    assert data.step_s == 1800
    first, second = data.rows
    assert (first.load_w, first.pv_w) == (1000.0, 200.0)
    assert (first.import_price_per_kwh, first.export_price_per_kwh) == (0.3, -0.05)
    assert second.start_s - first.start_s == 1800
    assert data.start == datetime(2024, 3, 1, tzinfo=UTC)
    assert data.end == datetime(2024, 3, 1, 1, tzinfo=UTC)


def test_a_forecast_of_the_sun_may_be_there_and_may_have_holes() -> None:
    header = f"{HEADER},pv_forecast_w"
    data = parse_data(
        lines(
            *(f"{row},{w}" for row, w in zip(GOOD, ("1", "", "-3", "4", "5", "6"), strict=True)),
            header=header,
        )
    )
    assert [row.pv_forecast_w for row in data.rows] == [1.0, None, 0.0, 4.0, 5.0, 6.0]
    assert parse_data(lines(*GOOD)).rows[0].pv_forecast_w is None


def test_a_byte_order_mark_and_blank_lines_do_not_matter(tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    file.write_text("\ufeff" + "\n".join([HEADER, "", *quarters(8), ""]), encoding="utf-8")
    assert len(read_data(file).rows) == 8


@pytest.mark.parametrize("minutes", [1, 5, 15, 30, 60])
def test_any_regular_step(minutes: int) -> None:
    data = parse_data(lines(*quarters(24, minutes=minutes)))
    assert data.step_s == minutes * 60
    assert data.days == pytest.approx(24 * minutes / 1440)


def test_a_day_on_which_the_clock_changes_is_like_any_other() -> None:
    """The 31st of March 2024 begins in it: in UTC nothing happens."""
    assert parse_data(lines(*quarters(96))).missing == 0


GOOD = quarters(6)
OFF_STEP = "2024-03-30T22:35:00Z,0.3,0.08,5,0"


def with_row(row: str) -> list[str]:
    """The third row, in line 4, is another."""
    return lines(*GOOD[:2], row, *GOOD[3:])


def with_values(values: str) -> list[str]:
    """The third row has other values."""
    return with_row(f"2024-03-30T22:30:00Z,{values}")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], ["is empty", HEADER]),
        ([HEADER], ["0 rows"]),
        (lines(GOOD[0]), ["1 rows", "at least two"]),
        (lines(header="time_utc,load_w,pv_w"), ["line 1", "import_price_per_kwh"]),
        (lines(header=HEADER.replace(",", ";")), ["separated by commas"]),
        (lines(header=HEADER + ",pv_w"), ["line 1", "pv_w stands 2 times"]),
        (lines(header=f"{HEADER},pv_forecast_w,pv_forecast_w"), ["pv_forecast_w stands 2 times"]),
        (
            lines(*(f"{row},-2e8" for row in GOOD), header=f"{HEADER},pv_forecast_w"),
            ["line 2: pv_forecast_w is -2e+08"],
        ),
        (
            lines(*(f"{row},sunny" for row in GOOD), header=f"{HEADER},pv_forecast_w"),
            ["line 2: pv_forecast_w 'sunny'"],
        ),
        (with_values(",0.08,500,0"), ["line 4: import_price_per_kwh is empty"]),
        (with_values("0.3,NaN,500,0"), ["line 4: export_price_per_kwh is empty"]),
        (with_values("0.3,0.08,500"), ["line 4", "pv_w is empty"]),
        (with_values("0.3,0.08,inf,0"), ["line 4", "load_w 'inf'"]),
        (with_values("0.3,0.08,1_000,0"), ["line 4", "load_w"]),
        (with_values('"0,3",0.08,500,0'), ["line 4", "decimal number"]),
        (with_values("0.3,0.08,-1,0"), ["line 4", "load_w is -1", "negative"]),
        (with_values("0.3,0.08,5,-0.1"), ["line 4", "pv_w", "negative"]),
        (with_values("0.3,0.08,2e8,0"), ["line 4", "load_w"]),
        (with_values("-157,0.08,5,0"), ["line 4", "-157 per kWh is absurd"]),
        (with_values("0.3,10.01,5,0"), ["line 4", "10.01", "--price-max"]),
        (with_row("2024-03-30T22:15:00Z,0.3,0.08,5,0"), ["line 4", "comes twice"]),
        (with_row("2024-03-30T22:01:00Z,0.3,0.08,5,0"), ["line 4", "earlier than the line"]),
        (with_row("2024-03-30T22:30:00,0.3,0.08,5,0"), ["line 4", "no zone", "22:30:00Z"]),
        (with_row("2024-03-30T23:30:00+01:00,0.3,0.08,5,0"), ["line 4", "not UTC"]),
        (with_row("30.03.2024 22:30,0.3,0.08,5,0"), ["line 4", "is no time such as"]),
        (with_row("2024-03-30T22:30:10Z,0.3,0.08,5,0"), ["line 4", "whole minute"]),
        (lines(*GOOD[:2], *GOOD[3:]), ["line 4", "1 rows are missing", "--gaps skip"]),
        (lines(*GOOD[:2], OFF_STEP), ["line 4", "steps must be equal"]),
        (lines(GOOD[0], "2024-03-31T22:00:00Z,0.3,0.08,5,0"), ["step", "from 1 to 60"]),
        (lines("2024-03-30T22:05:00Z,0.3,0.08,5,0", "2024-03-30T22:35:00Z,0.3,0.08,5,0"),
         ["line 2", "off the grid", "22:00:00Z"]),
    ],
)  # fmt: skip
def test_refuses_and_says_where_and_why(content: list[str], said: list[str]) -> None:
    with pytest.raises(DataError) as refused:
        parse_data(content)
    for part in said:
        assert part in str(refused.value)


def test_prices_up_to_the_bound_are_believed() -> None:
    data = parse_data(with_values("10,-10,5,0"))
    assert (data.rows[2].import_price_per_kwh, data.rows[2].export_price_per_kwh) == (10.0, -10.0)
    far = with_values("-157,0.08,5,0")
    assert parse_data(far, price_max_per_kwh=200.0).rows[2].import_price_per_kwh == -157.0


def test_gaps_are_left_out_when_asked_for_and_nothing_is_invented() -> None:
    content = lines(*GOOD[:2], "2024-03-30T22:30:00Z,0.3,nan,500,0", *GOOD[4:])
    data = parse_data(content, gaps=Gaps.SKIP)
    assert data.missing == 2
    assert len(data.rows) == 4
    assert [row.load_w for row in data.rows] == [500.0] * 4


def test_what_is_wrong_is_wrong_also_where_gaps_are_skipped() -> None:
    with pytest.raises(DataError, match="line 4: load_w is -5"):
        parse_data(with_values("0.3,0.08,-5,0"), gaps=Gaps.SKIP)


def test_an_hour_is_enough_and_less_is_not() -> None:
    require_an_hour(parse_data(lines(*quarters(4))))
    with pytest.raises(DataError, match="covers 45 minutes"):
        require_an_hour(parse_data(lines(*quarters(3))))


def test_splits_into_what_was_before_and_what_is_run() -> None:
    data = parse_data(lines(*quarters(96)))
    past, chosen = data.split(data.start + timedelta(hours=2), 0.25)
    assert (len(past.rows), len(chosen.rows)) == (8, 24)
    assert chosen.start == data.start + timedelta(hours=2)
    for start in (data.end, data.end + timedelta(days=1)):
        with pytest.raises(DataError, match="nothing is left"):
            data.split(start, None)


def test_a_hole_counts_where_it_is() -> None:
    data = parse_data(lines(*GOOD[:2], *GOOD[3:]), gaps=Gaps.SKIP)
    assert [part.missing for part in data.split(data.start + timedelta(minutes=45), None)] == [0, 0]
    assert data.split(data.start + timedelta(minutes=15), None)[1].missing == 1


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing\.csv: cannot be read"):
        read_data(tmp_path / "nothing.csv")
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"binary\.csv: cannot be read"):
        read_data(binary)


CELLS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["0.3", "500", "-1", "nan", "inf", "1e400", '"', "2024-03-30T22:30:00Z"]),
)


@settings(max_examples=300)
@given(st.lists(st.lists(CELLS, max_size=7).map(",".join), max_size=6), st.sampled_from(Gaps))
def test_whatever_stands_in_it_it_is_read_or_refused(rows: list[str], gaps: Gaps) -> None:
    try:
        data = parse_data(lines(*GOOD[:2], *rows), gaps=gaps)
    except HoldfastError:
        return
    assert_sound(data)


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_whatever_bytes_a_file_holds_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "fuzz.csv"
    file.write_bytes(HEADER.encode() + b"\n" + content)
    try:
        data = read_data(file)
    except HoldfastError:
        return
    assert_sound(data)


def assert_sound(data: SiteData) -> None:
    starts = [row.start_s for row in data.rows]
    assert all((b - a) % data.step_s == 0 < b - a for a, b in pairwise(starts))
    for row in data.rows:
        assert 0.0 <= row.load_w <= 1e8
        assert 0.0 <= row.pv_w <= 1e8
        assert abs(row.import_price_per_kwh) <= 10.0 >= abs(row.export_price_per_kwh)
