"""What a supervisor needs of a site is found out by a child, which takes most of Holdfast and ends.

The supervisor itself stays for as long as the site, and small.
"""

from collections.abc import Callable
from pathlib import Path

from holdfast.runtime.begun_site import BegunSite
from holdfast.runtime.child import Child

LONGEST_S = 300.0
"""A small computer that boots is slow; and a device that is given back may be busy."""


def begin(config: Path) -> BegunSite:
    """Checks a site, makes its folders, and refuses what another one has or steers.

    Raises HoldfastError as that does.
    """
    with Child("begin", _beginner, timeout_s=LONGEST_S) as child:
        return child.ask(config)


def give_back_all(begun: BegunSite) -> tuple[str, ...]:
    """Gives back the inverters of a site that has come to rest, as it was read at its beginning.

    Returns what became of that, in words. Raises ChildFailed.
    """
    with Child("give back", _giver, timeout_s=LONGEST_S) as child:
        return child.ask(begun.site)


def _beginner() -> Callable[[Path], BegunSite]:
    from holdfast.runtime.beginning import beginning_of

    return beginning_of


def _giver() -> Callable[[bytes], tuple[str, ...]]:
    from holdfast.runtime.beginning import given_back

    return given_back
