"""This module writes amounts of money."""


def money_text(amount: float | None) -> str:
    """Returns an amount of money, or a dash where it is not known.

    >>> money_text(1.234), money_text(-0.001), money_text(None)
    ('1.23', '0.00', '–')
    """
    return "–" if amount is None else f"{round(amount, 2) + 0.0:.2f}"
