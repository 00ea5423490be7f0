"""The page that describes the API: plain HTML made here, without anything from elsewhere."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from holdfast.api.docs_page import STYLE, docs_page

router = APIRouter(include_in_schema=False)


@router.get("/docs")
def docs(request: Request) -> HTMLResponse:
    """Shows every operation, what it takes and what it answers."""
    return HTMLResponse(docs_page(request.app.openapi()))


@router.get("/docs/style.css")
def style() -> Response:
    """Returns how that page looks: its policy permits no style in the page itself."""
    return Response(STYLE, media_type="text/css")
