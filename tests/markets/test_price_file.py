"""Files that somebody else keeps up to date: XML or CSV, read again when they change."""

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import PriceDataError
from holdfast.markets.price_file import PriceFiles, read_price_file
from holdfast.markets.prices import Direction
from holdfast.markets.sources.csv_prices import parse_csv
from tests.markets.builders import HOUR, NOW, source
from tests.markets.sources.test_entsoe import DAY as XML_DAY
from tests.markets.sources.test_entsoe import document, period, series

BUY, SELL = Direction.PURCHASE, Direction.FEED_IN
XML = document(series(period({1: 100, 2: 200, 3: 300, 4: 400})))


def rows(text: str, direction: Direction = BUY) -> list[float]:
    return [slot.price_per_kwh for slot in parse_csv(text.encode(), direction, "EUR").prices]


def test_one_column_is_for_both_directions() -> None:
    text = "time_utc,price_per_kwh\n2026-05-08T10:00,0.1\n2026-05-08T11:00,-0.2\n"
    assert rows(text, BUY) == rows(text, SELL) == [0.1, -0.2]
    prices = parse_csv(text.encode(), BUY, "SEK").prices
    assert prices.currency == "SEK"
    assert prices.price_at(NOW) == 0.1
    assert prices.known_until(NOW) == NOW + 2 * HOUR


def test_two_columns_are_one_for_each_direction() -> None:
    text = (
        "\ufeffnote, time_utc, export_price_per_kwh, import_price_per_kwh\r\n"
        "x,2026-05-08T12:15:00+02:00,0.05,0.31\r\n"
        "y,2026-05-08 10:00Z,0.04,0.30\r\n"
    )
    assert rows(text, BUY) == [0.30, 0.31]
    assert rows(text, SELL) == [0.04, 0.05]


def test_an_empty_price_is_a_hole() -> None:
    text = "time_utc,price_per_kwh\n2026-05-08T10:00,1\n2026-05-08T11:00,\n2026-05-08T12:00,.3\n"
    text += "2026-05-08T13:00,.4\n"
    prices = parse_csv(text.encode(), BUY, "EUR").prices
    assert [slot.price_per_kwh for slot in prices] == [1.0, 0.3, 0.4]
    assert prices.known_until(NOW) == NOW + HOUR


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "first line needs time_utc"),
        ("time_utc\n", "first line needs time_utc and import_price_per_kwh or price_per_kwh"),
        ("time,price_per_kwh\n", "first line needs time_utc"),
        ("time_utc,export_price_per_kwh\n2026-05-08T10:00,1\n", "import_price_per_kwh"),
        ("time_utc,price_per_kwh\n", "holds no price"),
        ("time_utc,price_per_kwh\n2026-05-08T10:00,0,1\n2026-05-08T25:00,1\n", "line 3: '2026"),
        ("time_utc,price_per_kwh\n2026-05-08T10:00,0.1 ct\n", "line 2: '0.1 ct' is no price"),
        ("time_utc,price_per_kwh\n2026-05-08T10:00,nan\n", "line 2: 'nan' is no price"),
        ("time_utc,price_per_kwh\n,0.1\n", "line 2: '' is no time"),
        ('time_utc,price_per_kwh\n"2026', "is not CSV"),
        ("time_utc,price_per_kwh\n2026-05-08T10:00,99\n2026-05-08T11:00,1\n", "not within"),
        ("time_utc,price_per_kwh\n2026-05-08T10:00,1\n2026-05-08T10:00,2\n", "one price alone"),
        ("time_utc,price_per_kwh\n9999-12-31T23:45,1\n9999-12-31T23:30,2\n", "is no time"),
    ],
)
def test_what_is_wrong_in_a_csv_is_named(text: str, told: str) -> None:
    with pytest.raises(PriceDataError, match=told):
        rows(text)


@given(st.binary(max_size=200), st.sampled_from(Direction))
def test_no_file_breaks_the_reader(content: bytes, direction: Direction) -> None:
    for start in (b"", b"time_utc,price_per_kwh\n"):
        with contextlib.suppress(PriceDataError):
            assert parse_csv(start + content, direction, "EUR").prices


def test_the_name_of_a_file_says_what_it_is_and_errors_name_it(tmp_path: Path) -> None:
    xml, table = tmp_path / "prices.xml", tmp_path / "prices.CSV"
    with pytest.raises(PriceDataError, match=r"prices\.xml: cannot be read"):
        read_price_file(xml, BUY, "EUR")
    xml.write_text("<html/>", encoding="utf-8")
    with pytest.raises(PriceDataError, match=r"prices\.xml: is a <html>"):
        read_price_file(xml, BUY, "EUR")
    xml.write_text(XML, encoding="utf-8")
    assert len(read_price_file(xml, BUY, "EUR").prices) == 4
    table.write_text("time,price\n", encoding="utf-8")
    with pytest.raises(PriceDataError, match=r"prices\.CSV: its first line"):
        read_price_file(table, BUY, "EUR")


def test_a_line_that_cannot_be_read_costs_itself_alone() -> None:
    lines = [f"2026-05-08T{hour:02}:00,0.{hour}" for hour in range(10, 20)]
    lines[3] = "2026-05-08T13:00,n/a"
    lines[4] = "yesterday,0.1"
    answer = parse_csv("\n".join(["time_utc,price_per_kwh", *lines]).encode(), BUY, "EUR")
    assert len(answer.prices) == 8
    assert answer.prices.price_at(NOW + 3 * HOUR) is None
    (note,) = answer.notes
    assert note == "left out: line 5: 'n/a' is no price (2 such)"


def test_semicolons_may_separate_columns_and_a_comma_decimals() -> None:
    text = "time_utc;price_per_kwh\n2026-05-08T10:00;0,12\n2026-05-08T11:00;-0,2\n"
    assert rows(text) == [0.12, -0.2]


def test_hours_may_follow_quarter_hours() -> None:
    quarters = [f"2026-05-08T{n // 4:02}:{n % 4 * 15:02},0.1" for n in range(40)]
    hours = [f"2026-05-08T{hour}:00,0.2" for hour in range(10, 24)]
    text = "\n".join(["time_utc,price_per_kwh", *quarters, *hours])
    prices = parse_csv(text.encode(), BUY, "EUR").prices
    assert prices.known_until(NOW - HOUR) == NOW + 14 * HOUR


def test_what_is_left_out_of_a_file_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "prices.csv"
    text = "time_utc,price_per_kwh\n2026-05-08T10:00,0.1\n2026-05-08T11:00,0.1\n"
    path.write_text(text, "utf-8")
    files, one = PriceFiles("EUR"), source("file", path=str(path))
    files.read(one, BUY)
    assert files.notes() == {}
    for again in range(3):
        _write(path, text + "2026-05-08T12:00,dear\n" + again * "\n")
        files.read(one, BUY)
    assert files.notes() == {str(path): ("left out: line 4: 'dear' is no price",)}
    assert caplog.text.count("is no price") == 1
    _write(path, text)
    files.read(one, BUY)
    assert files.notes() == {}


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "prices.xml"
    with path.open("wb") as file:
        file.truncate(50_000_001)
    with pytest.raises(PriceDataError, match="larger than 50 MB"):
        read_price_file(path, BUY, "EUR")


def test_a_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "prices.xml"
    files, one = PriceFiles("EUR"), source("file", path=str(path))
    with pytest.raises(PriceDataError, match="cannot be read"):
        files.read(one, BUY)
    path.write_text(XML, encoding="utf-8")
    first = files.read(one, BUY)
    assert first.price_at(XML_DAY) == 0.1
    assert files.read(one, BUY) is first
    _write(path, XML.replace(">100<", ">150<"))
    assert files.read(one, BUY).price_at(XML_DAY) == 0.15


@pytest.mark.parametrize("content", ["", "<html/>", XML[:200]])
def test_a_file_that_breaks_leaves_the_old_prices(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "prices.xml"
    files, one = PriceFiles("EUR"), source("file", path=str(path))
    path.write_text(XML, encoding="utf-8")
    first = files.read(one, BUY)
    _write(path, content)
    assert files.read(one, BUY) is first
    assert files.read(one, BUY) is first
    assert caplog.text.count("the old ones stay") == 1
    path.unlink()
    assert files.read(one, BUY) is first


def test_each_direction_has_its_own_column(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    text = "time_utc,import_price_per_kwh,export_price_per_kwh\n"
    path.write_text(text + "2026-05-08T10:00,0.3,0.1\n2026-05-08T11:00,0.3,0.1\n", "utf-8")
    files, one = PriceFiles("EUR"), source("file", path=str(path))
    assert files.read(one, BUY).price_at(NOW) == 0.3
    assert files.read(one, SELL).price_at(NOW) == 0.1


def _write(path: Path, content: str) -> None:
    """As an editor does; a file system's clock may be too coarse to tell two writes apart."""
    changed_ns = path.stat().st_mtime_ns
    path.write_text(content, encoding="utf-8")
    os.utime(path, ns=(changed_ns + 1_000_000, changed_ns + 1_000_000))
