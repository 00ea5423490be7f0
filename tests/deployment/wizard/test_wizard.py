"""Whatever somebody answers, a site.yaml comes of it that can be read, and that observes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.config import Site
from holdfast.core.role import Role
from holdfast.deployment.wizard.conclusion import write_site
from holdfast.deployment.wizard.places import connection, understand_place
from holdfast.deployment.wizard.question import NotAnAnswer, SiteQuestion, number
from holdfast.deployment.wizard.questions import QUESTIONS, next_question, question_named
from holdfast.deployment.wizard.site_text import site_text
from holdfast.deployment.wizard.tables import PROTOCOLS, protocol_of, tables_for
from holdfast.site.check import check_site
from holdfast.site.examination import examine
from holdfast.site.site_file import parse_site

TYPED = {
    "name": "My House", "timezone": "Europe/Vienna", "currency": "eur", "fuse_a": "35",
    "import_kw": "17", "export_kw": "8,5", "cells": "16", "capacity_kwh": "10.24",
    "charge_a": "100", "discharge_a": "90", "charge_kw": "5", "discharge_kw": "4,6",
    "price": "0.31", "zone": "AT", "levies": "0,14", "vat_pct": "20", "feed_in": "0.08",
    "latitude": "48.2", "longitude": "16.4", "peak_kw": "9.8", "azimuth": "170", "tilt": "35",
    "contact": "Jo \"Example\" #1", "phone": "+43 1 2345",
    "emergency_input_none": "the inverter: it has one", "relays_none": "it's in the battery",
}  # fmt: skip
PLACES = {
    "modbus": st.sampled_from(["192.168.1.20", "192.168.1.20:1502", "/dev/ttyUSB0", "meter.local"]),
    "http": st.sampled_from(["192.168.1.30", "http://shelly.local/", "10.0.0.1:8080"]),
    "can": st.sampled_from(["can0", "/dev/ttyACM0"]),
}
DISTINCT = iter(range(10**9))


def answer(question: SiteQuestion, answers: dict[str, str], draw: st.DrawFn) -> str:
    """Something that a person may type."""
    options = question.options(answers)
    if options:
        index = draw(st.integers(0, len(options) - 1))
        return draw(st.sampled_from([str(index + 1), options[index].value.upper()]))
    if question.key.endswith("_place"):
        return draw(PLACES[protocol_of(answers[question.key.replace("_place", "_table")])])
    if question.key.endswith("_id"):
        return str(1 + next(DISTINCT) % 200)  # two devices are not at one place
    if question.key.endswith("_baud"):
        return "19200"
    return TYPED[question.key]


@st.composite
def answered(draw: st.DrawFn) -> dict[str, str]:
    answers: dict[str, str] = {"local_zone": "UTC"}
    while (question := next_question(answers)) is not None:
        answers[question.key] = question.take(answer(question, answers, draw), answers)
    return answers


def site_of(answers: dict[str, str]) -> Site:
    return parse_site(site_text(answers))


@given(answered())
def test_a_site_comes_of_all_answers(answers: dict[str, str]) -> None:
    site = site_of(answers)
    assert site.authority == "observe"
    assert site.name == "my-house"
    assert site.grid.export_max_w == 8500.0
    (unit,) = site.storage
    assert unit.battery.capacity_wh == 10240.0
    assert unit.inverter.profile == answers["inverter_table"]
    assert (site.prices is None) is (answers["prices"] in {"unknown", "other"})


def typed(**changes: str) -> dict[str, str]:
    """What somebody answers who has one box for all, and takes what is likely."""
    words = TYPED | {"inverter_table": "foxess_h3", "inverter_place": "192.168.1.20"} | changes
    answers: dict[str, str] = {"local_zone": "Europe/Vienna"}
    while (question := next_question(answers)) is not None:
        given_answer = words.get(question.key, "")
        answers[question.key] = question.take(given_answer, answers)
    return answers


ONE_BOX = typed()


def test_a_house_with_one_box_can_be_run() -> None:
    found = examine(site_of(ONE_BOX))
    assert found.doubts == ()
    assert found.site.meter == found.site.storage[0].bms


@pytest.mark.parametrize(
    "changes",
    [
        {"inverter_table": "generic_inverter", "bms_table": "pylontech_lv_can",
         "bms_place": "/dev/ttyACM0", "meter_table": "eastron_sdm630", "meter_place": "10.0.0.2",
         "pv_meter_table": "eastron_sdm120_pv", "pv_meter_place": "10.0.0.3"},
        {"inverter_table": "growatt_sph", "meter_table": "shelly_pro_3em",
         "meter_place": "10.0.0.4", "pv_meter_table": "none", "inverter_place": "/dev/ttyUSB0"},
        {"inverter_table": "generic_integrated", "emergency_input_table": "generic_emergency_input",
         "emergency_input_place": "10.0.0.5", "relays_table": "generic_relays",
         "relays_place": "10.0.0.6"},
        {"phases": "1", "prices": "fixed", "open": "no", "resume": "no", "contact": "-"},
    ],
)  # fmt: skip
def test_other_houses_can_be_run(changes: dict[str, str]) -> None:
    check_site(site_of(typed(**changes)))


@pytest.mark.parametrize("role", [Role.INVERTER, Role.BMS, Role.METER, Role.PV_METER])
def test_each_table_is_reached_in_a_way_that_can_be_asked_for(role: Role) -> None:
    for option in tables_for(role):
        assert protocol_of(option.value) in {*PROTOCOLS, "modbus"}


def test_each_question_has_a_name_of_its_own() -> None:
    keys = [question.key for question in QUESTIONS]
    assert len(set(keys)) == len(keys)
    assert question_named("fuse_a") in QUESTIONS
    assert question_named("else") is None


@pytest.mark.parametrize(
    ("key", "wrong", "told"),
    [
        ("fuse_a", "", "please type something"),
        ("fuse_a", "much", "much: a number of A, such as 1000"),
        ("fuse_a", "nan", "from 5 to 2000 A"),
        ("fuse_a", "35000", "35000: from 5 to 2000 A"),
        ("import_kw", "17000", "from 0.5 to 2000 kW; is it W, not kW?"),
        ("price", "31", "is it cents?"),
        ("capacity_kwh", "10240", "is it Wh, not kWh?"),
        ("cells", "16.5", "16.5: a whole number"),
        ("timezone", "Vienna", "Vienna: such as Europe/Berlin"),
        ("timezone", "../../etc/passwd", "such as Europe/Berlin"),
        ("currency", "Euro", "Euro: three letters, such as EUR"),
        ("name", "../x", "letters, digits and hyphens"),
        ("inverter_table", "0", "0: a number from 1 to"),
        ("inverter_table", "fox", "fox: a number from 1 to"),
        ("open", "perhaps", "perhaps: yes or no"),
        ("inverter_place", "http://", "an address such as 192.168.1.20"),
        ("inverter_place", "192.168.1.20:99999", "an address such as"),
        ("inverter_place", "a: b}", "an address such as"),
    ],
)
def test_what_is_no_answer_is_told_with_what_would_be(key: str, wrong: str, told: str) -> None:
    question = question_named(key)
    assert question is not None
    with pytest.raises(NotAnAnswer) as error:
        question.take(wrong, {**ONE_BOX, "inverter_seen_at": ""})
    assert told in str(error.value)


@pytest.mark.parametrize("text", ["35", " 35 ", "35.0", "35,0", "35 A", "35A"])
def test_a_number_is_understood_as_people_write_it(text: str) -> None:
    assert number("A", 5, 2000)(text.strip(), {}) == "35"


@given(st.text(max_size=60))
def test_a_place_is_taken_or_refused_and_never_breaks_the_file(text: str) -> None:
    for protocol in ("modbus", "http", "can"):
        try:
            place = understand_place(protocol, text.strip() or "x y")
        except NotAnAnswer:
            continue
        words = {"x_place": place, "x_id": "1", "x_baud": "9600"}
        assert not set(connection(protocol, words, "x")) & set("\n#\"'")


def lines(folder: Path) -> Iterator[str]:
    yield from write_site(ONE_BOX, folder / "site.yaml")


def test_the_file_is_written_once_and_never_over_another(tmp_path: Path) -> None:
    notes = list(lines(tmp_path))
    assert notes == [
        "some goals are guarded by nobody: `holdfast check` tells which, and what to write"
    ]
    before = (tmp_path / "site.yaml").read_text()
    with pytest.raises(FileExistsError):
        list(lines(tmp_path))
    assert (tmp_path / "site.yaml").read_text() == before
