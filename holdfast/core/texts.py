"""Texts from outside have bounds: here stands how long each may be, and what may stand in it.

A text travels: from a plan to status, audit log, metrics and a terminal. One that is too long or
holds what steers a terminal is refused where it comes in, or told as far as it can be shown.
"""

MAX_NAME = 100
"""So many characters may have the name of a site, or of anything on it."""
MAX_ID = 64
"""So many characters may have an id, a nonce, the name of a process."""
MAX_REASON = 300
"""So many characters may have a reason, and what else is one sentence."""
MAX_NOTE = 1000
"""So many characters may have a note, which is a few sentences."""
MAX_VALUE = 1000
"""So many characters may have any other text in site.yaml, such as a path."""

_SPACES = str.maketrans("\u00a0\u202f", "  ")
"""Beside the common space these may stand there: between a number and its unit."""


def is_shown(text: str) -> bool:
    """Says whether each character can be shown, and does nothing else."""
    return text.translate(_SPACES).isprintable()


def wrong_with(text: str, most: int) -> str | None:
    """Tells what is wrong with ``text`` from outside, and what would be right; None if nothing is.

    >>> wrong_with("2 kW", 3)
    'has 4 characters, and 3 are permitted'
    >>> wrong_with("a\\tb", 3)
    'holds U+0009, which is no character that can be shown'
    """
    if len(text) > most:
        return f"has {len(text)} characters, and {most} are permitted"
    if is_shown(text):
        return None
    first = next(character for character in text if not is_shown(character))
    return f"holds U+{ord(first):04X}, which is no character that can be shown"


def shown(text: str, most: int) -> str:
    """Returns ``text`` as far as it can be shown in ``most`` characters; ``…`` ends what is cut.

    >>> shown("first\\nsecond", 10)
    'first sec…'
    """
    cut = text if len(text) <= most else text[: most - 1] + "…"
    return "".join(character if is_shown(character) else " " for character in cut)
