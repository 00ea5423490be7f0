"""Faults of a device on its wire are set at run time; the physics behind them go on."""

from dataclasses import dataclass
from enum import StrEnum


class ProtocolFault(StrEnum):
    """Names what can be wrong with a device that is otherwise well."""

    ABSENT = "absent"
    SLOW = "slow"
    RESET = "reset"
    EXCEPTION = "exception"
    BUSY = "busy"
    WRONG_UNIT_ID = "wrong_unit_id"
    FROZEN = "frozen"
    IGNORE_SETPOINT = "ignore_setpoint"
    IGNORE_EXPORT_LIMIT = "ignore_export_limit"
    IGNORE_PV_SWITCH = "ignore_pv_switch"
    CAN_SILENT = "can_silent"
    CAN_SHORT = "can_short"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolFaultRow:
    """Describes one kind of fault."""

    protocols: frozenset[str]
    value: str
    """It tells what the number that comes with it means; empty if it means nothing."""
    default: float
    effect: str


_MODBUS, _CAN, _HTTP = frozenset({"modbus"}), frozenset({"can"}), frozenset({"http"})
_MQTT, _STICK = frozenset({"mqtt"}), frozenset({"modbus_mqtt"})
_ASKED, _REGISTERS = _MODBUS | _HTTP | _STICK, _MODBUS | _STICK
_ALL = _ASKED | _CAN | _MQTT


def _row(protocols: frozenset[str], value: str, default: float, effect: str) -> ProtocolFaultRow:
    return ProtocolFaultRow(protocols=protocols, value=value, default=default, effect=effect)


_F = ProtocolFault

# fmt: off
FAULTS: dict[ProtocolFault, ProtocolFaultRow] = {
    _F.ABSENT:          _row(_ASKED | _MQTT, "", 1.0, "not there; on a shared port no answer"),
    _F.SLOW:            _row(_ASKED,  "delay in s", 1.0, "requests act at once, answers come late"),
    _F.RESET:           _row(_MODBUS | _HTTP, "", 1.0, "half an answer, then a reset"),
    _F.EXCEPTION:       _row(_ASKED,  "exception code", 4.0, "it answers all; over HTTP 503"),
    _F.BUSY:            _row(_ASKED,  "share in %", 5.0, "so many requests get exception 6"),
    _F.WRONG_UNIT_ID:   _row(_MODBUS, "", 1.0, "answers carry another unit id"),
    _F.FROZEN:          _row(_ALL,    "", 1.0, "values stay as they are now; writes still act"),
    _F.IGNORE_SETPOINT: _row(_REGISTERS | _MQTT, "", 1.0, "setpoints are acknowledged, not stored"),
    _F.IGNORE_EXPORT_LIMIT: _row(_REGISTERS, "", 1.0, "the same, of the export limit"),
    _F.IGNORE_PV_SWITCH: _row(_REGISTERS, "", 1.0, "the same, of the PV switch"),
    _F.CAN_SILENT:      _row(_CAN,    "", 1.0, "no frames are sent"),
    _F.CAN_SHORT:       _row(_CAN,    "", 1.0, "every frame lacks its second half"),
}
# fmt: on

assert FAULTS.keys() == set(ProtocolFault), "every fault has exactly one row"


class FaultSet:
    """Holds the faults of one device, with the number that comes with each."""

    def __init__(self, name: str, protocol: str) -> None:
        self._name, self._protocol = name, protocol
        self._values: dict[ProtocolFault, float] = {}
        self._requests = 0

    def set(self, fault: ProtocolFault, value: float | None = None) -> None:
        """Begins ``fault``. Raises ValueError where it makes no sense."""
        row = FAULTS[fault]
        if self._protocol not in row.protocols:
            raise ValueError(f"{self._name} speaks {self._protocol}: {fault} is no fault of it")
        value = row.default if value is None else value
        if not 0.0 < value <= 255.0:
            raise ValueError(f"{fault}: {value:g} is not within 0 to 255")
        self._values[fault] = value

    def clear(self, fault: ProtocolFault | None = None) -> None:
        """Ends ``fault``, or all of them."""
        if fault is None:
            self._values.clear()
        else:
            self._values.pop(fault, None)

    def get(self, fault: ProtocolFault) -> float | None:
        """Returns the number of an active fault, else None."""
        return self._values.get(fault)

    @property
    def exception(self) -> int | None:
        """Returns the exception code that answers the request at hand; None if it is carried out.

        Of a device that is busy each request counts, so it is asked for once a request.
        """
        busy_pct = self._values.get(ProtocolFault.BUSY, 0.0)
        before, self._requests = self._requests, self._requests + 1
        if int(self._requests * busy_pct / 100.0) > int(before * busy_pct / 100.0):
            return 6
        code = self._values.get(ProtocolFault.EXCEPTION)
        return None if code is None else int(code)

    def __contains__(self, fault: ProtocolFault) -> bool:
        return fault in self._values

    def as_dict(self) -> dict[str, float]:
        """Returns the active faults, for a status."""
        return {str(fault): value for fault, value in self._values.items()}
