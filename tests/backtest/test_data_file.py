"""Measured data: what is read, and what is refused, with line and column."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.backtest.columns import COLUMNS, columns_of
from holdfast.backtest.data import SiteData, require_an_hour
from holdfast.backtest.data_file import Gaps, parse_data, read_data
from holdfast.core.errors import ConfigError, DataError, HoldfastError

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
        (lines(header=HEADER.replace(",", "|")), ["is missing", "There are: time_utc|"]),
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
    with pytest.raises(DataError, match=r"binary\.csv: is not in UTF-8"):
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


def hours(*values: str, header: str = HEADER, separator: str = ",") -> list[str]:
    """A row an hour; ``values`` are those behind the time."""
    start = datetime(2024, 3, 1, tzinfo=UTC)
    times = (start + timedelta(hours=index) for index in range(len(values)))
    rows = (
        f"{time:%Y-%m-%dT%H:%M:%SZ}{separator}{value}"
        for time, value in zip(times, values, strict=True)
    )
    return lines(*rows, header=header)


def test_german_excel_separates_by_semicolons_and_writes_a_comma_for_the_point() -> None:
    header = HEADER.replace(",", ";")
    data = parse_data(
        hours("0,31;0,08;402,5;0", "0.29;-0,01;1.5e3;7", header=header, separator=";")
    )
    assert [row.import_price_per_kwh for row in data.rows] == [0.31, 0.29]
    assert [row.export_price_per_kwh for row in data.rows] == [0.08, -0.01]
    assert [row.load_w for row in data.rows] == [402.5, 1500.0]


def test_a_number_with_point_and_comma_is_not_guessed() -> None:
    header = HEADER.replace(",", ";")
    with pytest.raises(DataError, match=r"load_w '1\.402,5' is no decimal number"):
        parse_data(hours("0,31;0,08;1.402,5;0", "0,31;0,08;1;0", header=header, separator=";"))


def test_where_commas_separate_none_is_a_decimal_point() -> None:
    with pytest.raises(DataError, match=r"load_w '402,5' is no decimal number"):
        parse_data(hours('0.31,0.08,"402,5",0', "0.31,0.08,400,0"))


def test_tabs_separate_too() -> None:
    header = HEADER.replace(",", "\t")
    values = "0.31\t0.08\t402\t0"
    assert parse_data(hours(values, values, header=header, separator="\t")).rows[1].load_w == 402


def test_columns_have_their_own_names_and_units() -> None:
    columns = columns_of(
        ["time_utc=Zeit", "import_price_per_kwh=Preis:ct", "export_price_per_kwh=Boerse:per_MWh",
         "load_w=P:Haus:kW", "pv_w=PV:Wh", "pv_forecast_w=Prognose:kWh"]
    )  # fmt: skip
    header = "Zeit,Preis,Boerse,P:Haus,PV,Prognose"
    data = parse_data(hours("31,80,0.402,1200,1.3", "29,-5,0.6,0,", header=header), columns=columns)
    first, second = data.rows
    assert first.import_price_per_kwh == pytest.approx(0.31)
    assert first.export_price_per_kwh == pytest.approx(0.08)
    assert (first.load_w, second.load_w) == (pytest.approx(402), pytest.approx(600))
    assert first.pv_w == pytest.approx(1200)
    assert (first.pv_forecast_w, second.pv_forecast_w) == (pytest.approx(1300), None)


def test_energies_are_of_the_step_of_the_file() -> None:
    rows = [row.replace("500,0", "0.1,0.5") for row in quarters(4)]
    columns = columns_of(["load_w=load_w:kWh", "pv_w=pv_w:kWh"])
    data = parse_data(lines(*rows), columns=columns)
    assert [row.load_w for row in data.rows] == pytest.approx([400] * 4)
    assert [row.pv_w for row in data.rows] == pytest.approx([2000] * 4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("load_w", "write QUANTITY=NAME"),
        ("load=P", "quantities are time_utc, import_price_per_kwh"),
        ("load_w=", "write QUANTITY=NAME"),
        ("load_w=P:MW", "'MW' is no unit of load_w; there are: W, kW, Wh, kWh"),
        ("import_price_per_kwh=P:kWh", "there are: per_kWh, ct, per_MWh"),
        ("time_utc=T:s", "is no unit of time_utc; there are: none"),
    ],
)
def test_a_column_that_cannot_be_is_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        columns_of([text])
    assert str(refused.value).startswith(f"--column {text}: ")
    assert said in str(refused.value)


def test_a_missing_column_is_told_with_those_that_are_there_and_the_way_on() -> None:
    with pytest.raises(DataError) as refused:
        parse_data(hours("1", "2", header="Zeit,P_Load"))
    assert "There are: Zeit, P_Load." in str(refused.value)
    assert "--column load_w=NAME" in str(refused.value)
    with pytest.raises(DataError, match="line 1: column Last is missing"):
        parse_data(hours("0.3,0.1,400,0", "0.3,0.1,400,0"), columns=columns_of(["load_w=Last"]))


def test_a_load_in_kwh_or_kw_is_asked_for() -> None:
    rows = hours(*["0.30,0.08,0.402,0"] * 24)
    with pytest.raises(
        DataError, match=r"load_w is 0\.4 W on average: is that kWh of each row, or"
    ):
        parse_data(rows)
    for unit in ("kWh", "kW"):
        data = parse_data(rows, columns=columns_of([f"load_w=load_w:{unit}"]))
        assert data.rows[0].load_w == pytest.approx(402)
    data = parse_data(rows, columns=columns_of(["load_w=load_w:W"]))
    assert data.rows[0].load_w == 0.402, "who says so is believed"


def test_pv_in_kwh_is_asked_for_once_there_is_a_day_of_it() -> None:
    sun = [f"0.30,0.08,400,{max(0, 7 - abs(hour - 12))}" for hour in range(24)]
    with pytest.raises(DataError, match=r"pv_w is 7 W at most: .* --column pv_w=pv_w:kWh"):
        parse_data(hours(*sun))
    assert parse_data(hours(*sun[:8])).rows[7].pv_w == 2, "a dawn alone may be weak"
    assert parse_data(hours(*sun), columns=columns_of(["pv_w=pv_w:W"])).rows


def test_no_load_and_no_pv_at_all_are_believed() -> None:
    assert len(parse_data(hours(*["0.30,0.08,0,0"] * 24)).rows) == 24


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04\x14\x00", "is a workbook of Excel or the like; save it as CSV UTF-8"),
        ("Straße".encode("latin-1"), "is not in UTF-8, as byte 4 shows; in Excel, save it as CSV"),
        (HEADER.encode("utf-16"), "is not in UTF-8"),
    ],
)
def test_what_excel_writes_is_told_how_to_save_it(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(content)
    with pytest.raises(DataError) as refused:
        read_data(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert said in str(refused.value)
