"""Device profiles: a device is a table. This module finds the tables, and reads them.

Those that come with Holdfast lie in ``profiles/``; an owner's own lies beside site.yaml.
"""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from holdfast.core.config.device import is_file
from holdfast.core.errors import ConfigError
from holdfast.core.mistakes import in_words
from holdfast.core.strict_yaml import parse_yaml
from holdfast.devices.can_profile import CanProfile
from holdfast.devices.dbc import with_frames
from holdfast.devices.gpio_profile import GpioProfile
from holdfast.devices.http_profile import HttpProfile
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.mqtt_profile import MqttProfile
from holdfast.devices.sunspec.profile import SunSpecProfile

Profile = ModbusProfile | CanProfile | SunSpecProfile | HttpProfile | MqttProfile | GpioProfile
Outline = ModbusProfile | CanProfile | HttpProfile | MqttProfile | GpioProfile
"""What a device tells and takes, wherever it has that."""
RegisterTable = ModbusProfile | SunSpecProfile
"""What is behind it is read and told in registers."""
_ADAPTER: TypeAdapter[Profile] = TypeAdapter(
    Annotated[
        ModbusProfile | CanProfile | SunSpecProfile | HttpProfile | MqttProfile | GpioProfile,
        Field(discriminator="protocol"),
    ]
)


def profile_names() -> tuple[str, ...]:
    """Returns the names of all profiles that come with Holdfast."""
    folder = files("holdfast.devices") / "profiles"
    return tuple(
        sorted(
            entry.name.removesuffix(".yaml")
            for entry in folder.iterdir()
            if entry.name.endswith(".yaml")
        )
    )


@cache
def load_profile(name: str) -> Profile:
    """Returns the profile called ``name``, or that in a file of the owner's.

    Raises ConfigError if there is none or it is wrong.
    """
    if is_file(name):
        return parse_profile(_text_of(name), source=name, folder=Path(name).parent)
    if name not in profile_names():
        raise ConfigError(
            f"there is no profile {name!r}; known are {', '.join(profile_names())}, and a table of "
            "your own is named as a file, ./my_table.yaml"
        )
    text = (files("holdfast.devices") / "profiles" / f"{name}.yaml").read_text(encoding="utf-8")
    return parse_profile(text, source=f"{name}.yaml")


def outline_of(profile: Profile) -> Outline:
    """Returns what a device tells and takes, wherever it has that."""
    return profile.outline if isinstance(profile, SunSpecProfile) else profile


def _text_of(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"profile {path}: cannot be read: {error}") from error


def parse_profile(text: str, *, source: str, folder: Path = Path()) -> Profile:
    """Checks the text of a profile; other files that it names count from its ``folder``.

    Raises ConfigError that names what is wrong, and its line.
    """
    try:
        parsed = parse_yaml(text)
    except ConfigError as error:
        raise ConfigError(f"{source}: {error}") from error
    content = with_frames(parsed, text, source=source, folder=folder)
    try:
        return _ADAPTER.validate_python(content)
    except ValidationError as error:
        raise ConfigError(in_words(error, source, text)) from error
