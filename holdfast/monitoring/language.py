"""Texts for people who may be frightened come in their own language: English, or German."""

import re
from enum import StrEnum
from typing import NamedTuple


class Language(StrEnum):
    """Names the languages that such texts come in, as HTTP and HTML do."""

    EN = "en"
    DE = "de"


def liked(accepted: str) -> Language:
    """Returns the language that a browser likes best, of those there are; ``accepted`` is what it
    says in Accept-Language.

    >>> liked("fr, de-AT;q=0.8, en;q=0.5")
    <Language.DE: 'de'>
    """
    best, most = Language.EN, 0.0
    for part in accepted[:200].split(","):
        name, _, weight = part.partition(";")
        language = name.strip().lower().partition("-")[0]
        quality = re.fullmatch(r"\s*q=([01](?:\.[0-9]{0,3})?)\s*", weight)
        value = 1.0 if not weight else float(quality[1]) if quality else 0.0
        if language in set(Language) and value > most:
            best, most = Language(language), value
    return best


class Phrase(NamedTuple):
    """Holds one text in each language."""

    en: str
    de: str

    def told(self, language: Language, **values: object) -> str:
        """Returns the text with ``values`` in its places.

        >>> Phrase("{unit} rests", "{unit} ruht").told(Language.DE, unit="Speicher")
        'Speicher ruht'
        """
        match language:
            case Language.EN:
                return self.en.format(**values)
            case Language.DE:
                return self.de.format(**values)
