"""This module reads site.yaml and says what is wrong with it."""

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from holdfast.core.config import Site
from holdfast.core.config.prices import Prices
from holdfast.core.config.section import FilePath, Section
from holdfast.core.errors import ConfigError
from holdfast.core.mistakes import in_words
from holdfast.core.strict_yaml import parse_yaml
from holdfast.site.device_places import with_devices
from holdfast.site.versions import bring_up_to_date

_AnySection = TypeVar("_AnySection", bound=Section)


def load_site(path: Path) -> Site:
    """Reads and checks ``site.yaml``; relative paths in it count from its folder.

    Raises ConfigError, whose text names each wrong key and what would be right.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"there is no {path}; `holdfast init` writes an example") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    return parse_site(text, source=str(path), folder=path.parent)


def parse_site(text: str, *, source: str = "site.yaml", folder: Path = Path()) -> Site:
    """Checks the text of a ``site.yaml``. Raises ConfigError as :func:`load_site` does."""
    try:
        content = parse_yaml(text)
        if not isinstance(content, dict):
            raise ConfigError("is empty; `holdfast init` writes an example")  # noqa: TRY301
        bring_up_to_date(content)
        site = Site.model_validate(with_devices(content, folder.absolute()))
    except ConfigError as error:
        raise ConfigError(f"{source}: {error}") from error
    except ValidationError as error:
        raise ConfigError(in_words(error, source)) from error
    return _with_absolute_paths(site, folder.absolute())


def load_prices(path: Path) -> Prices:
    """Reads a file with a ``prices`` section as of ``site.yaml``; what else it has is passed over.

    Relative paths in it count from its folder. Raises ConfigError as :func:`load_site` does.
    """
    try:
        content = parse_yaml(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or "prices" not in content:
            raise ConfigError("prices: is missing; write it as in site.yaml")  # noqa: TRY301
        prices = Prices.model_validate(content["prices"])
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    except ValidationError as error:
        raise ConfigError(in_words(error, str(path))) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    return _rooted_copy(prices, path.parent.absolute())


def _with_absolute_paths(site: Site, folder: Path) -> Site:
    """Returns ``site`` with each path counted from ``folder``; a device's are its own matter."""
    changed: dict[str, object] = {}
    for name in ("prices", "api", "storm_reserve", "notifications"):
        section = getattr(site, name)
        if section is not None:
            changed[name] = section.model_copy(update=_rooted(section, folder))
    for name in ("state_dir", "rules"):
        path = getattr(site, name)
        if path is not None:
            changed[name] = FilePath(folder / path)
    calendars = {
        name: calendar.model_copy(update=_rooted(calendar, folder))
        for name, calendar in site.schedule.calendars.items()
    }
    changed["schedule"] = site.schedule.model_copy(update={"calendars": calendars})
    return site.model_copy(update=changed)


def _rooted(section: Section, folder: Path) -> dict[str, object]:
    """Returns what changes in ``section`` when each path in it is counted from ``folder``."""
    changed: dict[str, object] = {}
    for name, value in section:
        if isinstance(value, FilePath):
            changed[name] = FilePath(folder / value)
        elif isinstance(value, Section):
            changed[name] = _rooted_copy(value, folder)
        elif isinstance(value, tuple):
            changed[name] = tuple(
                _rooted_copy(part, folder) if isinstance(part, Section) else part for part in value
            )
    return changed


def _rooted_copy(section: _AnySection, folder: Path) -> _AnySection:
    return section.model_copy(update=_rooted(section, folder))
