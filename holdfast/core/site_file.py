"""site.yaml: reading it, and saying what is wrong with it."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from holdfast.core.config import Site
from holdfast.core.errors import ConfigError
from holdfast.core.price_config import SOURCE_KINDS
from holdfast.core.section import Section

_TAGS = {"modbus_tcp", "can", *SOURCE_KINDS}


class _NoDuplicateKeys(yaml.SafeLoader):
    """A second key of the same name would silently win otherwise."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - the library's signature
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {str(key) for key in keys if keys.count(key) > 1}
        if twice:
            raise ConfigError(
                f"line {node.start_mark.line + 1}: key written twice: {', '.join(sorted(twice))}"
            )
        return super().construct_mapping(node, deep)


def load_site(path: Path) -> Site:
    """Read and check ``site.yaml``; relative paths in it count from its folder.

    Raises ConfigError, whose text names each wrong key and what would be right.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    return parse_site(text, source=str(path), folder=path.parent)


def parse_site(text: str, *, source: str = "site.yaml", folder: Path = Path()) -> Site:
    """Check the text of a ``site.yaml``. Raises ConfigError as :func:`load_site` does."""
    try:
        content = yaml.load(text, Loader=_NoDuplicateKeys)
    except yaml.YAMLError as error:
        raise ConfigError(f"{source}: is not YAML: {error}") from error
    except ConfigError as error:
        raise ConfigError(f"{source}: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{source}: is empty; `holdfast init` writes an example")
    try:
        site = Site.model_validate(content)
    except ValidationError as error:
        raise ConfigError(_explain(error, source)) from error
    return _with_absolute_paths(site, folder.absolute())


def _with_absolute_paths(site: Site, folder: Path) -> Site:
    prices = site.prices
    if prices is not None:
        prices = prices.model_copy(update=_rooted(prices, folder))
    return site.model_copy(update={"state_dir": folder / site.state_dir, "prices": prices})


def _rooted(section: Section, folder: Path) -> dict[str, object]:
    """What changes in ``section`` when each path in it is counted from ``folder``."""
    changed: dict[str, object] = {}
    for name, value in section:
        if isinstance(value, Path):
            changed[name] = folder / value
        elif isinstance(value, Section):
            changed[name] = value.model_copy(update=_rooted(value, folder))
    return changed


def _explain(error: ValidationError, source: str) -> str:
    lines = [f"{source}: {error.error_count()} wrong:"]
    for item in error.errors(include_url=False):
        where = _path(item["loc"])
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "missing":
            message = "is missing"
        elif item["type"] == "extra_forbidden":
            message = "is not a known key here"
        elif _may_be_shown(item):
            message = f"{item['input']!r}: {message[0].lower()}{message[1:]}"
        lines.append(f"  {where}: {message}")
    return "\n".join(lines)


def _may_be_shown(item: ErrorDetails) -> bool:
    """True if the wrong value helps; not if a token may stand where its place should."""
    if item["type"] == "value_error" or isinstance(item["input"], dict | list):
        return False
    return not str(item["loc"][-1]).startswith("token_")


def _path(location: tuple[int | str, ...]) -> str:
    # The tag of a connection's or a source's kind is no key of the file.
    keys = [key for key in location if key not in _TAGS]
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    return text.removeprefix(".") or "the whole file"
