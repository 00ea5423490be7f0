"""Columns tell where the quantities stand in a file of measured data, and in which unit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from holdfast.core.errors import ConfigError

TIME = "time_utc"
IMPORT_PRICE, EXPORT_PRICE = "import_price_per_kwh", "export_price_per_kwh"
LOAD, PV = "load_w", "pv_w"
COLUMNS = (TIME, IMPORT_PRICE, EXPORT_PRICE, LOAD, PV)
PV_FORECAST = "pv_forecast_w"
"""This column may be there: PV power as it was forecast a day or more before."""
KNOWN = (*COLUMNS, PV_FORECAST)

_PRICES = {"per_kWh": 1.0, "ct": 0.01, "per_MWh": 0.001}
_POWERS = {"W": 1.0, "kW": 1000.0}
_ENERGIES = {"Wh": 3600.0, "kWh": 3.6e6}
"""They are those of a row's whole step: by its seconds they are a power."""
_UNITS: Mapping[str, Mapping[str, float]] = {
    TIME: {},
    **dict.fromkeys((IMPORT_PRICE, EXPORT_PRICE), _PRICES),
    **{key: {**_POWERS, **_ENERGIES} for key in (LOAD, PV, PV_FORECAST)},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Tells where one quantity stands."""

    name: str
    """It stands in the first line of the file."""
    unit: str = ""
    """It is empty if nobody said it, so it is the quantity's own."""

    @property
    def is_energy(self) -> bool:
        """Says whether it holds the energy of each step, and not the mean power."""
        return self.unit in _ENERGIES


Columns = Mapping[str, Column]
"""They are keyed by quantity."""

AS_NAMED: Columns = {key: Column(name=key) for key in KNOWN}


def factor(key: str, column: Column, step_s: int = 1) -> float:
    """Returns the factor from the unit of ``column`` to that of the quantity ``key``.

    Energies need the step.
    """
    return _UNITS[key].get(column.unit, 1.0) / (step_s if column.is_energy else 1)


def columns_of(texts: Iterable[str]) -> Columns:
    """Returns the columns after ``texts`` such as ``load_w=P_Load:kWh``. Raises ConfigError.

    >>> columns_of(["load_w=P_Load:kWh"])["load_w"]
    Column(name='P_Load', unit='kWh')
    """
    return {**AS_NAMED, **dict(map(_column, texts))}


def _column(text: str) -> tuple[str, Column]:
    key, equals, rest = text.partition("=")
    if key not in KNOWN or not equals or not rest:
        raise ConfigError(
            f"--column {text}: write QUANTITY=NAME or QUANTITY=NAME:UNIT; quantities are "
            f"{', '.join(KNOWN)}"
        )
    name, colon, unit = rest.rpartition(":")
    if not colon:
        return key, Column(name=rest)
    if unit not in _UNITS[key]:
        units = ", ".join(_UNITS[key]) or "none"
        raise ConfigError(f"--column {text}: {unit!r} is no unit of {key}; there are: {units}")
    return key, Column(name=name, unit=unit)
