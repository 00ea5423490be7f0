"""Values are kept at three levels: seconds for weeks, minutes for over a year, quarter hours for
ever.

One block holds one series at one level for a span, so that a day is read from few rows. From
minutes on it holds three rows: mean, lowest and highest.
"""

from enum import Enum

MINUTE_S = 60
HOUR_S = 3600
DAY_S = 86_400


class ValueLevel(Enum):
    """A level has a step and the span of one block, both in s; the finest is first."""

    SECOND = (1, HOUR_S)
    MINUTE = (MINUTE_S, DAY_S)
    QUARTER = (900, 30 * DAY_S)

    @property
    def step_s(self) -> int:
        """Returns the time from one value to the next."""
        return self.value[0]

    @property
    def block_s(self) -> int:
        """Returns the time that one block covers."""
        return self.value[1]

    @property
    def steps(self) -> int:
        """Returns how many values a row of a block has."""
        return self.block_s // self.step_s

    @property
    def rows(self) -> int:
        """Returns 1 for values as they were, 3 for mean, lowest and highest."""
        return 1 if self is ValueLevel.SECOND else 3

    def block_start(self, at_s: int) -> int:
        """Returns the start of the block that ``at_s`` lies in, in s since 1970."""
        return at_s - at_s % self.block_s


assert all(HOUR_S % level.step_s == 0 == level.block_s % HOUR_S for level in ValueLevel), (
    "an hour has whole steps, and a block whole hours"
)
