"""HiGHS is started so that it prints nothing."""

from collections.abc import Mapping
from typing import Any

import highspy


def new_solver(options: Mapping[str, bool | int | float | str]) -> Any:
    """Returns an empty HiGHS with these options."""
    highs: Any = _Silent()  # type: ignore[no-untyped-call]
    for option, value in options.items():
        highs.setOptionValue(option, value)
    return highs


class _Silent(highspy.Highs):
    """This is HiGHS without its banner.

    The banner would end up in our output, which programs read as JSON.
    """

    def enableCallbacks(self) -> None:  # noqa: N802 - the library's name
        """Switches output off first: this prints the banner, and is called while HiGHS starts."""
        self.setOptionValue("output_flag", False)  # noqa: FBT003 - positional in the library
        super().enableCallbacks()  # type: ignore[no-untyped-call]
