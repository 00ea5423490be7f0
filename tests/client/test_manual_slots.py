"""What people ask of the batteries goes through a file that its reader does not trust."""

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import to_json

from holdfast.client import manual_slots
from holdfast.client.manual_slots import (
    AHEAD,
    LONGEST,
    MAX_MANUAL_SLOTS,
    ManualRead,
    ManualSlots,
    power_limit_w,
    read_manual,
)
from holdfast.core.errors import ManualRefused
from holdfast.core.manual_slot import ManualMode, ManualSlot
from holdfast.site.files import SiteFiles, file_stamp
from tests.builders import build_site
from tests.manual import NOW, slot

SITE = build_site()
HOUR = timedelta(hours=1)


@pytest.fixture
def files(tmp_path: Path) -> SiteFiles:
    return SiteFiles(state_dir=tmp_path)


@pytest.fixture
def asked(files: SiteFiles) -> ManualSlots:
    return ManualSlots(files, SITE)


def now() -> datetime:
    return datetime.now(UTC)


def ask(asked: ManualSlots, **changes: Any) -> ManualSlot:
    """Charging with 1 kW for an hour from now on, but for ``changes``."""
    wanted = {
        "start": None,
        "end": now() + HOUR,
        "mode": ManualMode.CHARGE,
        "power_w": 1_000.0,
        "by": "anna",
    }
    return asked.add(**(wanted | changes))


def write(files: SiteFiles, *slots: ManualSlot, **changes: object) -> None:
    files.manual.write_bytes(to_json({"slots": [*slots]} | changes))


def test_what_was_asked_for_is_read_by_others(asked: ManualSlots, files: SiteFiles) -> None:
    made = ask(asked)
    assert made.start == made.made
    assert read_manual(files, SITE, now()).slots == (made,)
    assert asked.current() == ManualRead(slots=(made,))


def test_standing_aside_names_for_whom(asked: ManualSlots, files: SiteFiles) -> None:
    aside = {"mode": ManualMode.STAND_ASIDE, "power_w": None}
    made = ask(asked, **aside, owner="the installer")
    assert read_manual(files, SITE, now()).slots == (made,)
    for changes in (aside, aside | {"owner": "a\nb"}, {"owner": "the installer"}):
        with pytest.raises(ManualRefused, match=r"^owner: "):
            ask(asked, **changes)


def test_what_has_ended_is_told_apart(asked: ManualSlots, files: SiteFiles) -> None:
    made = ask(asked)
    read = read_manual(files, SITE, made.end)
    assert (read.slots, read.ended) == ((), (made,))


def test_without_a_file_nothing_is_asked_for(asked: ManualSlots, files: SiteFiles) -> None:
    assert file_stamp(files.manual) is None
    assert asked.current() == ManualRead()
    assert not asked.remove("x")


def test_each_change_of_the_file_is_seen(asked: ManualSlots, files: SiteFiles) -> None:
    stamps = [file_stamp(files.manual)]
    made = ask(asked)
    stamps.append(file_stamp(files.manual))
    assert asked.remove(made.id)
    stamps.append(file_stamp(files.manual))
    assert len(set(stamps)) == 3
    assert asked.current() == ManualRead()


def test_what_is_over_is_dropped(files: SiteFiles) -> None:
    write(files, slot(0, 60), slot(60, 120))
    assert read_manual(files, SITE, NOW + HOUR).slots == (slot(60, 120),)


def test_the_newest_wins_and_leaves_the_rest_of_the_older(asked: ManualSlots) -> None:
    begin = now() + HOUR
    old = ask(asked, start=begin, end=begin + 4 * HOUR, mode=ManualMode.REST, power_w=None)
    new = ask(asked, start=begin + HOUR, end=begin + 2 * HOUR)
    before, middle, after = asked.current().slots
    assert middle == new
    assert before == replace(old, end=new.start)
    assert after == replace(old, start=new.end, id=after.id)
    assert len({before.id, middle.id, after.id}) == 3
    assert ask(asked, start=begin, end=begin + 4 * HOUR) == asked.current().slots[0]
    assert len(asked.current().slots) == 1


def test_one_that_is_half_covered_keeps_its_name(asked: ManualSlots) -> None:
    begin = now() + HOUR
    old = ask(asked, start=begin, end=begin + 2 * HOUR)
    new = ask(asked, start=begin - HOUR / 2, end=begin + HOUR)
    assert asked.current().slots == (new, replace(old, start=new.end))


def test_one_that_began_in_the_past_begins_now(asked: ManualSlots) -> None:
    made = ask(asked, start=now() - HOUR)
    assert made.start == made.made


def test_another_zone_is_the_same_time(asked: ManualSlots) -> None:
    end = now() + HOUR
    made = ask(asked, end=datetime.fromisoformat(end.isoformat().replace("+00:00", "-00:00")))
    assert made.end == end
    assert made.end.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"power_w": None}, "power_w: to charge this site needs more than 0 and at most"),
        ({"power_w": 0.0}, "power_w: to charge"),
        ({"power_w": -5.0}, "power_w: to charge"),
        ({"power_w": float("nan")}, "power_w: to charge"),
        ({"power_w": 1e6, "mode": ManualMode.DISCHARGE}, "power_w: to discharge"),
        ({"mode": ManualMode.HOLD}, "power_w: there is none in mode hold"),
        ({"end": now() - HOUR}, "end: must be after start"),
        ({"end": now() + LONGEST + HOUR}, "end: a slot may last 24 hours"),
        (
            {"start": now() + AHEAD - HOUR, "end": now() + AHEAD + HOUR},
            "end: may be no more than 7 days ahead",
        ),
        ({"end": datetime(2027, 1, 1)}, "end: lacks its time zone"),  # noqa: DTZ001
        ({"by": ""}, "by: is empty"),
        ({"by": "a" * 101}, "by: has 101 characters"),
        ({"by": "\x1b[2J"}, "by: holds U.001B"),
    ],
)
def test_what_cannot_be_is_refused_with_what_would_be_right(
    asked: ManualSlots, files: SiteFiles, changes: dict[str, object], told: str
) -> None:
    with pytest.raises(ManualRefused, match=told):
        ask(asked, **changes)
    assert file_stamp(files.manual) is None


def test_no_more_than_fifty_are_taken(asked: ManualSlots) -> None:
    begin = now() + HOUR
    for index in range(MAX_MANUAL_SLOTS):
        start = begin + index * HOUR
        ask(asked, start=start, end=start + HOUR / 2)
    with pytest.raises(ManualRefused, match="50 slots"):
        ask(asked)
    assert len(asked.current().slots) == MAX_MANUAL_SLOTS


def test_a_site_of_limited_authority_gives_no_more_than_that() -> None:
    limited = build_site(authority="limited", limited_power_w=700)
    assert power_limit_w(limited, ManualMode.CHARGE) == 700.0
    assert power_limit_w(SITE, ManualMode.DISCHARGE) == SITE.discharge_power_max_w
    assert power_limit_w(SITE, ManualMode.REST) == 0.0


BAD = {
    "nothing": b"",
    "no JSON": b"{",
    "too deep": b"[" * 5_000,
    "no slots": b"{}",
    "too large": b" " * 100_001,
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_a_file_that_is_none_does_not_count(content: bytes, files: SiteFiles) -> None:
    files.manual.write_bytes(content)
    found = read_manual(files, SITE, NOW)
    assert found.slots == ()
    assert found.problem.startswith("manual.json does not count: ")
    assert "\n" not in found.problem


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"power_w": 1e9}, "power_w"),
        ({"power_w": True}, "power_w"),
        ({"power_w": "2000"}, "power_w"),
        ({"mode": "explode"}, "mode"),
        ({"id": ""}, "id: is empty"),
        ({"end": "2026-05-08T09:00:00Z"}, "end: must be after start"),
        ({"end": "2026-05-10T10:00:00Z"}, "24 hours"),
        ({"start": "2026-05-08T10:00:00"}, "start: is not in UTC"),
        ({"start": "2026-06-08T10:00:00Z", "end": "2026-06-08T11:00:00Z"}, "7 days"),
        ({"end": "2026-05-08T11:00:01Z"}, "slots 2 and 1 overlap"),
        ({"id": "1"}, "same id"),
    ],
)
def test_one_slot_that_cannot_be_spoils_the_file(
    changes: dict[str, object], told: str, files: SiteFiles
) -> None:
    good, other = (
        json.loads(to_json(each)) for each in (slot(60, 120, slot_id="1"), slot(0, 60, slot_id="2"))
    )
    write(files, slots=[good, other])
    assert read_manual(files, SITE, NOW).problem == ""
    write(files, slots=[good, other | changes])
    found = read_manual(files, SITE, NOW)
    assert found.slots == ()
    assert told in found.problem


def test_more_than_fifty_do_not_count(files: SiteFiles) -> None:
    write(files, *(slot(index, index + 1) for index in range(MAX_MANUAL_SLOTS + 1)))
    assert "51 slots" in read_manual(files, SITE, NOW).problem


def test_a_bad_file_is_kept_for_who_looks_into_it_and_replaced(
    asked: ManualSlots, files: SiteFiles
) -> None:
    files.manual.write_bytes(b"{")
    made = ask(asked)
    assert asked.current() == ManualRead(slots=(made,))
    assert files.manual.with_suffix(".corrupt").read_bytes() == b"{"


def test_two_who_ask_at_once_are_both_heard(
    asked: ManualSlots, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manual_slots.os, "fsync", lambda _: None)
    begin = now() + HOUR

    def ask_each(first: int) -> None:
        for index in range(first, 20, 2):
            start = begin + index * HOUR
            ask(asked, start=start, end=start + HOUR)

    threads = [threading.Thread(target=ask_each, args=(first,)) for first in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked.current().slots) == 20
