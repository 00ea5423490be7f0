"""A site's state is found by a site.yaml that need not be right: a stop waits for no edit."""

import re
from pathlib import Path

from holdfast.core.errors import ConfigError
from holdfast.core.strict_yaml import parse_yaml

DEFAULT = "state"
"""``Site.state_dir`` has the same."""
_LINE = re.compile(r"^state_dir[ \t]*:.*$", re.MULTILINE)


def state_dir_of(config: Path) -> Path:
    """Returns the site's ``state_dir``; what the key's own line says if the file is no YAML just
    now, and the default if there is no such line, or no file. Raises nothing."""
    text = _text(config)
    line = _LINE.search(text)
    value = _value(text) or (line and _value(line.group())) or DEFAULT
    return config.parent.absolute() / value


def _text(config: Path) -> str:
    try:
        return config.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _value(text: str) -> str | None:
    try:
        content = parse_yaml(text)
    except ConfigError:
        return None
    value = content.get("state_dir") if isinstance(content, dict) else None
    return value if isinstance(value, str) else None
