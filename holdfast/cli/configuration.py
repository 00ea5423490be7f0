"""The reference page of site.yaml shows every key, from the sections that check it."""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, get_args, get_origin

from holdfast.core.config import Site
from holdfast.core.config.section import Section

_HEAD = """\
# Configuration

Made by `holdfast init --markdown`; do not edit. Every key of site.yaml, by the section that it
stands in: `storage[].battery` is the section `battery` of each entry in the list `storage`. Prices
and costs are in the site's currency. Paths count from the folder of site.yaml. `holdfast check`
tells what is hardly meant, `holdfast limits` what follows for each limit.
"""
_UNITS = (
    ("_per_kwh_day", "/kWh/d"), ("_per_kwh", "/kWh"), ("_per_kw", "/kW"), ("_per_k_h", "/(K h)"),
    ("_wh_per_k", "Wh/K"), ("_w_per_k", "W/K"), ("_w_per_s", "W/s"), ("_wh", "Wh"), ("_w", "W"),
    ("_v", "V"), ("_a", "A"), ("_c", "°C"), ("_hz", "Hz"), ("_s", "s"), ("_ms", "ms"), ("_h", "h"),
    ("_minutes", "min"), ("_pct", "%"), ("_deg", "°"), ("_m", "m"),
)  # fmt: skip
"""A key's unit follows from the end of its name; the first that fits counts."""
_BOUNDS = (
    ("exclusiveMinimum", "> "),
    ("minimum", "≥ "),
    ("exclusiveMaximum", "< "),
    ("maximum", "≤ "),
)
_TYPES = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true or false",
}
_CLOCKS = ("from", "to")
"""These are minutes of the day, which the file has as a time."""


def configuration_page() -> str:
    """Returns the whole page, in Markdown."""
    schema = Site.model_json_schema(by_alias=True)
    lines = [_HEAD]
    for section, places in _places(Site).items():
        properties = schema["$defs"].get(section.__name__, schema)["properties"]
        properties = {key: _resolved(rule, schema["$defs"]) for key, rule in properties.items()}
        lines += [f"## {_title(section, places)}", "", *_about(section, places), ""]
        lines += ["| key | value | default | meaning |", "|---|---|---|---|"]
        lines += [_row(key, rule, meaning) for key, rule, meaning in _keys(section, properties)]
        lines.append("")
    return "\n".join(lines)


def meanings(section: type[Section]) -> dict[str, str]:
    """Tells what each key of a section means, by field: the text below it in the source."""
    found: dict[str, str] = {}
    for owner in reversed(section.__mro__):
        if not issubclass(owner, Section):
            continue
        (written,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
        assert isinstance(written, ast.ClassDef)
        for field, text in pairwise(written.body):
            match field, text:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(ast.Constant(str(meaning))):
                    found[name] = " ".join(meaning.split())
    return found


def sections() -> tuple[type[Section], ...]:
    """Returns all sections that can stand in site.yaml, in the order in which it has them."""
    return tuple(_places(Site))


def _places(root: type[Section]) -> dict[type[Section], list[str]]:
    """Tells where each section stands."""
    places: dict[type[Section], list[str]] = {}
    rest = [(root, "")]
    while rest:
        section, place = rest.pop(0)
        places.setdefault(section, []).append(place)
        inner = []
        for name, field in section.model_fields.items():
            key = f"{place}.{field.alias or name}".removeprefix(".")
            inner += [(found, key + mark) for found, mark in _inside(field.annotation, "")]
        rest[:0] = inner
    return places


def _inside(annotation: Any, mark: str) -> Iterator[tuple[type[Section], str]]:
    """Yields the sections in a type, each with the mark of a list or of names that one gives."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation, mark
    marks: dict[Any, str] = {tuple: "[]", dict: ".*"}
    for part in get_args(annotation):
        yield from _inside(part, marks.get(get_origin(annotation), mark))


def _title(section: type[Section], places: list[str]) -> str:
    if places == [""]:
        return "The whole file"
    kind = _kind(section)
    return f"`{places[0]}`" + (f", kind {kind}" if kind else "")


def _about(section: type[Section], places: list[str]) -> Iterator[str]:
    yield _text(inspect.cleandoc(section.__doc__ or "").split("\n\n")[0].replace("\n", " "))
    if places[1:]:
        yield ""
        yield "Also: " + ", ".join(f"`{place}`" for place in places[1:]) + "."


def _kind(section: type[Section]) -> str:
    field = section.model_fields.get("kind")
    return "" if field is None else f"`{get_args(field.annotation)[0]}`"


def _keys(
    section: type[Section], properties: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    meaning = meanings(section)
    for name, field in section.model_fields.items():
        key = field.alias or name
        yield key, properties[key] | {"required": field.is_required()}, meaning[name]


def _row(key: str, rule: Mapping[str, Any], meaning: str) -> str:
    return f"| `{key}` | {_value(key, rule)} | {_default(key, rule)} | {_text(meaning)} |"


def _value(key: str, rule: Mapping[str, Any]) -> str:
    choices = [choice for choice in rule.get("anyOf", [rule]) if choice.get("type") != "null"]
    return _kind_of_value(key, {**rule, **choices[0]})


def _kind_of_value(key: str, rule: Mapping[str, Any]) -> str:
    if "const" in rule or "enum" in rule:
        return ", ".join(f"`{choice}`" for choice in rule.get("enum", [rule.get("const")]))
    if rule.get("type") == "array":
        entry = rule["items"]
        inner = "sections" if _is_section(entry) else _kind_of_value("", entry)
        return f"list of {inner}" + ("; one at least" if rule.get("minItems") else "")
    if rule.get("type") == "object":
        return "sections by name"
    if _is_section(rule):
        return "section"
    if key in _CLOCKS and rule["type"] == "integer":
        return "quarter hour, such as `06:00`"
    if rule.get("format") == "date":
        return "date, such as `2026-12-24`"
    unit = next((unit for end, unit in _UNITS if f"_{key}".endswith(end)), "")
    words = [_TYPES[rule["type"]], unit and f"in {unit}"]
    bounds = [f"{sign}{rule[name]:.10g}" for name, sign in _BOUNDS if name in rule]
    form = [f"of the form `{rule['pattern']}`"] if "pattern" in rule else []
    return ", ".join([" ".join(filter(None, words)), *bounds, *form])


def _resolved(rule: Any, definitions: Mapping[str, Any]) -> Any:
    """Puts choices where the schema refers to them; what else it refers to is a section."""
    if isinstance(rule, list):
        return [_resolved(part, definitions) for part in rule]
    if not isinstance(rule, dict):
        return rule
    name = str(rule.get("$ref", "")).removeprefix("#/$defs/")
    if "enum" in definitions.get(name, {}):
        return definitions[name]
    return {key: _resolved(value, definitions) for key, value in rule.items()}


def _is_section(rule: Mapping[str, Any]) -> bool:
    return "$ref" in rule or "oneOf" in rule


def _default(key: str, rule: Mapping[str, Any]) -> str:
    value = rule.get("default")
    if rule["required"]:
        return "**required**"
    if value is None or isinstance(value, dict | list):
        return ""
    if key in _CLOCKS and isinstance(value, int):
        return f"`{value // 60:02}:{value % 60:02}`"
    if isinstance(value, float):
        return f"`{value:.10g}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _text(docstring: str) -> str:
    """Words ``docstring`` as a reader of the file would."""
    for library, reader in (("``", "`"), ("; None:", "; left out:"), ("None:", "Left out:")):
        docstring = docstring.replace(library, reader)
    return docstring.replace("|", "\\|")
