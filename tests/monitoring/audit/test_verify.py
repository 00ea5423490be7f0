"""The chain: whatever is done to a log, verification finds it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.monitoring.audit.events import (
    AuditEvent,
    LogDeleted,
    LogOpened,
    PlanNotAccepted,
    StateChanged,
)
from holdfast.monitoring.audit.log_lines import (
    START,
    Line,
    Place,
    decode_head,
    decode_line,
    encode_head,
    encode_line,
    event_of,
    sha256,
)
from holdfast.monitoring.audit.verify import Verdict, Wrong, verify

T = datetime(2026, 4, 1, 12, tzinfo=UTC)


def an_event(number: int) -> AuditEvent:
    return PlanNotAccepted(plan_id=f"p{number}", reason='“quoted” "hash":"\n0" — ü')


class Log:
    """Files of a log, as a writer would leave them."""

    def __init__(self, *lengths: int, after: Place = START) -> None:
        self.files: list[tuple[str, bytes]] = []
        self.place = after
        self.places: list[Place] = []
        for length in lengths:
            self.file(*(an_event(number) for number in range(length - 1)))

    def file(self, *events: AuditEvent, torn: bytes = b"", found: str = "") -> None:
        opened = LogOpened(
            after_sequence=self.place.sequence,
            after_hash=self.place.hash,
            torn_bytes=len(torn),
            torn_sha256=sha256(torn) if torn else "",
            found=found,
        )
        content = b""
        for event in (opened, *events):
            seconds = timedelta(seconds=self.place.sequence)
            line, self.place = encode_line(self.place, T + seconds, 7, event)
            self.places.append(self.place)
            content += line
        self.files.append((f"audit-{len(self.files) + 1:06d}.jsonl", content))

    @property
    def head(self) -> bytes:
        return encode_head(self.place)

    def verdict(self, *contains: Place) -> Verdict:
        return verify(self.files, self.head, contains)

    def lines(self, file: int) -> list[bytes]:
        return self.files[file][1].splitlines(keepends=True)

    def put(self, file: int, content: bytes) -> None:
        self.files[file] = (self.files[file][0], content)


def wrong(verdict: Verdict) -> Wrong | None:
    return None if verdict.problem is None else verdict.problem.wrong


def test_a_whole_log_verifies_and_says_how_long_it_is() -> None:
    log = Log(4, 3, 5)
    verdict = log.verdict()
    assert verdict.problem is None
    assert (verdict.lines, verdict.files) == (12, 3)
    assert verdict.first is not None
    assert verdict.last is not None
    assert verdict.last.time - verdict.first.time == timedelta(seconds=11)
    assert verdict.last.place == log.place
    assert verdict.notes == ()


def test_a_line_is_read_as_it_was_written() -> None:
    raw, place = encode_line(START, T, -5, an_event(3))
    line = decode_line(raw.removesuffix(b"\n"))
    assert line is not None
    assert event_of(line) == an_event(3)
    assert (line.time, line.monotonic_ns, line.place) == (T, -5, place)


def test_an_event_of_another_version_is_no_reason_to_doubt_the_log() -> None:
    line = Line(sequence=1, utc="", monotonic_ns=0, event=b'{"kind":"later"}', hash="")
    assert event_of(line) is None


def test_every_alteration_of_every_single_byte_is_found() -> None:
    """All 255 other values of each byte, over every byte of a log of two files and of its head."""
    log = Log(2, 2)
    head = log.head
    for index, (name, content) in enumerate(log.files):
        for position, byte in enumerate(content):
            for value in {byte ^ 1, byte ^ 0x20, byte ^ 0x80, 10, 13, 0, 48, 57, 34} - {byte}:
                changed = content[:position] + bytes([value]) + content[position + 1 :]
                files = [*log.files]
                files[index] = (name, changed)
                assert verify(files, head).problem is not None, (name, position, value)
    for position, byte in enumerate(head):
        for value in set(range(256)) - {byte}:
            changed = head[:position] + bytes([value]) + head[position + 1 :]
            assert verify(log.files, changed).problem is not None, (position, value)


@given(st.data())
def test_any_byte_changed_put_in_or_taken_out_is_found(data: st.DataObject) -> None:
    log = Log(3, 4)
    index = data.draw(st.integers(0, 1))
    content = log.files[index][1]
    begin = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(begin, min(begin + 40, len(content))))
    new = data.draw(st.binary(max_size=40))
    changed = content[:begin] + new + content[end:]
    if changed != content:
        log.put(index, changed)
        assert log.verdict().problem is not None


def test_every_deleted_line_is_found() -> None:
    for file in (0, 1):
        for index in range(4):
            log = Log(4, 4)
            lines = log.lines(file)
            log.put(file, b"".join(lines[:index] + lines[index + 1 :]))
            found = wrong(log.verdict())
            if (file, index) == (1, 3):
                assert found is Wrong.HEAD_AHEAD
            else:
                assert found is Wrong.MISSING, (file, index)


def test_every_line_that_stands_twice_is_found() -> None:
    for file in (0, 1):
        for index in range(4):
            for at in range(index + 1, 5):
                log = Log(4, 4)
                lines = log.lines(file)
                log.put(file, b"".join([*lines[:at], lines[index], *lines[at:]]))
                assert wrong(log.verdict()) is Wrong.DUPLICATED, (file, index, at)


def test_every_two_lines_that_changed_places_are_found() -> None:
    for one in range(1, 6):
        for other in range(one + 1, 6):
            log = Log(6)
            lines = log.lines(0)
            lines[one], lines[other] = lines[other], lines[one]
            log.put(0, b"".join(lines))
            verdict = log.verdict()
            assert wrong(verdict) is Wrong.REORDERED
            assert verdict.problem is not None
            assert verdict.problem.line == one + 1


def test_files_that_changed_places_are_found() -> None:
    log = Log(3, 3, 3)
    (one, a), (two, b), third = log.files
    log.files = [(one, b), (two, a), third]
    assert log.verdict().problem is not None


def test_the_first_bad_place_is_named() -> None:
    log = Log(3, 3)
    log.put(1, log.files[1][1].replace(b'"p1"', b'"p9"'))
    problem = log.verdict().problem
    assert problem is not None
    assert (problem.wrong, problem.file, problem.line) == (
        Wrong.ALTERED,
        "audit-000002.jsonl",
        3,
    )
    assert log.verdict().lines == 5


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_a_file_that_is_gone_is_found(gone: int) -> None:
    log = Log(3, 3, 3)
    del log.files[gone]
    assert wrong(log.verdict()) is (Wrong.HEAD_AHEAD if gone == 2 else Wrong.MISSING)


def test_files_that_the_log_itself_deleted_are_not_missed() -> None:
    log = Log(3)
    gone = log.place
    log.file(an_event(1))
    log.file(
        LogDeleted(
            file="audit-000001.jsonl", first_sequence=1, last_sequence=3, last_hash=gone.hash
        )
    )
    del log.files[0]
    verdict = log.verdict()
    assert verdict.problem is None
    assert "1 to 3 were deleted" in verdict.notes[0]
    del log.files[0]
    assert wrong(log.verdict()) is Wrong.MISSING


def test_lines_behind_the_head_verify_and_are_told() -> None:
    log = Log(3, 3)
    verdict = verify(log.files, encode_head(log.places[3]))
    assert verdict.problem is None
    assert "behind by 2 lines" in verdict.notes[0]


def test_a_head_that_names_what_is_no_more_is_found() -> None:
    log = Log(3)
    head = encode_head(Place(sequence=4, hash="a" * 64))
    assert wrong(verify(log.files, head)) is Wrong.HEAD_AHEAD
    assert wrong(verify(log.files, encode_head(Place(sequence=2, hash="a" * 64)))) is (
        Wrong.HEAD_WRONG
    )
    assert wrong(verify(log.files, None)) is Wrong.HEAD_WRONG
    assert wrong(verify([], log.head)) is Wrong.HEAD_AHEAD
    later = Log(3, after=Place(sequence=10, hash="b" * 64))
    assert wrong(verify(later.files, encode_head(START))) is Wrong.MISSING
    assert wrong(verify([], None)) is Wrong.NO_LOG
    assert verify([], encode_head(START)).problem is None
    assert decode_head(b"") is None


def test_a_torn_end_is_found_until_the_next_file_tells_of_it() -> None:
    log = Log(3)
    whole = log.files[0][1]
    torn = b'{"seq":4,"utc":"2026\x00\x00\n\x00'
    log.put(0, whole + torn)
    assert wrong(log.verdict()) is Wrong.ALTERED  # it has a line feed
    log.put(0, whole + torn[:9])
    assert wrong(log.verdict()) is Wrong.TORN
    log.put(0, whole + torn)
    log.file(an_event(1), torn=torn)
    verdict = log.verdict()
    assert verdict.problem is None
    assert "torn off by a crash" in verdict.notes[0]
    log.put(0, whole + torn[:-1] + b"\x01")
    assert wrong(log.verdict()) is Wrong.ALTERED
    log.put(0, whole)
    assert log.verdict().problem is not None


def test_what_the_controller_found_at_its_opening_stays_a_problem() -> None:
    log = Log(3)
    log.file(found="the head is missing or cannot be read")
    verdict = log.verdict()
    assert wrong(verdict) is Wrong.BROKEN
    assert verdict.problem is not None
    assert "head is missing" in verdict.problem.text


def test_a_line_that_was_noted_elsewhere_must_be_in_the_log() -> None:
    """So a log that was forged as a whole is found."""
    log = Log(3, 3)
    noted = log.places[2]
    assert log.verdict(noted).problem is None
    forged = Log(2, 4)
    assert forged.verdict().problem is None
    assert wrong(forged.verdict(noted)) is Wrong.NOT_CONTAINED
    assert wrong(Log(2).verdict(noted)) is Wrong.NOT_CONTAINED
    later = Log(3)
    gone = later.place
    later.file(LogDeleted(file="x", first_sequence=1, last_sequence=3, last_hash=gone.hash))
    del later.files[0]
    verdict = later.verdict(Place(sequence=2, hash="c" * 64))
    assert verdict.problem is None
    assert "noted, was deleted" in verdict.notes[-1]


def test_a_file_without_a_line_is_found() -> None:
    log = Log(3)
    log.files.append(("audit-000002.jsonl", b""))
    assert wrong(log.verdict()) is Wrong.TORN
    log = Log(3, 3)
    log.put(1, b"".join(log.lines(1)[1:]))
    assert wrong(log.verdict()) is Wrong.MISSING


def test_a_forged_line_with_a_right_hash_and_a_wrong_number_is_found() -> None:
    log = Log(1)
    skipped = Place(sequence=log.place.sequence + 4, hash=log.place.hash)
    line, _ = encode_line(skipped, T, 1, StateChanged(source="", target="", event="", reasons=()))
    log.put(0, log.files[0][1] + line)
    assert wrong(log.verdict()) is Wrong.MISSING
