"""The wear of the contactors lasts over restarts; whatever happens to its file stops nobody."""

import asyncio
import json
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.client.status_reader import StatusReader
from holdfast.control.storage.unit import UnitMemory
from holdfast.core.latches import Latches
from holdfast.core.sealed import seal
from holdfast.devices.contactor.memory import RelayMemory, Wear
from holdfast.monitoring.status.schema import WearStatus
from holdfast.runtime import wear_file
from holdfast.runtime.latch_file import save_latches
from holdfast.runtime.wear_file import SAVE_EVERY_NS, WearKeeper, decode, encode, load_wear
from holdfast.site.files import write_atomically
from tests.builders import UNIT
from tests.runtime.bench import LoopBench, until
from tests.runtime.test_control_loop import to_running

OLD = {UNIT: Wear(closings=41, openings_under_load=2), "other": Wear(complete=False)}
LOST = Wear(complete=False)
COUNTS = st.integers(min_value=0, max_value=10**12)
WEAR = st.builds(Wear, closings=COUNTS, openings_under_load=COUNTS, complete=st.booleans())


@given(st.dictionaries(st.text(), WEAR, max_size=4))
def test_what_is_saved_is_loaded(wear: dict[str, Wear]) -> None:
    assert decode(encode(wear)) == wear


def test_a_contactor_without_a_file_is_new(tmp_path: Path) -> None:
    assert load_wear(tmp_path / "wear.json", [UNIT]) == ({UNIT: Wear()}, None)


def test_the_file_torn_at_any_byte_is_kept_and_the_wear_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "wear.json"
    content = encode(OLD)
    for length in range(len(content)):
        path.write_bytes(content[:length])
        assert load_wear(path, [UNIT]) == ({UNIT: LOST}, None), length
        assert path.with_suffix(".corrupt").read_bytes() == content[:length]


def test_any_changed_byte_makes_the_wear_unknown(tmp_path: Path) -> None:
    path = tmp_path / "wear.json"
    content = encode(OLD)
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 0x01
        path.write_bytes(damaged)
        assert load_wear(path, [UNIT])[0] == {UNIT: LOST}, position


@pytest.mark.parametrize(
    "fields",
    [
        None, [], 1, {}, {"version": 1}, {"version": 2, "units": {}}, {"units": {}},
        {"version": 1, "units": []}, {"version": 1, "units": {UNIT: None}},
        {"version": 1, "units": {UNIT: {"closings": 1, "complete": True}}},
        *(
            {"version": 1, "units": {UNIT: {
                "closings": count, "openings_under_load": 0, "complete": True,
            }}}
            for count in (-1, 1.5, True, "1", None)
        ),
    ],
)  # fmt: skip
def test_a_right_checksum_does_not_excuse_a_wrong_content(fields: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(seal(json.dumps(fields)))


def test_nor_does_one_that_is_too_deep() -> None:
    with pytest.raises(ValueError, match="is no wear file"):
        decode(seal("[" * 5000))


def test_a_file_that_cannot_be_read_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "wear.json").mkdir()
    assert load_wear(tmp_path / "wear.json", [UNIT]) == ({UNIT: LOST}, None)


# ---------------------------------------------------------------- in the running loop


async def test_the_wear_lasts_over_restarts_and_is_in_the_status(tmp_path: Path) -> None:
    for number in (1, 2):
        bench = LoopBench(tmp_path)
        await to_running(bench)
        await bench.loop.flush()
        assert decode(bench.files.wear.read_bytes()) == {UNIT: Wear(closings=number)}
    bench.show_next()
    await bench.cycle()
    found = StatusReader(bench.files).latest()
    assert found is not None
    rated = bench.site.storage[0].battery.contactor_cycles_rated
    assert found[0].contactors == {
        UNIT: WearStatus(
            closings=2, openings_under_load=0, cycles_used=2, cycles_rated=rated, complete=True
        )
    }


async def test_a_corrupt_file_is_a_finding_over_restarts_and_the_site_runs(tmp_path: Path) -> None:
    for _ in range(2):
        bench = LoopBench(tmp_path)
        if not bench.files.wear.exists():
            save_latches(bench.files.latches, Latches())
            bench.files.wear.write_bytes(encode(OLD)[:-7])
            bench = LoopBench(tmp_path)
        await to_running(bench)
        await bench.loop.flush()
        bench.show_next()
        await bench.cycle()
        found = StatusReader(bench.files).latest()
        assert found is not None
        assert [(f.row, f.reaction) for f in found[0].findings] == [("relays_wear_unknown", "log")]
        assert not found[0].contactors[UNIT].complete
    assert decode(bench.files.wear.read_bytes()) == {UNIT: Wear(closings=2, complete=False)}


# ---------------------------------------------------------------- when it is saved


def units_of(wear: Mapping[str, Wear]) -> dict[str, UnitMemory]:
    return {name: UnitMemory(relays=RelayMemory(wear=worn)) for name, worn in wear.items()}


def closed(times: int) -> dict[str, UnitMemory]:
    return units_of({UNIT: Wear(closings=times)})


class Disk:
    """Counts the saves; can be held, and be full."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.saved: list[Mapping[str, Wear]] = []
        self.turns = threading.Event()
        self.turns.set()
        self.full = False
        monkeypatch.setattr(wear_file, "write_atomically", self.write)

    def write(self, path: Path, content: bytes) -> None:
        self.saved.append(decode(content))
        assert self.turns.wait(10)
        if self.full:
            raise OSError(28, "No space left on device")
        write_atomically(path, content)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


async def noted(keeper: WearKeeper, times: int, now_ns: int) -> None:
    keeper.note(closed(times), now_ns)
    await until(lambda: keeper._saving is None)


async def test_it_is_saved_when_it_has_changed_once_a_minute_and_at_the_end(
    tmp_path: Path, disk: Disk
) -> None:
    path = tmp_path / "wear.json"
    path.write_bytes(encode({UNIT: Wear(closings=5), "other": Wear(closings=9)}))
    keeper = WearKeeper(path, [UNIT])
    assert keeper.at_start == {UNIT: Wear(closings=5)}
    await noted(keeper, 5, 1)
    assert disk.saved == []
    await noted(keeper, 6, 2)
    await noted(keeper, 7, 3)
    await noted(keeper, 8, 1 + SAVE_EVERY_NS)
    assert [saved[UNIT].closings for saved in disk.saved] == [6]
    await noted(keeper, 9, 2 + SAVE_EVERY_NS)
    await keeper.save(closed(10))
    await keeper.save(closed(10))
    assert [saved[UNIT].closings for saved in disk.saved] == [6, 9, 10]
    # A unit that is not in site.yaml today may be tomorrow.
    assert decode(path.read_bytes()) == {UNIT: Wear(closings=10), "other": Wear(closings=9)}


async def test_a_slow_disk_holds_up_nobody_and_the_end_waits_for_it(
    tmp_path: Path, disk: Disk
) -> None:
    keeper = WearKeeper(tmp_path / "wear.json", [UNIT])
    disk.turns.clear()
    keeper.note(closed(1), 1)
    keeper.note(closed(2), 1 + SAVE_EVERY_NS)
    end = asyncio.create_task(keeper.save(closed(3)))
    await until(lambda: bool(disk.saved))
    assert not end.done()
    disk.turns.set()
    await end
    assert [saved[UNIT].closings for saved in disk.saved] == [1, 3]


async def test_a_disk_that_stands_still_does_not_keep_the_end_waiting(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wear_file, "SAVE_AT_THE_END_S", 0.02)
    keeper = WearKeeper(tmp_path / "wear.json", [UNIT])
    disk.turns.clear()
    await keeper.save(closed(1))
    await keeper.save(closed(2))
    disk.turns.set()
    assert [saved[UNIT].closings for saved in disk.saved] == [1]


async def test_a_full_disk_is_tried_again_a_minute_later(
    tmp_path: Path, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    keeper = WearKeeper(tmp_path / "wear.json", [UNIT])
    disk.full = True
    await noted(keeper, 1, 0)
    await noted(keeper, 1, SAVE_EVERY_NS - 1)
    assert len(disk.saved) == 1
    assert "wear is not on disk" in caplog.text
    disk.full = False
    await noted(keeper, 1, SAVE_EVERY_NS)
    assert decode((tmp_path / "wear.json").read_bytes()) == {UNIT: Wear(closings=1)}
