"""This module tells how long to leave a source alone that gave nothing."""

from datetime import timedelta

from holdfast.core.errors import SourceError
from holdfast.web.request import RateLimited, TokenRefused

_FIRST_RETRY = timedelta(minutes=1)
_LAST_RETRY = timedelta(minutes=40)
"""With the random part it is an hour at most."""
_REFUSED = _LAST_RETRY
_LONGEST = timedelta(days=1)


def wait_after_failure(
    failures: int, error: SourceError, limited: timedelta, chance: float
) -> timedelta:
    """Returns the wait after so many ``failures`` in a row, the last of which was ``error``.

    ``limited`` is for a source that found us too eager and does not say how long. ``chance`` is a
    random number from 0 to 1, so that not all sites come back together.
    """
    doubled = _FIRST_RETRY * (1 << min(failures - 1, 8))
    wait = min(doubled, _LAST_RETRY)
    match error:
        case RateLimited():
            told = timedelta(seconds=min(error.retry_after_s, _LONGEST.total_seconds()))
            wait = max(wait, told or limited)
        case TokenRefused():
            wait = _REFUSED
        case _:
            pass
    return wait * (1.0 + chance / 2.0)
