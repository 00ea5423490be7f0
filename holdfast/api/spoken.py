"""What people read is told in the language that they ask for, or that their browser likes best."""

from typing import Annotated

from fastapi import Depends, Header, Query

from holdfast.monitoring.language import Language, liked


def spoken(
    language: Annotated[Language | None, Query()] = None,
    accept_language: Annotated[str, Header()] = "",
) -> Language:
    """Returns the language of an answer; a stream cannot send headers, so it may stand in the
    address."""
    return liked(accept_language) if language is None else language


Spoken = Annotated[Language, Depends(spoken)]
