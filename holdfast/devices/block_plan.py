"""Registers are read in blocks: this module plans as few requests as a device permits."""

from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.devices.register_image import Place, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterBlock:
    """Holds neighbouring registers, or bits, that one request reads."""

    device_id: int | None
    table: Table
    address: int
    count: int

    @property
    def places(self) -> tuple[Place, ...]:
        """Returns where its words are, in the order in which they come."""
        addresses = range(self.address, self.address + self.count)
        return tuple((self.device_id, self.table, address) for address in addresses)


def plan_blocks(
    runs: Iterable[tuple[Place, ...]], *, longest: int, gap: int
) -> tuple[RegisterBlock, ...]:
    """Returns blocks that cover ``runs``, each of them in one block: its words belong together.

    No block is longer than ``longest``, and none reads more than ``gap`` registers in a row that
    nobody wants.
    """
    blocks: list[RegisterBlock] = []
    for run in sorted(runs, key=_order):
        device_id, table, address = run[0]
        end = address + len(run)
        last = blocks[-1] if blocks else None
        if (
            last is not None
            and (last.device_id, last.table) == (device_id, table)
            and address <= last.address + last.count + gap
            and end - last.address <= longest
        ):
            address, end = last.address, max(end, last.address + last.count)
            blocks.pop()
        blocks.append(
            RegisterBlock(device_id=device_id, table=table, address=address, count=end - address)
        )
    return tuple(blocks)


def _order(run: tuple[Place, ...]) -> tuple[str, str, int, int]:
    device_id, table, address = run[0]
    return str(device_id), table, address, len(run)
