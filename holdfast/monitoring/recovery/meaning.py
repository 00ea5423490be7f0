"""This module tells what a row means to people, with the device that it tells of."""

from holdfast.core.signals import SITE
from holdfast.monitoring.language import Language
from holdfast.monitoring.quantities.quantity import QuantityName
from holdfast.monitoring.recovery.rows import DEVICES, ROWS, UNKNOWN, RecoveryRow
from holdfast.monitoring.status.schema import Status


def what_is(owner: str, row: str, language: Language = Language.EN) -> str:
    """Tells what a finding of ``owner``, if it is worth a word, in ``row`` is, for people.

    >>> what_is("battery", "bms_data_lost")
    'battery, BMS: it does not answer any more'
    >>> what_is("site", "grid_voltage_low", Language.DE)
    'die Netzspannung ist zu niedrig'
    """
    device, found = _split(row)
    who = [owner] if owner not in {SITE, ""} else []
    if device in DEVICES:
        who.append(DEVICES[device].told(language))
    text = found.what.told(language)
    return f"{', '.join(who)}: {text}" if who else text


def owner_shown(status: Status, owner: str) -> str:
    """Returns the owner of a finding as it is told: empty where there is no other of its kind."""
    units = status.quantities_of(QuantityName.BATTERY_POWER)
    return "" if owner == SITE or set(units) == {owner} else owner


def steps_for(row: str, language: Language = Language.EN) -> tuple[str, ...]:
    """Returns what to do about a finding in ``row``, in its order."""
    return tuple(step.told(language) for step in _split(row)[1].steps)


def row_of(name: str) -> str | None:
    """Returns the row that a finding called ``name`` is of, with its device or without.

    >>> row_of("bms_data_lost"), row_of("wrong_sign"), row_of("nothing")
    ('data_lost', 'wrong_sign', None)
    """
    device, _ = _split(name)
    row = name.removeprefix(f"{device}_") if device else name
    return row if row in ROWS else None


def _split(row: str) -> tuple[str, RecoveryRow]:
    """Tells of which device a row tells, empty if of none, and what it says."""
    if row in ROWS:
        return "", ROWS[row]
    for device in DEVICES:
        named = row.removeprefix(f"{device}_")
        if named != row and named in ROWS:
            return device, ROWS[named]
    return "", UNKNOWN
