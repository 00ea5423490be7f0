"""Registers of SunSpec devices, made by hand."""

from collections.abc import Iterable, Mapping, Sequence

MARK = (0x5375, 0x6E53)
END = (0xFFFF, 0)
COMMON = (1, 66)


def laid_out(
    models: Iterable[tuple[int, int]], *, base: int = 40000, end: Sequence[int] = END
) -> dict[int, int]:
    """Models by number and length, one behind the other; what is in them is 0."""
    registers = dict(enumerate(MARK, base))
    address = base + 2
    for number, length in models:
        block = (number, length, *[0] * length)
        registers |= dict(enumerate(block, address))
        address += len(block)
    return registers | dict(enumerate(end, address))


class Asked:
    """Answers from registers, and counts how often it was asked."""

    def __init__(self, registers: Mapping[int, int]) -> None:
        self.registers = registers
        self.requests: list[tuple[int, int]] = []

    def __call__(self, address: int, count: int) -> list[int] | None:
        self.requests.append((address, count))
        words = [self.registers.get(address + index) for index in range(count)]
        return None if None in words else [word or 0 for word in words]
