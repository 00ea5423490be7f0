"""How the API says no: one shape for all errors, and which of them an operation may answer."""

from typing import Any, Final

from pydantic import BaseModel

from holdfast.core.texts import MAX_REASON


class ProblemText(BaseModel):
    """Names what is wrong, and what would be right."""

    detail: str


_TEXTS: Final = {
    400: "The body is no strict JSON, or the site is not called so.",
    401: "Somebody has to log in.",
    403: "Who asks may not, or a page of somebody else asks.",
    404: "There is nothing of that name.",
    408: "The body did not come in time.",
    409: "The site refuses: the reason is told.",
    413: "The body is too long.",
    415: "The body is of another kind than JSON.",
    422: "Something in the request is not as it has to be.",
    429: "Too many asked; `Retry-After` tells when there is room.",
    503: "The controller does not answer, there are no data yet, or too many ask.",
}
_ANYWHERE: Final = (400, 401, 403, 422, 429, 503)
_OF_BODIES: Final = (408, 413, 415)


def answers(*codes: int) -> dict[int | str, dict[str, Any]]:
    """Returns what an operation may answer beside its result, for its OpenAPI."""
    return {code: {"model": ProblemText, "description": _TEXTS[code]} for code in sorted(codes)}


ANYWHERE: Final = answers(*_ANYWHERE, *_OF_BODIES)
"""Every operation may answer these."""
MAX_DETAIL: Final = 2 * MAX_REASON
