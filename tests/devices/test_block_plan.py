"""Registers are read in as few requests as a device permits, and no number is torn."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.devices.block_plan import plan_blocks


def run(address, count=1, table="holding", device_id=None):
    return tuple((device_id, table, place) for place in range(address, address + count))


def shape(*runs, longest=100, gap=0):
    blocks = plan_blocks(runs, longest=longest, gap=gap)
    return [(block.device_id, block.table, block.address, block.count) for block in blocks]


def test_neighbours_come_together_and_what_lies_between_does_not():
    assert shape(run(6), run(5), run(8)) == [
        (None, "holding", 5, 2),
        (None, "holding", 8, 1),
    ]


def test_each_is_joined_to_the_one_before_it_wherever_they_are():
    assert shape(run(0), run(1000), run(1001), run(2000), run(2001)) == [
        (None, "holding", 0, 1),
        (None, "holding", 1000, 2),
        (None, "holding", 2000, 2),
    ]


def test_a_gap_is_read_where_the_device_permits_it():
    assert shape(run(5), run(8), gap=2) == [(None, "holding", 5, 4)]
    assert shape(run(5), run(8), gap=1) == [(None, "holding", 5, 1), (None, "holding", 8, 1)]


def test_tables_and_device_ids_are_asked_apart():
    assert shape(run(5), run(6, table="input"), run(6, device_id=7), run(6, device_id=0)) == [
        (0, "holding", 6, 1),
        (7, "holding", 6, 1),
        (None, "holding", 5, 1),
        (None, "input", 6, 1),
    ]


def test_a_block_ends_before_it_is_too_long_and_before_a_number_that_would_be_torn():
    assert shape(run(0, 2), run(2, 2), run(4, 2), longest=5) == [
        (None, "holding", 0, 4),
        (None, "holding", 4, 2),
    ]
    assert shape(run(0, 2), run(2, 2), longest=4) == [(None, "holding", 0, 4)]


def test_what_overlaps_is_read_once():
    assert shape(run(5, 2), run(5), run(6), run(5, 2)) == [(None, "holding", 5, 2)]
    assert shape(run(4, 3), run(5)) == [(None, "holding", 4, 3)]


@given(
    runs=st.lists(
        st.builds(
            run,
            st.integers(0, 300),
            st.integers(1, 2),
            st.sampled_from(["holding", "input"]),
            st.sampled_from([None, 3]),
        ),
        min_size=1,
        max_size=30,
    ),
    longest=st.integers(2, 20),
    gap=st.integers(0, 5),
)
def test_every_number_is_whole_in_one_block_and_no_block_breaks_the_devices_rules(
    runs, longest, gap
):
    blocks = plan_blocks(runs, longest=longest, gap=gap)
    wanted = {place for each in runs for place in each}
    for each in runs:
        assert any(set(each) <= set(block.places) for block in blocks)
    for block in blocks:
        assert block.count <= longest
        idle = 0
        for place in block.places:
            idle = 0 if place in wanted else idle + 1
            assert idle <= gap
        assert block.places[0] in wanted
        assert block.places[-1] in wanted
