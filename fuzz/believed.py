"""What a device tells is believed only where it can be true; here it is seen that this is so."""

import math
from collections.abc import Collection, Mapping

from holdfast.core.data_store import DataStore, Told
from holdfast.core.reading import Good
from holdfast.core.role import Role
from holdfast.core.signals import SIGNALS, SITE
from holdfast.devices.roles import ROLES, Per

_UNIT, _LOAD = "unit", "load"
_NAMES = {Per.SITE: SITE, Per.UNIT: _UNIT, Per.LOAD: _LOAD, Per.METERED_LOAD: _LOAD}
_OWNERS: Mapping[Role, str] = {role: _NAMES[row.per] for role, row in ROLES.items()}


def check_told(told: Collection[Told], came_ns: int) -> bool:
    """Puts what was told into a data store, and says whether any of it is believed.

    Raises AssertionError if that is no number, out of its range, or younger than ``came_ns``.
    """
    store = DataStore(units=(_UNIT,), loads=(_LOAD,))
    store.put_poll(_OWNERS, told)
    samples = [
        (signal, sample)
        for of_owner in store.image().values()
        for signal, sample in of_owner.items()
    ]
    for signal, sample in samples:
        assert sample.time_ns <= came_ns, f"{signal} is told to come from the future"
        if isinstance(sample, Good):
            row = SIGNALS[signal]
            assert math.isfinite(sample.value), f"{signal} is {sample.value}"
            assert row.low <= sample.value <= row.high, f"{signal} is {sample.value}"
    return any(isinstance(sample, Good) for _, sample in samples)
