"""A site.yaml is written from what was answered, with comments that say where it comes from."""

import json
from collections.abc import Iterator

from holdfast.core.role import Role
from holdfast.deployment.wizard.places import connection
from holdfast.deployment.wizard.question import Answers
from holdfast.deployment.wizard.tables import has_role, protocol_of

_DEVICES = ("inverter", "bms", "meter", "pv_meter", "emergency_input", "relays")
_NONE = "none"


def site_text(answers: Answers) -> str:
    """Returns the text of a site.yaml. It observes: what it may do more is earned."""
    blocks = (_head, _grid, _devices, _roles, _storage, _prices, _sun, _access, _contacts)
    written = ("\n".join(block(answers)) for block in blocks)
    return "\n\n".join(filter(None, written)) + "\n"


def _head(answers: Answers) -> Iterator[str]:
    yield "# Written by `holdfast init`. Every key has its unit in its name; docs/configuration.md"
    yield "# tells all keys, `holdfast check` says what is wrong."
    yield "version: 1"
    yield f"name: {answers['name']}"
    yield f"timezone: {answers['timezone']}  # for display and tariffs; control runs on UTC"
    yield f"currency: {answers['currency']}"
    yield ""
    yield "# observe: reads everything, writes nothing. Then limited, then full:"
    yield "# `holdfast checklist` tells what has to be seen before."
    yield "authority: observe"
    resume = "automatic" if answers["resume"] == "yes" else "manual"
    yield f"resume: {resume}  # after a power cut, of a site that was running"
    yield "state_dir: state  # latches, history, logs; relative to this file"


def _grid(answers: Answers) -> Iterator[str]:
    yield "grid:"
    yield f"  import_max_w: {_w(answers['import_kw'])}  # by fuse and contract"
    yield f"  export_max_w: {_w(answers['export_kw'])}  # by contract"
    yield f"  phases: {answers['phases']}"
    yield f"  fuse_a: {answers['fuse_a']}"


def _devices(answers: Answers) -> Iterator[str]:
    yield "# Each device has a name here, and takes its roles below."
    yield "devices:"
    for key in _DEVICES:
        table = answers.get(f"{key}_table", _NONE)
        if table != _NONE:
            yield f"  {key}:"
            yield f"    profile: {table}"
            yield f"    connection: {connection(protocol_of(table), answers, key)}"


def _roles(answers: Answers) -> Iterator[str]:
    meter = "meter" if "meter_table" in answers else "inverter"
    yield f"meter: {meter}  # at the grid connection"
    if not has_role(answers[f"{meter}_table"], Role.PV_METER):
        pv_meter = "inverter" if "pv_meter_table" not in answers else "pv_meter"
        yield _one(answers, "pv_meter", pv_meter, "there is no PV")
    why = answers.get("emergency_input_none", "")
    yield _one(answers, "emergency_input", "emergency_input", why)


def _one(answers: Answers, role: str, device: str, why_none: str) -> str:
    """Returns who has a role, or why nobody has."""
    if answers.get(f"{device}_table", _NONE) == _NONE:
        return f"{role}: {{none: {_quoted(why_none)}}}"
    return f"{role}: {device}"


def _storage(answers: Answers) -> Iterator[str]:
    bms = "bms" if "bms_table" in answers else "inverter"
    yield "storage:"
    yield "  - name: battery"
    yield "    battery:  # from its data sheet; nothing may be looser than this"
    yield f"      cells_in_series: {answers['cells']}"
    yield f"      capacity_wh: {_w(answers['capacity_kwh'])}"
    yield f"      charge_current_max_a: {answers['charge_a']}"
    yield f"      discharge_current_max_a: {answers['discharge_a']}"
    yield "    inverter_hardware:  # from its data sheet"
    yield f"      charge_power_max_w: {_w(answers['charge_kw'])}"
    yield f"      discharge_power_max_w: {_w(answers['discharge_kw'])}"
    yield f"      phases: {_phases(answers)}"
    yield f"    bms: {bms}"
    yield "    inverter: inverter"
    yield "    " + _one(answers, "relays", "relays", answers.get("relays_none", ""))


def _phases(answers: Answers) -> str:
    inverter = answers.get("inverter_phases", "1")
    return "[1, 2, 3]" if inverter == "all" else f"[{inverter}]"


def _prices(answers: Answers) -> Iterator[str]:
    match answers["prices"]:
        case "fixed":
            source, extra = f"{{kind: fixed, price_per_kwh: {answers['price']}}}", {}
        case "exchange":
            source = f"{{kind: energy_charts, zone: {_quoted(answers['zone'])}}}"
            extra = {"levies_per_kwh": answers["levies"], "vat_pct": answers["vat_pct"]}
        case _:
            yield "# Without prices the battery serves the house. docs/prices.md tells all sources."
            return
    yield "prices:"
    yield "  purchase:  # (source's price x factor + fees + levies) x (1 + VAT)"
    yield f"    source: {source}"
    yield from (f"    {key}: {value}" for key, value in extra.items())
    yield "  feed_in:"
    yield f"    source: {{kind: fixed, price_per_kwh: {answers['feed_in']}}}"


def _sun(answers: Answers) -> Iterator[str]:
    if answers.get("sun") != "yes":
        return
    place = f"latitude_deg: {answers['latitude']}, longitude_deg: {answers['longitude']}"
    yield "# For the PV forecast; Open-Meteo is asked for the weather there, once an hour."
    yield f"location: {{{place}}}"
    yield "pv:"
    yield "  arrays:  # azimuth: 0 north, 90 east, 180 south"
    array = (
        f"azimuth_deg: {answers['azimuth']}, tilt_deg: {answers['tilt']}, "
        f"peak_w: {_w(answers['peak_kw'])}"
    )
    yield f"    - {{{array}}}"


def _access(answers: Answers) -> Iterator[str]:
    if answers["open"] != "yes":
        yield "# Pages are for this computer alone: http://127.0.0.1:9480/ (docs/access.md)."
        return
    yield "# Pages for the whole network of the house: https, port 9480 (docs/access.md)."
    yield "api: {host: 0.0.0.0, tls: self_made}"


def _contacts(answers: Answers) -> Iterator[str]:
    if answers["contact"] == "-":
        return
    yield "# Whom the pages name after a stop."
    yield "contacts:"
    name, phone = _quoted(answers["contact"]), _quoted(answers["phone"])
    yield f"  - {{name: {name}, phone: {phone}}}"


def _w(kilo: str) -> str:
    """Returns so many kW in W, or kWh in Wh."""
    return f"{float(kilo) * 1000.0:.0f}"


def _quoted(text: str) -> str:
    """Returns a text as YAML has it, whatever is in it."""
    return json.dumps(text, ensure_ascii=False)
