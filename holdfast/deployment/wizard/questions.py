"""The questions stand here as rows, in the order in which they are asked."""

from collections.abc import Callable, Iterator
from functools import partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from holdfast.core.role import Role
from holdfast.deployment.wizard.places import example, is_serial, understand_place
from holdfast.deployment.wizard.question import (
    YES_NO,
    Answers,
    NotAnAnswer,
    Option,
    SiteQuestion,
    number,
)
from holdfast.deployment.wizard.tables import has_role, protocol_of, tables_for

_NONE = "none"
_KW = "is it W, not kW?"
_PHASE_V = 230.0


def _said(value: str) -> Callable[[Answers], str]:
    return lambda _: value


def _is(key: str, value: str) -> Callable[[Answers], bool]:
    return lambda answers: answers.get(key) == value


def _one_of(*options: Option) -> Callable[[Answers], tuple[Option, ...]]:
    return lambda _: options


_yes_no = _one_of(*YES_NO)


def _name(typed: str, _: Answers) -> str:
    name = "-".join(typed.lower().split())
    if not name.replace("-", "").replace("_", "").isalnum() or len(name) > 40:
        raise NotAnAnswer(f"{typed}: letters, digits and hyphens, 40 at most")
    return name


def _zone(typed: str, _: Answers) -> str:
    try:
        ZoneInfo(typed)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise NotAnAnswer(f"{typed}: such as Europe/Berlin") from None
    return typed


def _currency(typed: str, _: Answers) -> str:
    if not (len(typed) == 3 and typed.isascii() and typed.isalpha()):
        raise NotAnAnswer(f"{typed}: three letters, such as EUR")
    return typed.upper()


def _import_kw(answers: Answers) -> str:
    power_w = float(answers["phases"]) * float(answers["fuse_a"]) * _PHASE_V
    return f"{power_w / 1000.0:.1f}"


# ---------------------------------------------------------------------- devices


def _lacks(role: Role, *places: str) -> Callable[[Answers], bool]:
    """Says of a device whether none of ``places``, which were asked for before, has its role."""

    def lacks(answers: Answers) -> bool:
        tables = [answers.get(f"{place}_table", _NONE) for place in places]
        return not any(table != _NONE and has_role(table, role) for table in tables)

    return lacks


def _is_there(key: str) -> Callable[[Answers], bool]:
    return lambda answers: answers.get(f"{key}_table", _NONE) != _NONE


def _asked_for(key: str, *protocols: str) -> Callable[[Answers], bool]:
    def asked(answers: Answers) -> bool:
        if not _is_there(key)(answers):
            return False
        return not protocols or protocol_of(answers[f"{key}_table"]) in protocols

    return asked


def _place(key: str, typed: str, answers: Answers) -> str:
    return understand_place(protocol_of(answers[f"{key}_table"]), typed)


def _on_serial(key: str) -> Callable[[Answers], bool]:
    asked = _asked_for(key, "modbus")
    return lambda answers: asked(answers) and is_serial(answers[f"{key}_place"])


def _device(
    key: str,
    what: str,
    role: Role,
    asked: Callable[[Answers], bool] = lambda _: True,
    without: str = "",
) -> Iterator[SiteQuestion]:
    """Yields what is asked of a device; ``without`` says what it means that there is none."""
    none = (Option(value=_NONE, text=without),) if without else ()
    yield SiteQuestion(
        key=f"{key}_table",
        text=f"Which device is {what}?",
        help="Tables for more are made without code: docs/device-tables.md.",
        options=lambda _: none + tables_for(role),
        likely=lambda answers: answers.get(f"{key}_found", _NONE if without else ""),
        asked=asked,
    )
    yield SiteQuestion(
        key=f"{key}_place",
        text=f"Where is {what}?",
        help="Such as " + ", or ".join(map(example, ("modbus", "http", "can"))) + ".",
        likely=lambda answers: answers.get(f"{key}_seen_at", ""),
        understand=partial(_place, key),
        asked=_asked_for(key),
    )
    yield SiteQuestion(
        key=f"{key}_baud",
        text="How many baud has that serial line?",
        likely=_said("9600"),
        understand=number("baud", 300, 4_000_000, whole=True),
        asked=_on_serial(key),
    )
    yield SiteQuestion(
        key=f"{key}_id",
        text="Which device id has it there?",
        help="Also called unit or slave id. `holdfast devices scan ADDRESS` finds it.",
        likely=lambda answers: answers.get(f"{key}_seen_id", "1"),
        understand=number("id", 0, 255, whole=True),
        asked=_asked_for(key, "modbus"),
    )


def _why(key: str, text: str, likely: str) -> SiteQuestion:
    return SiteQuestion(
        key=f"{key}_none",
        text=text,
        likely=_said(likely),
        asked=lambda answers: answers.get(f"{key}_table") == _NONE,
    )


_needs_pv_meter = _lacks(Role.PV_METER, "inverter", "meter")

QUESTIONS: tuple[SiteQuestion, ...] = (
    SiteQuestion(key="name", text="What is the site called?", likely=_said("my-house"), understand=_name),
    SiteQuestion(key="timezone", text="In which time zone is it?", help="Such as Europe/Berlin.",
             likely=lambda answers: answers.get("local_zone", "UTC"), understand=_zone),
    SiteQuestion(key="currency", text="In which currency are prices?", likely=_said("EUR"), understand=_currency),
    SiteQuestion(key="phases", text="How many phases has the grid connection?", likely=_said("3"),
             options=_one_of(Option(value="1"), Option(value="3"))),
    SiteQuestion(key="fuse_a", text="How many A has the main fuse?", help="It stands on the fuse, such as 35; of each phase.",
             understand=number("A", 5, 2000)),
    SiteQuestion(key="import_kw", text="How many kW may be drawn from the grid?", help="By fuse and contract.",
             likely=_import_kw, understand=number("kW", 0.5, 2000, _KW)),
    SiteQuestion(key="export_kw", text="How many kW may be fed in?", help="By contract; 0 if nothing may be.",
             understand=number("kW", 0, 2000, _KW)),
    # ------------------------------------------------------------------ devices
    *_device("inverter", "the battery's inverter", Role.INVERTER),
    *_device("bms", "the battery (its BMS)", Role.BMS, _lacks(Role.BMS, "inverter")),
    *_device("meter", "the meter at the grid connection", Role.METER, _lacks(Role.METER, "inverter")),
    *_device("pv_meter", "what measures the PV", Role.PV_METER, _needs_pv_meter, without="there is no PV"),
    *_device("emergency_input", "the emergency-stop input", Role.EMERGENCY_INPUT, without="no button is wired to Holdfast"),
    _why("emergency_input", "Why does the site need no emergency-stop input?", "the inverter has a switch of its own"),
    *_device("relays", "the relay of the battery's contactor", Role.RELAYS, without="the inverter or the battery has its own"),
    _why("relays", "Why does Holdfast need no contactor?", "the inverter has a contactor of its own"),
    # ------------------------------------------------------------------ data sheets
    SiteQuestion(key="cells", text="How many cells has the battery in series?",
             help="From its data sheet. A 51.2 V LiFePO4 pack has 16; several packs in series have that many times.",
             understand=number("cells", 1, 500, whole=True)),
    SiteQuestion(key="capacity_kwh", text="How many kWh does the battery hold when new?",
             understand=number("kWh", 0.2, 5000, "is it Wh, not kWh?")),
    SiteQuestion(key="charge_a", text="With how many A may the battery be charged at most?", help="From its data sheet.",
             understand=number("A", 1, 5000)),
    SiteQuestion(key="discharge_a", text="With how many A may it be discharged at most?",
             likely=lambda answers: answers["charge_a"], understand=number("A", 1, 5000)),
    SiteQuestion(key="charge_kw", text="With how many kW does the inverter charge at most?", help="From its data sheet.",
             understand=number("kW", 0.1, 2000, _KW)),
    SiteQuestion(key="discharge_kw", text="With how many kW does it discharge at most?",
             likely=lambda answers: answers["charge_kw"], understand=number("kW", 0.1, 2000, _KW)),
    SiteQuestion(key="inverter_phases", text="On which phases is the inverter?", likely=_said("all"),
             options=_one_of(Option(value="all", text="it is a three-phase inverter, or one on each phase"),
                             Option(value="1"), Option(value="2"), Option(value="3")),
             asked=_is("phases", "3")),
    # ------------------------------------------------------------------ prices and sun
    SiteQuestion(key="prices", text="What does a kWh cost?", likely=_said("unknown"),
             options=_one_of(Option(value="unknown", text="nothing is known; the battery serves the house"),
                             Option(value="fixed", text="always the same"),
                             Option(value="exchange", text="the exchange's price, hour by hour or quarter hour by quarter hour"),
                             Option(value="other", text="Tibber, Octopus, ENTSO-E, day and night: docs/prices.md; written by hand later"))),
    SiteQuestion(key="price", text="What does a kWh cost?", help="With all taxes, such as 0.31.",
             understand=number("per kWh", 0.001, 10, "is it cents?"), asked=_is("prices", "fixed")),
    SiteQuestion(key="zone", text="Which bidding zone?", help="Such as DE-LU, AT, NL, SE4 (energy-charts.info, without a token).",
             likely=_said("DE-LU"), asked=_is("prices", "exchange")),
    SiteQuestion(key="levies", text="What comes on top of the exchange's price, per kWh, without VAT?",
             help="Network fees, taxes and levies, such as 0.14.", likely=_said("0.14"),
             understand=number("per kWh", 0, 10, "is it cents?"), asked=_is("prices", "exchange")),
    SiteQuestion(key="vat_pct", text="How many percent VAT?", likely=_said("19"), understand=number("%", 0, 40),
             asked=_is("prices", "exchange")),
    SiteQuestion(key="feed_in", text="What is paid for a kWh that is fed in?", likely=_said("0.08"),
             understand=number("per kWh", -1, 10, "is it cents?"),
             asked=lambda answers: answers["prices"] in {"fixed", "exchange"}),
    SiteQuestion(key="sun", text="Shall the PV forecast follow sun and weather?",
             help="It takes the place and the modules; Open-Meteo is asked for the weather there.",
             options=_yes_no, likely=_said("yes"), asked=lambda answers: answers.get("pv_meter_table") != _NONE),
    SiteQuestion(key="latitude", text="At which latitude is the site?", help="Degrees, north is positive, such as 52.5.",
             understand=number("°", -90, 90), asked=_is("sun", "yes")),
    SiteQuestion(key="longitude", text="At which longitude?", help="Degrees, east is positive, such as 13.4.",
             understand=number("°", -180, 180), asked=_is("sun", "yes")),
    SiteQuestion(key="peak_kw", text="How many kW peak have the modules together?",
             understand=number("kW", 0.05, 5000, "is it W, not kW?"), asked=_is("sun", "yes")),
    SiteQuestion(key="azimuth", text="Where do they look?", help="0 north, 90 east, 180 south, 270 west. More arrays: by hand, later.",
             likely=_said("180"), understand=number("°", 0, 359), asked=_is("sun", "yes")),
    SiteQuestion(key="tilt", text="How steep are they?", help="0 flat, 90 upright.", likely=_said("35"),
             understand=number("°", 0, 90), asked=_is("sun", "yes")),
    # ------------------------------------------------------------------ running it
    SiteQuestion(key="open", text="Shall the pages be seen from other computers and phones in the house?",
             help="Then they are encrypted, with a certificate of their own.", options=_yes_no, likely=_said("yes")),
    SiteQuestion(key="resume", text="After a power cut: shall a site that was running start by itself?",
             options=_yes_no, likely=_said("yes")),
    SiteQuestion(key="contact", text="Who is to be called when it has stopped?", help="A name, for the emergency page; - for nobody.",
             likely=_said("-")),
    SiteQuestion(key="phone", text="At which number?", help="With the country's code, such as +49 30 1234567.",
             asked=lambda answers: answers["contact"] != "-"),
)  # fmt: skip


def next_question(answers: Answers) -> SiteQuestion | None:
    """Returns what is asked next; None once all is answered."""
    return next((one for one in QUESTIONS if one.key not in answers and one.asked(answers)), None)


def question_named(key: str) -> SiteQuestion | None:
    """Returns the question of that name; None if there is none."""
    return next((one for one in QUESTIONS if one.key == key), None)
