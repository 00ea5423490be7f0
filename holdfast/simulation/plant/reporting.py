"""A device tells of the plant only the signals of its profile, as coarse as its registers."""

from collections.abc import Mapping

from holdfast.core.signals import Signal
from holdfast.devices.profile import CanProfile, ModbusProfile, Profile

Values = Mapping[Signal, float]

_Place = tuple[object, ...]


class Reporter:
    """Rounds values as the registers or frames of ``profile`` do.

    Signals that share one register show one sensor: the mean of them.
    """

    def __init__(self, profile: Profile) -> None:
        places = (
            _modbus_places(profile) if isinstance(profile, ModbusProfile) else _can_places(profile)
        )
        by_place: dict[_Place, list[Signal]] = {}
        for signal, (place, _, _) in places.items():
            by_place.setdefault(place, []).append(signal)
        self._rows = [
            (signal, scale, plus, None if len(by_place[place]) == 1 else by_place[place])
            for signal, (place, scale, plus) in places.items()
        ]

    def report(self, values: Values) -> list[tuple[Signal, float]]:
        """Returns each signal of the profile with its value once decoded."""
        result = []
        for signal, scale, plus, shared in self._rows:
            value = values[signal]
            if shared is not None:
                value = sum([values[other] for other in shared]) / len(shared)
            if scale:
                value = round((value - plus) / scale) * scale + plus
            result.append((signal, value))
        return result


def _modbus_places(profile: ModbusProfile) -> dict[Signal, tuple[_Place, float, float]]:
    return {
        read.signal: ((read.table, read.address), read.resolution, 0.0) for read in profile.reads
    }


def _can_places(profile: CanProfile) -> dict[Signal, tuple[_Place, float, float]]:
    """Tells where a signal is found; of several places the last frame is the one that stays."""
    places: dict[Signal, tuple[_Place, float, float]] = {}
    for frame in profile.frames:
        for field in frame.fields:
            places[field.signal] = ((frame.id, field.byte), field.scale, field.plus)
        for flag in frame.flags:
            places[flag.signal] = ((frame.id, flag.signal), 1.0, 0.0)
    return places
