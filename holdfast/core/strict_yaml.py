"""Strict YAML has no surprises: what is no number stays text, and a key is written once.

PyYAML follows YAML 1.1, in which ``yes`` and ``on`` are true, ``22:00`` is 1320 and ``010`` is 8.
Here, as in YAML 1.2, only ``true`` and ``false`` are, and numbers are decimal, or ``0x`` and
hexadecimal.

What a document may cost is bounded: its length, how deep it goes, and what its anchors (``&``) make
of it where they are named again (``*``).
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import yaml

from holdfast.core.errors import ConfigError

MAX_CHARACTERS = 128 * 1024
"""A site with dozens of units and loads needs a tenth of it."""
MAX_DEPTH = 30
"""So many sections may lie in each other."""
MAX_VALUES = 20_000
"""So many values there may be, each counted where its anchor is named, too."""
MAX_DIGITS = 30
"""So many digits may have a whole number."""

_PLAIN = {
    "bool": r"true|True|TRUE|false|False|FALSE",
    "int": r"[-+]?[0-9]+|0x[0-9a-fA-F]+",
    "float": r"[-+]?(([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|\.(inf|Inf|INF))|\.(nan|NaN|NAN)",
    "null": r"~|null|Null|NULL|",
    "merge": r"<<",
}
"""A value without quotes may be these beside text; the first pattern that fits counts."""


def _tag(kind: str) -> str:
    return f"tag:yaml.org,2002:{kind}"


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {  # noqa: RUF012 - the library's own table
        # None: whatever the value begins with.
        None: [
            (_tag(kind), re.compile(rf"(?:{form})\Z", re.ASCII)) for kind, form in _PLAIN.items()
        ]
    }

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = self._deepest = self._values = 0
        self._costs: dict[int, tuple[int, int]] = {}
        """Holds how many values are in a node that is whole, and how deep it is, by identity."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuses what is too deep or too much before anything is made of it."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1
        before, self._deepest = (self._values, self._deepest), self._depth + 1
        self._check_depth(line)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        if not isinstance(event, yaml.AliasEvent):
            self._values += 1
            self._costs[id(node)] = (self._values - before[0], self._deepest - self._depth)
        elif (cost := self._costs.get(id(node))) is None:
            raise ConfigError(f"line {line}: {event.anchor} is named in what it stands for")
        else:
            self._values += cost[0]
            self._deepest = self._depth + cost[1]
            self._check_depth(line)
        self._deepest = max(self._deepest, before[1])
        if self._values > MAX_VALUES:
            raise ConfigError(f"line {line}: there are more than {MAX_VALUES} values")
        return node

    def _check_depth(self, line: int) -> None:
        if self._deepest > MAX_DEPTH:
            raise ConfigError(f"line {line}: more than {MAX_DEPTH} sections lie in each other")

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - the library's signature
        """Refuses a second key of the same name, which would silently win."""
        lines: dict[object, int] = {}
        for key_node, _ in node.value:
            key = key_node.value
            line = key_node.start_mark.line + 1
            if isinstance(key, str) and key in lines:
                raise ConfigError(f"line {line}: {key} stands in line {lines[key]} already")
            if isinstance(key, str):
                lines[key] = line
        return super().construct_mapping(node, deep)

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        """Reads a decimal number, or ``0x`` and a hexadecimal one."""
        text = self.construct_scalar(node)
        if len(text) > MAX_DIGITS:
            line = node.start_mark.line + 1
            raise ConfigError(f"line {line}: a number of {len(text)} digits; {MAX_DIGITS} may be")
        return int(text, 16 if text.startswith("0x") else 10)


_Loader.add_constructor(_tag("int"), _Loader.construct_yaml_int)


def parse_yaml(text: str) -> object:
    """Returns the content of a YAML document. Raises ConfigError that names line and mistake."""
    if len(text) > MAX_CHARACTERS:
        raise ConfigError(f"has {len(text)} characters, and {MAX_CHARACTERS} are permitted")
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(f"line {line}: U+{error.character:04X} cannot stand in YAML") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"is not YAML: {error}") from error


LineOf = Callable[[Sequence[int | str]], int]
"""Returns the number of the line of a value that keys lead to, or as far as they lead."""


def lines_of(text: str) -> LineOf:
    """Returns what tells lines of ``text``, a document that :func:`parse_yaml` has taken.

    >>> lines_of("reads:\\n- {signal: soc_pct,\\n   address: -1}")(["reads", 0, "address"])
    3
    """
    return partial(_line_in, yaml.compose(text, Loader=_Loader))


def _line_in(node: yaml.Node | None, keys: Sequence[int | str]) -> int:
    for key in keys:
        inner = _inside(node, key)
        if inner is None:
            break
        node = inner
    return int(node.start_mark.line) + 1 if node is not None else 1


def _inside(node: yaml.Node | None, key: int | str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for name, value in node.value if name.value == str(key)), None)
    entries: list[yaml.Node] = node.value if isinstance(node, yaml.SequenceNode) else []
    return entries[key] if isinstance(key, int) and key < len(entries) else None
