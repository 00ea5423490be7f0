"""Doubts tell what a site.yaml hardly means: a kW for a W, cents for euros, an example's address.

Nothing here is forbidden: each doubt tells what would be right if it is one.
"""

import ipaddress
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from holdfast.core.config import Site
from holdfast.core.config.device import (
    CAN_INTERFACES,
    CanBus,
    Connection,
    GpioChip,
    HttpHost,
    Modbus,
    ModbusRtu,
    ModbusTcp,
)
from holdfast.core.config.section import Section
from holdfast.core.role import Role
from holdfast.core.signals import SIGNALS, Signal
from holdfast.devices.http_profile import HttpProfile
from holdfast.devices.modbus_profile import MAY_BE_SLOW, ModbusProfile
from holdfast.devices.mqtt_profile import MqttProfile
from holdfast.devices.profile import load_profile
from holdfast.site.api_doubts import api_doubts
from holdfast.site.devices import address_of, physical_devices, profile_of
from holdfast.site.proof import proof_path, read_proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Tells the plausible size of one key, and what a number outside of it looks like."""

    path: str
    """In it ``[]`` means every entry of a list."""
    low: float = 0.0
    high: float = float("inf")
    """Limits the magnitude; 0 is always plausible where it is permitted."""
    unit: str
    meant: str
    """Names the unit that was probably meant."""
    factor: float
    """Leads from the unit that was meant to the key's."""


def _kilo(path: str, low: float, unit: str) -> Size:
    return Size(path=path, low=low, unit=unit, meant=f"k{unit}", factor=1000.0)


def _share(path: str) -> Size:
    return Size(path=path, low=1.01, unit="%", meant="as a share", factor=100.0)


SIZES = (
    _kilo("grid.import_max_w", 500, "W"),
    _kilo("grid.export_max_w", 100, "W"),
    _kilo("limited_power_w", 20, "W"),
    _kilo("storage[].battery.capacity_wh", 200, "Wh"),
    _kilo("storage[].inverter_hardware.charge_power_max_w", 100, "W"),
    _kilo("storage[].inverter_hardware.discharge_power_max_w", 100, "W"),
    _kilo("storage[].operation.charge_power_max_w", 20, "W"),
    _kilo("storage[].operation.discharge_power_max_w", 20, "W"),
    _kilo("storage[].operation.ramp_w_per_s", 10, "W"),
    _kilo("pv.arrays[].peak_w", 50, "W"),
    _kilo("pv.inverter_ac_max_w", 100, "W"),
    _kilo("loads[].power_w", 10, "W"),
    _kilo("loads[].energy_wh", 20, "Wh"),
    _kilo("rooms[].power_max_w", 20, "W"),
    _kilo("rooms[].capacity_wh_per_k", 5, "Wh"),
    _kilo("rooms[].loss_w_per_k", 1, "W"),
    _share("storage[].operation.soc_min_pct"),
    _share("storage[].operation.soc_max_pct"),
    _share("storage[].operation.backup_reserve_pct"),
    _share("pv.arrays[].losses_pct"),
    _share("planner.ageing_above_pct"),
    _share("planner.deep_from_pct"),
    _share("prices.purchase.vat_pct"),
    _share("prices.feed_in.vat_pct"),
)

PRICES = (
    *(
        f"prices.{direction}.{key}"
        for direction in ("purchase", "feed_in")
        for key in (
            "source.price_per_kwh", "source.prices[].price_per_kwh", "fees[].price_per_kwh",
            "levies_per_kwh",
        )
    ),
    "planner.wear_cost_per_kwh", "planner.deep_wear_cost_per_kwh",
    "planner.ageing_cost_per_kwh_day",
)  # fmt: skip
"""These keys hold money per kWh, in the site's currency."""

MONEY = {
    **dict.fromkeys(("EUR", "USD", "AUD", "CAD", "NZD"), ("ct", 1.5)),
    "GBP": ("p", 1.5),
    "CHF": ("Rp", 1.5),
    **dict.fromkeys(("DKK", "NOK", "SEK"), ("øre", 15.0)),
}
"""Maps a currency to its hundredth, and more than any tariff has per kWh. Others are not judged."""

BAUDRATES = (1200, 2400, 4800, 9600, 14_400, 19_200, 38_400, 57_600, 115_200)
"""Modbus devices speak at one of these."""

BUSY = 0.7
"""Devices take their time to answer, too."""
_REQUEST, _ANSWER, _SILENCE = 8, 5, 3.5
"""So many characters has a request for a read, an answer without its values, and a silence."""

_EXAMPLES = tuple(
    ipaddress.ip_network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
)
"""These networks are for documentation (RFC 5737): no device is in one."""


_USUAL_S: float = ModbusTcp.model_fields["timeout_s"].default


def doubts(site: Site) -> tuple[str, ...]:
    """Returns everything that looks wrong, each with what was probably meant."""
    return (
        *_sizes(site),
        *_example_addresses(site),
        *_shared_addresses(site),
        *_slow_devices(site),
        *_late_meters(site),
        *_unknown_interfaces(site),
        *_proofs(site),
        *_odd_baudrates(site),
        *_busy_lines(site),
        *api_doubts(site.api),
        *_only_browsers(site),
    )


def _only_browsers(site: Site) -> Iterator[str]:
    """Tells that nobody may be told at all: browsers have to be switched on first."""
    recipients = site.notifications.recipients
    if recipients and all(one.channel.kind == "web_push" for one in recipients):
        yield (
            "notifications: all recipients are browsers, which tell nothing before somebody has "
            "switched them on, nor without the internet; name another way beside them"
        )


def _sizes(site: Site) -> Iterator[str]:
    for size in (*SIZES, *_prices(site.currency)):
        for path, value in _values(site, size.path.split(".")):
            if value and not size.low <= abs(value) <= size.high:
                right = f"{value * size.factor:.6g}"
                yield (
                    f"{path}: {value:g} {size.unit} is not plausible; if it is meant "
                    f"{_in(size.meant)}, write {right}"
                )


def _prices(currency: str) -> Iterator[Size]:
    if currency in MONEY:
        hundredth, high = MONEY[currency]
        for path in PRICES:
            yield Size(path=path, high=high, unit=currency, meant=hundredth, factor=0.01)


def _in(unit: str) -> str:
    return unit if unit.startswith("as ") else f"in {unit}"


def _values(section: Section, keys: list[str], before: str = "") -> Iterator[tuple[str, float]]:
    """Yields path and value of every number that ``keys`` lead to."""
    key, *rest = keys
    found = getattr(section, key.removesuffix("[]"), None)
    path = f"{before}{key.removesuffix('[]')}"
    entries = [(path, found)]
    if key.endswith("[]"):
        entries = [(f"{path}[{index}]", entry) for index, entry in enumerate(found or ())]
    for place, entry in entries:
        if rest and isinstance(entry, Section):
            yield from _values(entry, rest, f"{place}.")
        elif not rest and isinstance(entry, int | float):
            yield place, entry


def _example_addresses(site: Site) -> Iterator[str]:
    paths = [one.path for one in physical_devices(site) if _is_example(one.device.connection)]
    if paths:
        yield f"{', '.join(paths)}: still at an address of the example; no device is there"


def _is_example(connection: Connection) -> bool:
    if isinstance(connection, CanBus | ModbusRtu | GpioChip):
        return False
    try:
        address = ipaddress.ip_address(connection.host)
    except ValueError:
        return False
    return any(address in network for network in _EXAMPLES)


def _slow_devices(site: Site) -> Iterator[str]:
    """Tells what it costs to give a device more time to answer than its data may be old."""
    units = {unit.name: unit for unit in site.storage}
    for one in physical_devices(site):
        connection = one.device.connection
        if not isinstance(connection, Modbus):
            continue
        timeout_s, path, name = connection.timeout_s, one.path, one.device.profile
        ages_s = {
            role: min(SIGNALS[signal].max_age_s for signal in load_profile(name).of(role).signals)
            for role in one.owners
        }
        late = [role for role in ages_s if timeout_s > max(ages_s[role] / 2.0, _USUAL_S)]
        if quick := [role for role in late if role not in MAY_BE_SLOW]:
            yield (
                f"{path}: it is given {timeout_s:g} s to answer, and what it tells is lost after "
                f"{ages_s[quick[0]]:g} s: a {quick[0]} that is so slow takes the power to 0 W"
            )
            continue
        if not late:
            continue
        owner, age_s = one.owners[late[0]], ages_s[late[0]]
        yield (
            f"{path}: it is given {timeout_s:g} s to answer: while it takes more than "
            f"{age_s / 2.0:g} s, its power is halved"
        )
        revert_s = units[owner].inverter_hardware.revert_timeout_s
        if revert_s < 3.0 * timeout_s:
            yield (
                f"{path}: a revert_timeout_s of {revert_s:g} s leaves its heartbeat fewer than "
                f"three tries of {timeout_s:g} s; {3.0 * timeout_s:g} s would be right"
            )


def _late_meters(site: Site) -> Iterator[str]:
    """Tells what it costs that a meter has new values seldom, or takes long to answer."""
    for one in physical_devices(site):
        profile, connection = load_profile(one.device.profile), one.device.connection
        if not isinstance(profile, HttpProfile | MqttProfile) or Role.METER not in one.owners:
            continue
        old_s = SIGNALS[Signal.GRID_POWER_W].max_age_s / 2.0
        lost_s = profile.lost_s(Signal.GRID_POWER_W)
        if profile.period_s > old_s:
            yield (
                f"{one.path}: {profile.name} tells a value every {profile.period_s:g} s: "
                f"while it is older than {old_s:g} s, the power is halved"
            )
        if isinstance(connection, HttpHost) and connection.timeout_s > lost_s:
            yield (
                f"{one.path}: it is given {connection.timeout_s:g} s to answer, and what it tells "
                f"is lost after {lost_s:g} s, which takes the power to 0 W"
            )


def _unknown_interfaces(site: Site) -> Iterator[str]:
    """Tells of CAN interfaces that python-can does not come with, and which was probably meant."""
    for one in physical_devices(site):
        connection = one.device.connection
        if isinstance(connection, CanBus) and connection.interface not in CAN_INTERFACES:
            near = get_close_matches(connection.interface, CAN_INTERFACES, n=1)
            meant = f"is {near[0]} meant?" if near else f"known are {', '.join(CAN_INTERFACES)}"
            yield (
                f"{one.path}: python-can comes without an interface {connection.interface!r}: "
                f"{meant}"
            )


def _proofs(site: Site) -> Iterator[str]:
    """Tells what was seen on the devices, and is not as site.yaml has it."""
    for index, unit in enumerate(site.storage):
        where, path = f"storage[{index}]", proof_path(site, unit.name)
        proof = read_proof(path)
        if proof is None:
            if path.exists():
                yield f"{where}.inverter: its proof, {path}, cannot be read, and does not count"
            continue
        if not proof.is_of(unit.inverter):
            yield (
                f"{where}.inverter: table or connection are others than those that were tried on "
                f"{proof.date}; `holdfast devices prove` tries these"
            )
            continue
        if not proof.proven:
            yield f"{where}.inverter: was tried on {proof.date} and failed: {proof.reason}"
        set_s, measured_s = unit.inverter_hardware.response_time_s, proof.response_s
        if measured_s is not None and measured_s > set_s:
            yield (
                f"{where}.inverter_hardware.response_time_s: {set_s:g} s, and {measured_s:.1f} s "
                f"were measured on {proof.date}; {math.ceil(measured_s * 1.2 * 10) / 10:g} would "
                "be right"
            )


def _odd_baudrates(site: Site) -> Iterator[str]:
    for one in physical_devices(site):
        connection = one.device.connection
        if isinstance(connection, ModbusRtu) and connection.baudrate not in BAUDRATES:
            usual = min(BAUDRATES, key=lambda rate: abs(rate - connection.baudrate))
            yield (
                f"{one.path}: hardly any device speaks at {connection.baudrate} baud; is "
                f"{usual} meant?"
            )


def _busy_lines(site: Site) -> Iterator[str]:
    """Tells of a line on which the polls take more time than there is, answers in no time."""
    paths, shares = defaultdict(list), defaultdict[str, float](float)
    rates: dict[str, int] = {}
    for one in physical_devices(site):
        connection, profile = one.device.connection, profile_of(site, one)
        if isinstance(connection, ModbusRtu) and isinstance(profile, ModbusProfile):
            paths[connection.port].append(one.path)
            shares[connection.port] += _poll_s(profile, connection) / profile.poll_period_s
            rates[connection.port] = connection.baudrate
    for port, share in shares.items():
        if share > BUSY:
            yield (
                f"{', '.join(paths[port])}: at {rates[port]} baud their polls take "
                f"{100.0 * share:.0f} % of the time on {port}; they will come less often"
            )


def _poll_s(profile: ModbusProfile, connection: ModbusRtu) -> float:
    """Returns how long the bytes of one poll take, with the silence between them."""
    bits = 9 + connection.stop_bits + (connection.parity != "none")
    characters = 0.0
    for block in profile.blocks():
        size = 2 * block.count if block.table in ("holding", "input") else -(-block.count // 8)
        characters += _REQUEST + _ANSWER + size + 2 * _SILENCE
    return characters * bits / connection.baudrate


def _shared_addresses(site: Site) -> Iterator[str]:
    """Tells of several roles at one address: right for an integrated device, and for no other."""
    paths = defaultdict(list)
    for one in physical_devices(site):
        if not isinstance(one.device.connection, GpioChip):  # several are on one chip
            paths[address_of(one.device.connection)].append(one.path)
    for address, together in paths.items():
        if len(together) > 1:
            yield f"{', '.join(together)}: all at {address}; right only if they are one device"
