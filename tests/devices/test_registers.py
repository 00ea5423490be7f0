"""Rows of register tables: what they take, and how a number becomes words and back."""

import math
from contextlib import suppress
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from holdfast.core.commands import Point
from holdfast.core.signals import Signal
from holdfast.devices.register_image import NOTHING_SHOWN, WriteRequest
from holdfast.devices.registers import (
    NOT_AVAILABLE,
    RawType,
    Register,
    RegisterRead,
    RegisterWrite,
    check_missing,
    check_unique,
    is_missing,
)

SIGNAL, POINT = Signal.BATTERY_POWER_W, Point.SETPOINT_W


def register(type_="uint16", address=0, **more):
    return Register(address=address, type=type_, **more)


def write(type_="uint16", **more):
    if type_ in {"uint32", "int32", "float32"}:
        more.setdefault("function", "multiple")
    return RegisterWrite(point=POINT, address=0, type=type_, **more)


# What a row takes. ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "last", "count"),
    [
        ("bool", 65535, 1),
        ("uint16", 65535, 1),
        ("int16", 65535, 1),
        ("uint32", 65534, 2),
        ("int32", 65534, 2),
        ("float32", 65534, 2),
    ],
)
def test_a_value_ends_with_the_last_register_at_the_latest(type_, last, count):
    assert register(type_).count == count
    assert register(type_, last).address == last
    with pytest.raises(ValidationError, match=r"ends behind the last register|address"):
        register(type_, last + 1)


@pytest.mark.parametrize("address", [-1, 65536])
def test_an_address_that_the_wire_cannot_carry_is_refused_as_such(address):
    with pytest.raises(ValidationError, match=r"(?m)^address$"):
        register(address=address)


@pytest.mark.parametrize("table", ["coil", "discrete"])
@pytest.mark.parametrize("type_", ["uint16", "int16", "uint32", "int32"])
def test_a_bit_holds_no_number(table, type_):
    assert register("bool", table=table).table == table
    with pytest.raises(ValidationError, match=f"a {table} is a bool, not {type_}"):
        register(type_, table=table)


@pytest.mark.parametrize("table", ["holding", "input"])
@pytest.mark.parametrize("type_", ["uint16", "int16", "uint32", "int32", "bool"])
def test_a_register_holds_numbers_and_bits(table, type_):
    assert register(type_, table=table).type == type_


@pytest.mark.parametrize("scale", [0.0, math.nan, math.inf])
def test_a_scale_that_makes_no_value_is_refused(scale):
    with pytest.raises(ValidationError, match="scale"):
        register(scale=scale)


@pytest.mark.parametrize("table", ["holding", "coil"])
def test_what_can_be_written_is_a_holding_register_or_a_coil(table):
    assert write("bool", table=table).table == table


@pytest.mark.parametrize("table", ["input", "discrete"])
def test_what_can_only_be_read_is_no_point(table):
    with pytest.raises(ValidationError, match=r"(?m)^table$"):
        write("bool", table=table)


@pytest.mark.parametrize("type_", ["uint32", "int32", "float32"])
def test_two_registers_are_written_by_one_request_or_not_at_all(type_):
    assert write(type_, function="multiple").function == "multiple"
    with pytest.raises(ValidationError, match="function must be multiple"):
        write(type_, function="single")


@pytest.mark.parametrize("type_", ["bool", "uint16", "int16"])
@pytest.mark.parametrize("function", ["single", "multiple"])
def test_one_register_is_written_by_either_function(type_, function):
    assert write(type_, function=function).function == function


def test_unless_the_table_says_otherwise_a_row_is_a_single_holding_register_as_it_is():
    read = RegisterRead(signal=SIGNAL, address=7, type="uint16")
    assert (read.table, read.scale, read.words) == ("holding", 1.0, "high_first")
    row = RegisterWrite(point=POINT, address=7, type="uint16")
    assert (row.table, row.scale, row.function) == ("holding", 1.0, "single")
    assert row.readback is None


def test_a_row_cannot_be_changed_and_has_no_unknown_keys():
    row = register()
    with pytest.raises(ValidationError, match="frozen"):
        row.address = 1
    with pytest.raises(ValidationError, match="colour"):
        register(colour="red")


# From words to numbers and back. ----------------------------------------------------------------

CODED = [
    ("uint16", 1.0, [0], 0.0),
    ("uint16", 1.0, [0xFFFE], 65534.0),
    ("uint16", 0.1, [523], 52.3),
    ("uint16", 10.0, [500], 5000.0),
    ("int16", 1.0, [0xFFFF], -1.0),
    ("int16", 1.0, [0x8001], -32767.0),
    ("int16", -1.0, [0xFFFF], 1.0),  # the device's sign turned into ours
    ("int16", 0.1, [0xFF38], -20.0),
    ("uint32", 1.0, [0x0001, 0x0002], 65538.0),  # high word first
    ("uint32", 1.0, [0xFFFF, 0xFFFE], 4294967294.0),
    ("uint32", 0.5, [0x0000, 0x0003], 1.5),
    ("int32", 1.0, [0xFFFF, 0xFFFE], -2.0),
    ("int32", 1.0, [0x8000, 0x0001], -2147483647.0),
    ("float32", 1.0, [0x3FC0, 0x0000], 1.5),
    ("float32", -0.5, [0xC2C8, 0x0000], 50.0),
    ("bool", 1.0, [0], 0.0),
    ("bool", 1.0, [1], 1.0),
]


@pytest.mark.parametrize(("type_", "scale", "words", "value"), CODED)
def test_a_value_is_raw_times_scale_and_high_word_first(type_, scale, words, value):
    rows = (
        register(type_, scale=scale),
        RegisterRead(signal=SIGNAL, address=0, type=type_, scale=scale),
        write(type_, scale=scale),
    )
    for row in rows:
        assert row.decode(words) == pytest.approx(value, abs=1e-9)
        assert row.encode(value) == words


# (type, words): no value, as most devices tell it.
NO_VALUE = [
    ("uint16", [0xFFFF]),
    ("int16", [0x8000]),
    ("uint32", [0xFFFF, 0xFFFF]),
    ("int32", [0x8000, 0x0000]),
]


def read(type_, signal=SIGNAL, **more):
    return RegisterRead(signal=signal, address=0, type=type_, **more)


def words_of(type_, raw):
    return register(type_).encode(raw)


@pytest.mark.parametrize(("type_", "words"), NO_VALUE)
def test_what_is_not_available_is_no_number(type_, words):
    assert math.isnan(read(type_).decode(words))
    assert math.isnan(read(type_, scale=0.1).decode(words))


@pytest.mark.parametrize(("type_", "words"), NO_VALUE)
def test_what_is_written_is_a_number_whatever_it_is(type_, words):
    assert write(type_).decode(words) == register(type_).decode(words)
    assert not math.isnan(write(type_).decode(words))


def test_a_bit_always_has_a_value():
    assert [read("bool").decode([word]) for word in (0, 1, 0x8000, 0xFFFF)] == [0.0, 1.0, 1.0, 1.0]


def test_each_type_has_its_usual_numbers_for_no_value():
    assert {"uint8", "int8", *get_args(RawType)} == NOT_AVAILABLE.keys()


@pytest.mark.parametrize(("type_", "lowest", "missing"), [("uint8", 0, 0xFF), ("int8", -128, 0x80)])
def test_of_a_byte_all_ones_or_the_lowest_number_is_no_value(type_, lowest, missing):
    usual = NOT_AVAILABLE[type_]
    assert [raw for raw in range(256) if is_missing(raw, type_, usual)] == [missing]
    assert is_missing(-128, type_, usual) is (type_ == "int8")
    check_missing(type_, [lowest, 0xFF])
    for number in (lowest - 1, 0x100):
        with pytest.raises(ValueError, match=f"{number} is no {type_}: those are {lowest} to 255"):
            check_missing(type_, [number])


@pytest.mark.parametrize(
    ("type_", "own", "raw"),
    [
        ("uint16", 0x7FFF, 0x7FFF),
        ("uint16", 0, 0),
        ("int16", 0x7FFF, 0x7FFF),
        ("int16", -1, -1),
        ("int16", 0xFFFF, -1),  # as bits
        ("int16", 0x8000, -0x8000),
        ("int16", -0x8000, -0x8000),
        ("uint32", 0x8000_0000, 0x8000_0000),
        ("int32", 0x7FFF_FFFF, 0x7FFF_FFFF),
        ("int32", 0xFFFF_FFFF, -1),
        ("int32", -0x8000_0000, -0x8000_0000),
    ],
)
def test_a_table_names_numbers_of_its_own_for_no_value_by_sign_or_bits(type_, own, raw):
    row = read(type_, not_available=[own, 77])
    for no_value in (raw, 77):
        assert math.isnan(row.decode(words_of(type_, no_value)))
    for value in {raw + 1, raw - 1, 78}:
        with suppress(ValueError):
            assert row.decode(words_of(type_, value)) == value


@pytest.mark.parametrize(("type_", "words"), NO_VALUE)
def test_a_table_that_names_others_or_none_takes_the_usual_ones_for_values(type_, words):
    value = register(type_).decode(words)
    assert read(type_, not_available=[7]).decode(words) == value
    assert read(type_, not_available=[]).decode(words) == value


@pytest.mark.parametrize(
    ("type_", "low", "high"),
    [
        ("bool", 0, 1),
        ("uint16", 0, 0xFFFF),
        ("int16", -0x8000, 0xFFFF),
        ("uint32", 0, 0xFFFF_FFFF),
        ("int32", -0x8000_0000, 0xFFFF_FFFF),
    ],
)
def test_a_number_for_no_value_that_is_never_read_is_refused(type_, low, high):
    assert read(type_, not_available=[low, high]).not_available == (low, high)
    for number in (low - 1, high + 1):
        text = f"not_available {number} is no {type_}: those are {low} to {high}"
        with pytest.raises(ValidationError, match=text):
            read(type_, not_available=[0, number])


@pytest.mark.parametrize(("type_", "words"), [("uint32", [0xFFFF, 0xFFFF]), ("uint16", [0xFFFF])])
def test_all_ones_are_some_devices_word_for_no_limit_of_the_export(type_, words):
    signal = Signal.EXPORT_LIMIT_READBACK_W
    assert read(type_, signal=signal).decode(words) == register(type_).decode(words)
    last = register(type_).decode(words)
    assert math.isnan(read(type_, signal=signal, not_available=[last]).decode(words))


@pytest.mark.parametrize("word", [1, 2, 0x8000, 0xFFFF])
def test_a_bool_in_a_register_is_true_unless_it_is_zero(word):
    assert register("bool").decode([word]) == 1.0


OUTSIDE = [
    ("uint16", -1.0, 65536.0),
    ("int16", -32769.0, 32768.0),
    ("uint32", -1.0, 4294967296.0),
    ("int32", -2147483649.0, 2147483648.0),
    ("bool", -1.0, 2.0),
    ("bool", 0.5, 1.5),
]


@pytest.mark.parametrize(("type_", "below", "above"), OUTSIDE)
def test_a_value_that_does_not_fit_is_refused_and_not_cut(type_, below, above):
    for row in (register(type_), write(type_)):
        for value in (below, above):
            with pytest.raises(ValueError, match=r"does not fit|neither 0 nor 1"):
                row.encode(value)


@pytest.mark.parametrize("type_", ["uint16", "int16", "uint32", "int32", "bool"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused(type_, value):
    for row in (register(type_), write(type_)):
        with pytest.raises(ValueError, match="cannot be written"):
            row.encode(value)


@pytest.mark.parametrize(
    ("value", "nearest", "towards_zero"),
    [
        (2.0, 20, 20),
        (2.04, 20, 20),
        (2.06, 21, 20),
        (2.0999, 21, 20),
        (-2.06, -21, -20),
        (-2.04, -20, -20),
        (0.3, 3, 3),  # 0.3 / 0.1 is a hair below 3
        (-0.3, -3, -3),
    ],
)
def test_a_point_is_rounded_towards_zero_and_never_holds_more_than_was_permitted(
    value, nearest, towards_zero
):
    signed = register("int16")
    assert register("int16", scale=0.1).encode(value) == signed.encode(nearest)
    assert write("int16", scale=0.1).encode(value) == signed.encode(towards_zero)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_an_error_of_computing_up_to_one_in_a_trillion_is_no_reason_to_round_down(sign):
    row, signed = write("int16"), register("int16")
    assert row.encode(sign * 1000.0 * (1.0 - 0.95e-12)) == signed.encode(sign * 1000.0)
    assert row.encode(sign * 1000.0 * (1.0 - 1.05e-12)) == signed.encode(sign * 999.0)


# Names. -----------------------------------------------------------------------------------------


def test_names_that_are_listed_twice_are_named_in_order_and_others_are_not():
    check_unique("signal", ["b", "a", "c"])
    check_unique("signal", [])
    with pytest.raises(ValueError, match=r"^signal listed twice: a, b, c, d, e, f, g, h$"):
        check_unique("signal", [*"xhgfedcba", *"abcdefgh", "a"])


# The order of words, and numbers with a point. ----------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "words", "value"),
    [
        ("uint32", [0x0002, 0x0001], 65538.0),
        ("int32", [0xFFFE, 0xFFFF], -2.0),
        ("float32", [0x0000, 0x3FC0], 1.5),
    ],
)
def test_a_device_may_send_the_low_word_first(type_, words, value):
    more = {"words": "low_first"}
    read = RegisterRead(signal=SIGNAL, address=0, type=type_, **more)
    for row in (register(type_, **more), read, write(type_, **more)):
        assert row.decode(words) == value
        assert row.encode(value) == words


@pytest.mark.parametrize("type_", ["uint16", "int16", "bool"])
def test_one_word_has_no_order(type_):
    with pytest.raises(ValidationError, match="has one word: there is no order of words"):
        register(type_, words="low_first")
    assert register(type_, words="high_first").count == 1


def test_what_is_no_number_in_a_float_is_not_available():
    read = RegisterRead(signal=SIGNAL, address=0, type="float32")
    assert math.isnan(read.decode([0x7FC0, 0x0000]))
    assert read.decode([0xFF80, 0x0000]) == -math.inf
    with pytest.raises(ValidationError, match="is not available in a float32 anyway"):
        RegisterRead(signal=SIGNAL, address=0, type="float32", not_available=[0])
    assert RegisterRead(signal=SIGNAL, address=0, type="float32", not_available=[]).count == 2


@pytest.mark.parametrize(("type_", "resolution"), [("float32", 0.0), ("int32", 0.1)])
def test_a_float_has_no_steps(type_, resolution):
    assert register(type_, scale=-0.1).resolution == resolution


@given(value=st.floats(-1e30, 1e30))
def test_a_float_is_written_towards_zero_and_read_as_near_as_can_be(value):
    read, written = register("float32"), write("float32")
    kept = written.decode(written.encode(value))
    assert abs(kept) <= abs(value)
    assert abs(kept - value) <= abs(value) * 2.0**-23 + 1e-44
    assert abs(read.decode(read.encode(value)) - value) <= abs(value) * 2.0**-24 + 1e-44


@pytest.mark.parametrize("value", [1e39, -1e39])
def test_a_float_that_is_too_large_is_refused(value):
    for row in (register("float32"), write("float32")):
        with pytest.raises(ValueError, match="does not fit float32"):
            row.encode(value)


def test_what_is_told_from_another_zero_is_added_to_after_scaling():
    row = RegisterRead(signal=SIGNAL, address=0, type="uint16", scale=0.1, plus=-100.0)
    assert row.decode([1250]) == pytest.approx(25.0)
    assert row.encode(25.0) == [1250]
    assert math.isnan(row.decode([0xFFFF]))


@pytest.mark.parametrize(
    ("said", "ones", "zeros"),
    [
        ({"equals": [3, 5]}, [3, 5], [0, 1, 2, 4, 0xFFFE]),
        ({"equals": [0]}, [0], [1, 3]),
        ({"mask": 0x0006}, [2, 4, 6, 0xFFF7], [0, 1, 8, 0xFFF9]),
    ],
)
def test_a_flag_is_one_while_its_register_shows_what_it_stands_for(said, ones, zeros):
    row = RegisterRead(signal=Signal.INVERTER_FAULT, address=0, type="uint16", **said)
    assert {row.decode([word]) for word in ones} == {1.0}
    assert {row.decode([word]) for word in zeros} == {0.0}
    assert math.isnan(row.decode([0xFFFF]))


@pytest.mark.parametrize(
    "more",
    [
        {"plus": 1.0},
        {"scale": 0.1},
        {"also": [{"address": 1, "type": "uint16"}]},
        {"per": {"address": 1, "type": "uint16"}},
    ],
)
@pytest.mark.parametrize("flag", [{"equals": [3]}, {"mask": 1}])
def test_a_flag_has_no_other_number_to_it(flag, more):
    row = {"signal": SIGNAL, "address": 0, "type": "uint16"}
    assert RegisterRead.model_validate(row | flag).parts
    assert RegisterRead.model_validate(row | more).parts
    with pytest.raises(ValidationError, match=f"{next(iter(flag))} makes a flag of it"):
        RegisterRead.model_validate(row | flag | more)


def test_a_flag_is_told_in_one_way():
    with pytest.raises(ValidationError, match="equals makes a flag of it"):
        RegisterRead(signal=SIGNAL, address=0, type="uint16", equals=[3], mask=1)


READ = {"signal": SIGNAL, "address": 0, "type": "uint16"}
WRITE = {"point": POINT, "address": 0, "type": "uint16"}


@pytest.mark.parametrize(
    ("row", "content", "key", "fitting", "beyond"),
    [
        (RegisterRead, READ, "mask", [1, 0xFFFF_FFFF], [0, 0x1_0000_0000]),
        (RegisterRead, READ, "equals", [[0]], [[]]),
        (RegisterRead, READ, "device_id", [0, 255], [-1, 256]),
        (RegisterWrite, WRITE, "writes_per_day", [1], [0]),
        (RegisterWrite, WRITE, "refresh_s", [0.5, 60], [0, 60.5]),
        (RegisterWrite, WRITE, "step", [0, 0.5], [-0.5, math.inf]),
    ],
)
def test_a_row_says_what_it_may_and_nothing_beyond(row, content, key, fitting, beyond):
    for value in fitting:
        row.model_validate({**content, key: value})
    for value in beyond:
        with pytest.raises(ValidationError, match=rf"(?m)^{key}"):
            row.model_validate({**content, key: value})


def test_a_value_is_the_sum_of_its_parts_or_a_share_of_another():
    part = {"address": 1, "type": "uint16"}
    image = {(None, "holding", 0): 12, (None, "holding", 1): 4}
    both = RegisterRead.model_validate({**READ, "also": [{**part, "scale": -1}]})
    share = RegisterRead.model_validate({**READ, "per": part})
    assert (both.value(image), share.value(image)) == (8.0, 3.0)
    assert both.runs == share.runs == tuple((place,) for place in image)
    assert math.isnan(share.value({**image, (None, "holding", 1): 0}))
    for row in (both, share):
        assert math.isnan(row.value({**image, (None, "holding", 1): 0xFFFF}))
        with pytest.raises(KeyError):
            row.value({(None, "holding", 0): 12})


def test_what_a_device_keeps_is_what_its_register_holds():
    row = RegisterWrite(point=Point.EXPORT_LIMIT_W, address=0, type="uint16", scale=10)
    assert row.kept(129.0) == 120.0
    assert row.kept(0.0) == 0.0
    with pytest.raises(ValueError, match="does not fit"):
        row.kept(-10.0)


def test_a_point_is_written_by_one_request():
    row = RegisterWrite(
        point=POINT, address=7, type="int32", scale=10, function="multiple", device_id=3
    )
    assert row.requests(-655_360.0, NOTHING_SHOWN) == (
        WriteRequest(
            device_id=3, table="holding", address=7, words=(0xFFFF, 0), function="multiple"
        ),
    )


def test_a_device_keeps_what_it_is_told_unless_its_table_names_a_step():
    row = RegisterWrite(point=Point.SETPOINT_W, address=0, type="int16")
    assert (row.step, row.writes_per_day) == (0.0, None)
