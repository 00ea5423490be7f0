"""A password stands where site.yaml says, and in no text of ours."""

import os
from pathlib import Path

from holdfast.core.config.device import Broker
from holdfast.core.errors import DeviceUnreachable

_LONGEST = 4096


def password_of(connection: Broker) -> str | None:
    """Returns the password for a broker, None if it wants none.

    Raises DeviceUnreachable, which says what is wrong with the place where it should be.
    """
    if connection.password_env is not None:
        place, password = f"password_env: {connection.password_env}", _of_variable(connection)
    elif connection.password_file is not None:
        place, password = f"password_file: {connection.password_file}", _of_file(connection)
    else:
        return None
    if not 0 < len(password) <= _LONGEST or not password.isprintable():
        raise DeviceUnreachable(f"{place} holds no password")
    return password


def _of_variable(connection: Broker) -> str:
    password = os.environ.get(str(connection.password_env))
    if password is None:
        raise DeviceUnreachable(f"password_env: {connection.password_env} is not set")
    return password


def _of_file(connection: Broker) -> str:
    try:
        with Path(str(connection.password_file)).open(encoding="utf-8") as file:
            return file.read(_LONGEST + 2).strip()
    except OSError as error:
        raise DeviceUnreachable(f"password_file: {error}") from None
    except UnicodeDecodeError:
        raise DeviceUnreachable(
            f"password_file: {connection.password_file} holds no password"
        ) from None
