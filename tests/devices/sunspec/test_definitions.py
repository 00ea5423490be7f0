"""Model definitions, against the offsets that the SunSpec Alliance's own library has."""

import itertools
import math
import struct

import pytest
import sunspec2.device as theirs
from sunspec2 import mb, mdef

from holdfast.core.errors import ConfigError
from holdfast.devices.registers import Part
from holdfast.devices.sunspec.definitions import RAW_TYPES, PointDefinition, parse_model
from holdfast.devices.sunspec.model_files import load_models

MODELS = (
    1, 101, 102, 103, 111, 112, 113, 120, 121, 122, 123, 124, 160, 201, 202, 203, 204,
    701, 702, 703, 704, 713, 714, 715, 802,
)  # fmt: skip


def model(number):
    return load_models([number])[number]


def flat(group, prefix=""):
    """Points of a model of theirs, by our names, with their offsets."""
    for name, point in group.points.items():
        yield prefix + name, point
    for name, members in group.groups.items():
        if isinstance(members, list):
            for index, member in enumerate(members, 1):
                yield from flat(member, f"{prefix}{name}[{index}].")
        else:
            yield from flat(members, f"{prefix}{name}.")


def three_groups(definition):
    """A model of which every repeated group comes three times, as it is on the wire."""
    size = definition.size + 3 * sum(group.size for group in definition.groups.values())
    words = [definition.id, size - 2, *[0] * (size - 2)]
    for name in ("N", "NPrt"):
        if definition.find(name) is not None:
            words[definition.find(name).offset] = 3
    return {"model_len": size - 2, "data": struct.pack(f">{size}H", *words)}


@pytest.mark.parametrize("number", MODELS)
def test_every_point_is_where_their_library_has_it(number):
    ours = model(number)
    content = theirs.Model(number, **three_groups(ours))
    found = dict(flat(content))
    assert len(found) > 3
    for name, point in found.items():
        own = ours.find(name)
        assert own is not None, name
        assert (own.offset, own.size) == (point.offset, point.len), name
        assert own.type == point.pdef[mdef.TYPE], name


def test_a_group_that_comes_several_times_is_counted_from_one():
    mppt = model(160)
    one, four = mppt.find("module[1].DCW"), mppt.find("module[4].DCW")
    assert (one.offset, four.offset) == (21, 81)
    assert mppt.power_of(four) == mppt.find("DCW_SF")
    for name in ("module[0].DCW", "module[x].DCW", "module[1].DC", "module[1]", "DCW", "Prt[1].W"):
        assert mppt.find(name) is None, name


def test_a_group_that_comes_once_has_no_number():
    assert model(704).find("PFWInj.PF").offset == 59


def test_what_lies_behind_groups_in_groups_is_not_guessed():
    assert set(model(705).groups) == set()
    assert model(705).find("Ena").offset == 2


def test_what_lies_behind_a_group_that_comes_several_times_is_not_guessed():
    word = {"type": "uint16", "size": 1}
    groups = [
        {"name": "once", "points": [{"name": "A", **word}]},
        {"name": "string", "count": 0, "points": [{"name": "B", **word}]},
        {"name": "behind", "points": [{"name": "C", **word}]},
        {"name": "rack", "count": "N", "points": [{"name": "D", **word}]},
    ]
    head = [{"name": "ID", **word}, {"name": "L", **word}]
    definition = parse_model({"id": 9, "group": {"points": head, "groups": groups}})
    assert (definition.id, definition.size) == (9, 3)
    assert [definition.find(name).offset for name in ("ID", "once.A", "string[2].B")] == [0, 2, 4]
    assert definition.groups.keys() == {"string"}
    assert [definition.find(name) for name in ("behind.C", "rack[1].D")] == [None, None]


def test_a_power_of_ten_may_be_a_number_of_the_model():
    point = PointDefinition(offset=2, type="int16", size=1, power=-1)
    assert model(103).power_of(point) == -1
    assert model(103).power_of(model(103).find("St")) is None


def test_every_kind_of_number_that_these_models_have_can_be_read_but_the_longest():
    kinds = {point.type for number in MODELS for point in model(number).points.values()}
    assert kinds - RAW_TYPES.keys() <= {"string", "pad", "uint64", "acc64", "ipaddr", "eui48"}


EDGES = (0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFE, 0xFFFF)
NO_NUMBERS = {"pad", "ipaddr"}
TOP_BIT = {"bitfield16": 0x8000, "bitfield32": 0x8000_0000}
"""SunSpec's specification has no bits where the highest is set; their library looks for all."""


def test_every_number_of_one_or_two_registers_can_be_read():
    theirs_are = {name for name, kind in mb.point_type_info.items() if kind.len in {1, 2}}
    assert RAW_TYPES.keys() == theirs_are - NO_NUMBERS


@pytest.mark.parametrize("name", RAW_TYPES)
def test_a_number_is_coded_and_missing_as_their_library_has_it(name):
    kind = mb.point_type_info[name]
    raw_type, missing = RAW_TYPES[name]
    part = Part(address=0, type=raw_type, not_available=missing)
    assert part.count == kind.len
    for words in itertools.product(EDGES, repeat=kind.len):
        value = kind.data_to(struct.pack(f">{kind.len}H", *words))
        if not kind.is_impl(value) or value == TOP_BIT.get(name):
            assert math.isnan(part.decode([*words])), words
        else:
            assert part.decode([*words]) == value, words


def test_of_the_models_that_nobody_has_defined_the_first_is_named():
    with pytest.raises(ConfigError, match="SunSpec has no model 9876"):
        load_models([9877, 103, 9876])


def test_without_the_extra_it_is_told_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "sunspec2", None)
    from holdfast.devices.sunspec import model_files

    model_files._model.cache_clear()
    with pytest.raises(ConfigError, match=r"pip install holdfast\[sunspec\]"):
        load_models([103])
