"""This module reads model definitions; the library of the SunSpec Alliance brings them as files."""

import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from holdfast.core.errors import ConfigError
from holdfast.devices.sunspec.binding import NotBound
from holdfast.devices.sunspec.definitions import ModelDefinition, parse_model
from holdfast.devices.sunspec.profile import SunSpecProfile


def load_models(numbers: Iterable[int]) -> dict[int, ModelDefinition]:
    """Returns these models by number.

    Raises ConfigError without the extra ``sunspec``, and for a model that nobody has defined.
    """
    return {number: _model(number) for number in sorted(numbers)}


def check_names(profile: SunSpecProfile) -> None:
    """Raises ConfigError if a model never has what the table names, and as :func:`load_models`."""
    try:
        profile.check(load_models(profile.model_ids))
    except NotBound as error:
        raise ConfigError(f"profile {profile.name}: {error}") from error


@cache
def _model(number: int) -> ModelDefinition:
    try:
        import sunspec2
    except ImportError as error:
        raise ConfigError(
            "a SunSpec device needs the extra sunspec: pip install holdfast[sunspec]"
        ) from error
    file = files(sunspec2) / "models" / "json" / f"model_{number}.json"
    try:
        return parse_model(json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise ConfigError(f"SunSpec has no model {number}") from error
