"""A unit such as ct/kWh says the currency, and how much of it."""

import re
from types import MappingProxyType
from unicodedata import normalize

_PER_KWH = MappingProxyType({"kwh": 1.0, "mwh": 0.001, "wh": 1000.0})
_NAMES = MappingProxyType(
    {
        "€": "EUR", "euro": "EUR", "euros": "EUR", "£": "GBP", "kč": "CZK", "kc": "CZK",
        "zł": "PLN", "zl": "PLN", "lei": "RON", "leu": "RON", "ft": "HUF", "лв": "BGN",
    }
)  # fmt: skip
_HUNDREDTHS = MappingProxyType(
    {
        **dict.fromkeys(
            ("c€", "ct€", "€c", "€ct", "€-ct", "€-cent", "eurocent", "eurocents", "snt"), "EUR"
        ),
        "p": "GBP", "pence": "GBP", "rp": "CHF", "gr": "PLN", "haléř": "CZK", "bani": "RON",
    }
)  # fmt: skip
_SITES_OWN = frozenset({"$", "kr", "kr."})
"""Several currencies have this sign; the site's is meant."""
_SITES_HUNDREDTHS = frozenset({"c", "ct", "cent", "cents", "¢", "öre", "øre", "ore"})
"""Several currencies have a hundredth of this name; the site's is meant."""


def unit_of(text: object, site_currency: str) -> tuple[str, float] | None:
    """Returns the currency, and what to multiply by to have it per kWh; None if it says neither.

    >>> unit_of("EUR/MWh", "EUR"), unit_of("öre/kWh", "SEK"), unit_of("Kč / kWh", "CZK")
    (('EUR', 0.001), ('SEK', 0.01), ('CZK', 1.0))
    """
    written = normalize("NFC", text).lower() if isinstance(text, str) else ""
    money, _, energy = (part.strip() for part in written.partition("/"))
    per_kwh = _PER_KWH.get(energy)
    if per_kwh is None:
        return None
    if money in _SITES_OWN:
        return site_currency, per_kwh
    if money in _SITES_HUNDREDTHS:
        return site_currency, 0.01 * per_kwh
    if money in _HUNDREDTHS:
        return _HUNDREDTHS[money], 0.01 * per_kwh
    if money in _NAMES or re.fullmatch("[a-z]{3}", money):
        return _NAMES.get(money, money.upper()), per_kwh
    return None
