"""A device tells of the plant only the signals of its profile, as coarse as its registers."""

from collections.abc import Mapping

from holdfast.core.signals import Signal
from holdfast.devices.can_profile import CanProfile
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.profile import Profile, outline_of
from holdfast.devices.registers import RegisterRead

Values = Mapping[Signal, float]

_Place = tuple[object, ...]


class Reporter:
    """Rounds values as the registers or frames of ``profile`` do.

    Signals that share one register show one sensor: the mean of them.
    """

    def __init__(self, profile: Profile) -> None:
        self._constants: tuple[tuple[Signal, float], ...] = ()
        profile = outline_of(profile)
        if isinstance(profile, ModbusProfile):
            places, self._constants = _modbus_places(profile), tuple(profile.constants.items())
        elif isinstance(profile, CanProfile):
            places = _can_places(profile)
        else:
            places = {signal: ((signal,), 0.0, 0.0) for signal in sorted(profile.signals)}
        by_place: dict[_Place, list[Signal]] = {}
        for signal, (place, _, _) in places.items():
            by_place.setdefault(place, []).append(signal)
        self._rows = [
            (signal, scale, plus, None if len(by_place[place]) == 1 else by_place[place])
            for signal, (place, scale, plus) in places.items()
        ]

    def report(self, values: Values) -> list[tuple[Signal, float]]:
        """Returns each signal of the profile with its value once decoded."""
        result = list(self._constants)
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
        row.signal: (row.runs, 0.0 if row.per else row.resolution, row.plus)
        if isinstance(row, RegisterRead)
        else ((row.point,), row.resolution, 0.0)
        for row in profile.tellers
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
