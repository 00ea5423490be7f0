"""A file from anybody is read within bounds, or refused with the line that is wrong."""

import gzip
import json

import pytest

from holdfast.monitoring.replay import reading
from holdfast.monitoring.replay.coding import MalformedRecord
from holdfast.monitoring.replay.reading import parse_recording
from tests.builders import build_site
from tests.monitoring.replay.recordings import KeepingBench, content_of, lines_for


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    """Head, state, four cycles, end."""
    bench = KeepingBench(build_site())
    for _ in range(4):
        bench.step()
    return gzip.decompress(content_of(bench.site, bench.kept)).splitlines(keepends=True)


def parsed(lines: list[bytes]) -> reading.IncidentRecording:
    return parse_recording(gzip.compress(b"".join(lines)))


def changed(line: bytes, **changes: object) -> bytes:
    content = json.loads(line) | changes
    return json.dumps({k: v for k, v in content.items() if v is not ...}).encode() + b"\n"


def test_it_is_read(lines: list[bytes]) -> None:
    recording = parsed(lines)
    assert len(recording.cycles) == 4
    assert recording.cycles[0].before is not None
    assert recording.cycles[1].before is None
    assert recording.end is not None


def test_what_has_not_changed_is_not_repeated(lines: list[bytes]) -> None:
    first, later = (json.loads(lines[number])["decided"] for number in (2, 5))
    assert set(later) < set(first)
    last = parsed(lines).cycles[-1].decided
    assert set(last) == set(first)


def test_without_its_end_it_is_not_whole(lines: list[bytes]) -> None:
    assert parsed(lines[:-1]).end is None


@pytest.mark.parametrize(
    ("number", "changes", "text"),
    [
        (0, {"recording": 2}, "has another form than 1"),
        (0, {"recording": ...}, "is no recording"),
        (0, {"head": None}, "line 1: None is not RecordingHead"),
        (0, {"site": []}, "line 1: .* is not a site"),
        (1, {"state": {"machine": "NONE"}}, "line 2: machine: 'NONE' is not one of State"),
        (2, {"now_ns": 1.5}, "line 3: 1.5 is not a whole number"),
        (2, {"image": {"site": {"SESAME": {}}}}, "line 3: 'SESAME' is not one of Signal"),
        (2, {"decided": {}}, "line 3: nothing is told of the stage"),
        (3, {"decided": {"os.system": 1}}, "line 4: no stage is called os.system"),
        (2, {"decided": ...}, "line 3: None is not what was decided"),
        (2, {"plan": {"plan": 1}}, "line 3: plan: 1 is not Plan"),
        (6, {"end": {"cycles": "4"}}, "line 7: cycles: '4' is not a whole number"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    lines: list[bytes], number: int, changes: dict[str, object], text: str
) -> None:
    wrong = [*lines]
    wrong[number] = changed(lines[number], **changes)
    with pytest.raises(MalformedRecord, match=text):
        parsed(wrong)


@pytest.mark.parametrize("line", [b"{", b"[]", b"\xff", b"1", b"[" * 100_000])
def test_what_is_no_line_of_it_is_refused(lines: list[bytes], line: bytes) -> None:
    with pytest.raises(MalformedRecord, match="line 3"):
        parsed([*lines[:2], line + b"\n", *lines[3:]])


def test_a_cycle_without_any_state_before_it_is_none(lines: list[bytes]) -> None:
    with pytest.raises(MalformedRecord, match="has no cycle with the state before it"):
        parsed([lines[0], *lines[2:]])
    with pytest.raises(MalformedRecord, match="has no cycle with the state before it"):
        parsed([lines[0]])


def test_a_torn_file_is_told(lines: list[bytes]) -> None:
    whole = gzip.compress(b"".join(lines))
    for torn in (whole[:-9], whole[: len(whole) // 2], whole[:5]):
        with pytest.raises(MalformedRecord, match="is no whole gzip file"):
            parse_recording(torn)


def test_what_unpacks_to_more_than_anybody_records_is_refused(
    lines: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MAX_BYTES", 5000)
    with pytest.raises(MalformedRecord, match="unpacks to more than"):
        parse_recording(gzip.compress(b"x" * 100_000))
    monkeypatch.setattr(reading, "MAX_BYTES", 100_000_000)
    monkeypatch.setattr(reading, "MAX_CYCLES", 3)
    with pytest.raises(MalformedRecord, match="more than 3 cycles"):
        parsed(lines)


def test_a_signal_that_is_gone_is_gone(lines: list[bytes]) -> None:
    """No store of ours forgets one; a recording of a test may."""
    bench = KeepingBench(build_site())
    bench.step()
    (first,) = bench.kept
    image = {
        owner: dict(list(samples.items())[:2]) for owner, samples in first.inputs.image.items()
    }
    bench.cycle.step(bench.state, type(first.inputs)(now_ns=first.inputs.now_ns + 1, image=image))
    text = lines_for(bench.site, bench.kept)
    assert parse_recording(gzip.compress(b"".join(text))).cycles[-1].inputs.image == image
