"""The wizard as a page: one question at a time, without scripts, for whoever has its address.

The address has a secret in it, which is told at the terminal alone: nobody else may answer.
"""

import secrets
import threading
from collections.abc import Callable
from html import escape
from pathlib import Path
from urllib.parse import parse_qs

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from holdfast.core.errors import ConfigError
from holdfast.deployment.wizard.conclusion import write_site
from holdfast.deployment.wizard.finding import found_behind, local_zone
from holdfast.deployment.wizard.places import understand_place
from holdfast.deployment.wizard.question import NotAnAnswer, Option, SiteQuestion
from holdfast.deployment.wizard.questions import next_question, question_named
from holdfast.deployment.wizard.site_text import site_text

_STYLE = """\
:root { color-scheme: light dark; }
body { font: 17px/1.5 system-ui, sans-serif; max-width: 38rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.2rem; } h2 { font-size: 1.4rem; margin: 1.5rem 0 .5rem; }
input[type=text], select { font: inherit; padding: .5rem; width: 100%; box-sizing: border-box; }
button { font: inherit; padding: .6rem 1.4rem; margin: 1rem .5rem 0 0; }
.wrong { color: #c00; font-weight: bold; } .help { opacity: .8; margin: .2rem 0; }
pre { overflow-x: auto; border: 1px solid; padding: .7rem; font-size: .85rem; }
table { border-collapse: collapse; width: 100%; } td { padding: .2rem .6rem .2rem 0; }
"""
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_MAX_BYTES = 10_000


class WizardPage:
    """Asks one person, and writes one file."""

    def __init__(self, path: Path, *, replace: bool = False) -> None:
        self.path = path
        self._replace = replace
        self.secret = secrets.token_urlsafe(9)
        self.answers: dict[str, str] = {"local_zone": local_zone()}
        self._order: list[str] = []
        self._looked: list[str] | None = None
        """Holds what was found behind the inverter's address; None before it was looked."""
        self.written = threading.Event()
        """It is set once the file is there."""
        self.app = Starlette(
            routes=[
                Route(f"/{self.secret}/", self._show),
                Route(f"/{self.secret}/answer", self._answer, methods=["POST"]),
                Route(f"/{self.secret}/look", self._look, methods=["POST"]),
                Route(f"/{self.secret}/change", self._change, methods=["POST"]),
                Route(f"/{self.secret}/write", self._write, methods=["POST"]),
            ]
        )

    async def _show(self, _: Request) -> Response:
        return self._page()

    async def _answer(self, request: Request) -> Response:
        typed = await _form(request)
        question = question_named(typed.get("question", ""))
        if question is None or not question.asked(self.answers):
            return _back_to_it()
        try:
            self.answers[question.key] = question.take(typed.get("text", ""), self.answers)
        except NotAnAnswer as error:
            return self._page(str(error))
        self._order.append(question.key)
        return _back_to_it()

    async def _look(self, request: Request) -> Response:
        typed = (await _form(request)).get("text", "").strip()
        if not typed:
            self._looked = []
            return _back_to_it()
        try:
            place = understand_place("modbus", typed)
        except NotAnAnswer as error:
            return self._page(str(error))
        told: list[str] = []
        found = await run_in_threadpool(found_behind, place, told.append)
        self._looked = told if found else [*told, "no table fits; choose from the list"]
        self.answers |= {"inverter_seen_at": place} | found
        return _back_to_it()

    async def _change(self, request: Request) -> Response:
        """Asks again from a question on: what was answered after it may hang on it."""
        key = (await _form(request)).get("question", "")
        if key in self._order:
            index = self._order.index(key)
            for later in self._order[index:]:
                self.answers.pop(later, None)
            del self._order[index:]
        return _back_to_it()

    async def _write(self, _: Request) -> Response:
        if next_question(self.answers) is not None:
            return _back_to_it()
        try:
            notes = write_site(self.answers, self.path, replace=self._replace)
        except OSError as error:
            return self._page(f"{self.path} cannot be written: {error}")
        self.written.set()
        listed = "".join(f"<li>{escape(note)}</li>" for note in notes)
        return _html(
            f"<h2>{escape(str(self.path))} is written</h2><ul>{listed}</ul><p>At the computer: "
            f"<code>holdfast check --connect --config {escape(str(self.path))}</code>, then "
            "<code>holdfast run</code>, which shows where its pages are.</p>"
        )

    def _page(self, wrong: str = "") -> Response:
        status = 422 if wrong else 200
        told = f'<p class="wrong" role="alert">{escape(wrong)}</p>' if wrong else ""
        if self._looked is None:
            return _html(told + _LOOK, status)
        question = next_question(self.answers)
        if question is None:
            return _html(told + self._conclusion(), status)
        found = "".join(f"<li>{escape(line)}</li>" for line in self._looked)
        seen = f"<ul>{found}</ul>" if question.key == "inverter_table" else ""
        return _html(seen + told + self._form_of(question) + self._answered(), status)

    def _form_of(self, question: SiteQuestion) -> str:
        likely = question.likely(self.answers)
        options = question.options(self.answers)
        field = (
            _select(options, likely)
            if options
            else f'<input type="text" name="text" id="text" value="{escape(likely)}" autofocus>'
        )
        return (
            f'<form method="post" action="answer"><h2><label for="text">{escape(question.text)}'
            f'</label></h2><p class="help">{escape(question.help)}</p>{field}'
            f'<input type="hidden" name="question" value="{question.key}">'
            "<button>Next</button></form>"
        )

    def _answered(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(question.text)}</td><td>{escape(self.answers[key])}</td><td>"
            f'<form method="post" action="change"><input type="hidden" name="question" '
            f'value="{key}"><button>change</button></form></td></tr>'
            for key in reversed(self._order)
            if (question := question_named(key)) is not None
        )
        return f"<h2>Answered</h2><table>{rows}</table>" if rows else ""

    def _conclusion(self) -> str:
        return (
            f"<h2>This will be {escape(str(self.path))}</h2>"
            f"<pre>{escape(site_text(self.answers))}</pre>"
            '<form method="post" action="write"><button>Write it</button></form>' + self._answered()
        )


_LOOK = (
    '<form method="post" action="look"><h2><label for="text">At which address is the inverter?'
    '</label></h2><p class="help">Such as 192.168.1.20. It is looked what answers there, which may '
    "take two minutes; nothing is written to it. Empty: choose from a list.</p>"
    '<input type="text" name="text" id="text" autofocus><button>Look</button></form>'
)


def _select(options: tuple[Option, ...], likely: str) -> str:
    listed = "".join(
        f'<option value="{escape(one.value)}"{" selected" if one.value == likely else ""}>'
        f"{escape(one.value)}{escape(f': {one.text}') if one.text else ''}</option>"
        for one in options
    )
    return f'<select name="text" id="text">{listed}</select>'


async def _form(request: Request) -> dict[str, str]:
    """Returns the fields of a form; nothing of one that is too long."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BYTES:
            return {}
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}


def _back_to_it() -> Response:
    return RedirectResponse("./", status_code=303, headers=_HEADERS)


def _html(body: str, status: int = 200) -> Response:
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width, initial-scale=1"><title>Holdfast: a new site</title>'
        f"<style>{_STYLE}</style></head><body><h1>Holdfast: a new site</h1>"
    )
    return HTMLResponse(head + body + "</body></html>", status, headers=_HEADERS)


def serve(page: WizardPage, host: str, port: int, tell: Callable[[str], None]) -> int:
    """Serves until the file is written, or Ctrl-C; 0 if it is there. Raises ConfigError if nobody
    can listen at that address."""
    config = uvicorn.Config(page.app, host=host, port=port, log_level="critical", access_log=False)
    server = uvicorn.Server(config)
    tell(f"open http://{host}:{port}/{page.secret}/ in a browser; Ctrl-C ends it")

    def end_once_written() -> None:
        page.written.wait()
        server.should_exit = True  # after the answer that is under way

    threading.Thread(target=end_once_written, daemon=True).start()
    try:
        server.run()
    except SystemExit as error:
        raise ConfigError(f"--port {port}: nobody can listen at {host}:{port}") from error
    tell(f"wrote {page.path}" if page.written.is_set() else "nothing was written")
    return 0 if page.written.is_set() else 1
