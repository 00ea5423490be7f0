"""What is packed comes back rounded; gaps stay gaps; what is damaged is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.monitoring.history.value_codec import Floats, decode, encode

_values = st.floats(-1e9, 1e9) | st.just(float("nan"))


@st.composite
def tables(draw: st.DrawFn) -> tuple[Floats, np.ndarray]:
    rows, columns = draw(st.integers(1, 4)), draw(st.integers(1, 70))
    values = draw(st.lists(_values, min_size=rows * columns, max_size=rows * columns))
    decimals = draw(st.lists(st.integers(0, 4), min_size=rows, max_size=rows))
    return np.array(values).reshape(rows, columns), np.array(decimals, np.int8)


@given(tables())
def test_what_is_packed_comes_back(table: tuple[Floats, np.ndarray]) -> None:
    values, decimals = table
    found = decode(encode(values, decimals))
    np.testing.assert_array_equal(np.isnan(found), np.isnan(values))
    half = 0.5000001 * 10.0 ** -decimals.astype(float)[:, None]
    known = ~np.isnan(values)
    assert (np.abs(found - values) <= half + np.abs(values) * 1e-15)[known].all()


def test_what_is_no_number_or_beyond_all_measure_is_a_gap() -> None:
    values = np.array([[1.0, np.inf, -np.inf, 1e300, np.nan, 2.0]])
    found = decode(encode(values, np.array([2], np.int8)))
    np.testing.assert_array_equal(found, [[1.0, np.nan, np.nan, np.nan, np.nan, 2.0]])


def test_an_hour_that_stands_still_takes_next_to_nothing() -> None:
    assert len(encode(np.full((1, 3600), 52.8), np.array([2], np.int8))) < 64


def test_an_hour_of_a_noisy_power_takes_a_byte_a_second() -> None:
    noisy = 2000.0 + np.random.default_rng(1).normal(0.0, 10.0, (1, 3600))
    assert len(encode(noisy, np.array([0], np.int8))) < 3600


@pytest.mark.parametrize("shape", [(1, 0), (0, 1), (1, 70_000), (70_000, 1)])
def test_a_table_that_cannot_be_packed_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="cannot be packed"):
        encode(np.zeros(shape), np.zeros(shape[0], np.int8))


@given(st.binary(max_size=200))
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="is no"):
        decode(content)


@given(tables(), st.data())
def test_a_block_that_was_cut_is_refused(
    table: tuple[Floats, np.ndarray], data: st.DataObject
) -> None:
    content = encode(*table)
    with pytest.raises(ValueError, match="is no whole block"):
        decode(content[: data.draw(st.integers(0, len(content) - 1))])
