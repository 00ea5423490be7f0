"""The description of the API as a page, made of its OpenAPI document. It is pure."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

STYLE: Final = """\
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid; }
h3 { font: bold 1rem ui-monospace, monospace; overflow-wrap: anywhere; }
code, pre { font: 0.9rem ui-monospace, monospace; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: 0.2rem 1rem 0.2rem 0; }
nav ul { columns: 12rem; }
"""
Schema = Mapping[str, Any]


def docs_page(api: Schema) -> str:
    """Returns the page of an OpenAPI document."""
    about = api["info"]
    title = f"{about['title']} {about['version']}: the API"
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{_text(title)}</title>",
            '<link rel="stylesheet" href="/docs/style.css"></head><body>',
            f"<h1>{_text(title)}</h1>",
            '<p>For programs: <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.</p>',
            *_operations(api),
            *_schemas(api),
            "</body></html>",
        )
    )


def _operations(api: Schema) -> Iterator[str]:
    subjects: dict[str, list[tuple[str, str, Schema]]] = {}
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            subject = (operation.get("tags") or ["other"])[0]
            subjects.setdefault(subject, []).append((method.upper(), path, operation))
    yield "<nav><ul>"
    yield from (f'<li><a href="#{_text(name)}">{_text(name)}</a></li>' for name in subjects)
    yield "</ul></nav>"
    for name, operations in subjects.items():
        yield f'<h2 id="{_text(name)}">{_text(name)}</h2>'
        for method, path, operation in operations:
            yield from _operation(method, path, operation)


def _operation(method: str, path: str, operation: Schema) -> Iterator[str]:
    yield f"<h3>{_text(f'{method} {path}')}</h3>"
    yield f"<p>{_text(operation.get('description', ''))}</p>"
    rows = [
        (parameter["name"], _kind(parameter["schema"]), parameter.get("description", ""))
        for parameter in operation.get("parameters", ())
    ]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body is not None:
        rows.append(("body", _kind(body["schema"]), ""))
    rows += [
        (code, _content(answer), answer["description"])
        for code, answer in operation["responses"].items()
    ]
    yield from _table(rows)


def _content(answer: Schema) -> str:
    return ", ".join(
        _kind(content["schema"]) if kind == "application/json" else f"<code>{_text(kind)}</code>"
        for kind, content in answer.get("content", {}).items()
    )


def _schemas(api: Schema) -> Iterator[str]:
    yield '<h2 id="values">Values</h2>'
    for name, schema in api["components"]["schemas"].items():
        yield f'<h3 id="value-{_text(name)}">{_text(name)}</h3>'
        yield f"<p>{_text(schema.get('description', ''))}</p>"
        if "enum" in schema:
            yield f"<p>{_text(' | '.join(map(str, schema['enum'])))}</p>"
        yield from _table(
            [
                (key, _kind(value), value.get("description", ""))
                for key, value in schema.get("properties", {}).items()
            ]
        )


def _table(rows: list[tuple[str, str, str]]) -> Iterator[str]:
    """Yields a table; the middle of each row is HTML already."""
    if not rows:
        return
    yield "<table><tbody>"
    for name, kind, text in rows:
        yield (
            f'<tr><th scope="row"><code>{_text(name)}</code></th>'
            f"<td>{kind}</td><td>{_text(text)}</td></tr>"
        )
    yield "</tbody></table>"


def _kind(schema: Schema) -> str:
    """Returns what a value is, as HTML; other values are linked."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return f'<a href="#value-{_text(name)}">{_text(name)}</a>'
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return " | ".join(map(_kind, schema[choice]))
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return _text(" | ".join(map(str, values)))
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}" if "items" in schema else "list"
    words = [schema.get("format") or schema.get("type", "anything")]
    words += [
        f"{sign} {schema[key]}"
        for key, sign in (("minimum", "&ge;"), ("maximum", "&le;"))
        if key in schema
    ]
    return " ".join(map(str, words))


def _text(value: object) -> str:
    return escape(str(value))
