"""The emergency interface answers each request by a table of paths; ``/estop`` before all else."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import TypeVar

from holdfast.client.status_reader import StatusReader
from holdfast.core.config import Site
from holdfast.monitoring.health import Health, health, ready
from holdfast.monitoring.language import Phrase
from holdfast.monitoring.status.schema import Status
from holdfast.site.files import SiteFiles
from holdfast.ui.emergency_interface import pages, start_pages
from holdfast.ui.emergency_interface.exchange import BadExchange, PageAnswer, PageRequest
from holdfast.ui.emergency_interface.layout import Sight
from holdfast.ui.emergency_interface.origin import foreign_host, is_cross_site
from holdfast.ui.emergency_interface.start import Forms, Gatekeeper, Starter
from holdfast.ui.emergency_interface.stop import Outcome, StopAnswer, Stopper, runs
from holdfast.ui.emergency_interface.stylesheet import STYLESHEET
from holdfast.ui.safety_display import catalogue as say
from holdfast.ui.safety_display.markup import Markup

_log = logging.getLogger(__name__)
Made = TypeVar("Made")
_Handler = Callable[[PageRequest], Awaitable[PageAnswer]]

STOP_PATH = "/estop"
_LOOKS_S, _LOOK_EVERY_S = 0.8, 0.05
"""After a stop the answer waits for so long until 0 W are measured."""
_READING = ("GET", "HEAD")
_OPEN = frozenset({"/metrics", "/health", "/ready"})
"""Programs read these, by whatever name they know this computer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposition:
    """Holds what is told to a program that asks: its content type, and its content."""

    content_type: str
    content: bytes


class EmergencyInterface:
    """Answers requests for one site. :meth:`answer` is called in one event loop."""

    def __init__(
        self,
        site: Site,
        files: SiteFiles,
        *,
        metrics: Callable[[str], Exposition],
        gatekeeper: Gatekeeper | None = None,
        names: Collection[str] = (),
    ) -> None:
        """``metrics`` makes the answer of ``/metrics`` for an Accept header; without a
        ``gatekeeper`` nobody can start the site here; this computer is called by ``names``."""
        self._site, self._files, self._metrics = site, files, metrics
        self._names = frozenset(name.lower() for name in names)
        self._reader = StatusReader(files)
        # One thread reads and makes pages: however many ask, a stop waits for no more than one.
        self._reading = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pages")
        self._stopper = Stopper(files)
        self._starter = None if gatekeeper is None else Starter(files, gatekeeper)
        self._forms = Forms()
        self._routes: Mapping[str, Mapping[str, _Handler]] = {
            "/": _read_only(self._home),
            STOP_PATH: {"POST": self._stop},
            "/start": {**_read_only(self._before_start), "POST": self._start},
            "/style.css": _read_only(_style),
            "/favicon.ico": _read_only(_no_icon),
            "/health": _read_only(partial(self._judged, health)),
            "/ready": _read_only(partial(self._judged, ready)),
            "/metrics": _read_only(self._exposed),
        }

    async def answer(self, request: PageRequest) -> PageAnswer:
        """Answers a request. Raises BadExchange for one that is none of ours."""
        methods = self._routes.get(request.path)
        if methods is None:
            return self._refusal(request, HTTPStatus.NOT_FOUND, say.NO_PAGE)
        handler = methods.get(request.method)
        if handler is None:
            allowed = ", ".join(methods)
            refused = self._refusal(
                request, HTTPStatus.METHOD_NOT_ALLOWED, say.NOT_SO, methods=allowed
            )
            return replace(refused, headers=(("Allow", allowed),))
        if (foreign := self._foreign(request)) is not None:
            return foreign
        try:
            return await handler(request)
        except BadExchange:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, there is a button to press
            _log.exception("%s %s cannot be shown", request.method, request.path)
            page = pages.broken(self._site.name, request.language)
            return _page(page, HTTPStatus.INTERNAL_SERVER_ERROR)

    def refuse(self, request: PageRequest, error: BadExchange) -> PageAnswer:
        """Answers a request that cannot be taken."""
        return self._refusal(request, error.status, say.NOT_UNDERSTOOD, why=str(error))

    def close(self) -> None:
        """Lets go of its threads."""
        self._reading.shutdown(wait=False)
        self._stopper.close()
        if self._starter is not None:
            self._starter.close()

    # ------------------------------------------------------------------ refusals

    def _refusal(
        self, request: PageRequest, status: HTTPStatus, phrase: Phrase, /, **values: str
    ) -> PageAnswer:
        language = request.language
        return _page(
            pages.refusal(self._site.name, language, phrase.told(language, **values)), status
        )

    def _foreign(self, request: PageRequest) -> PageAnswer | None:
        """Refuses what another page made a browser send; None if it is well."""
        host = foreign_host(request, self._names)
        if host is not None and request.path not in _OPEN:
            _log.warning("%s of %s refused: it came for %r", request.path, request.peer, host)
            return self._refusal(
                request, HTTPStatus.MISDIRECTED_REQUEST, say.FOREIGN_NAME, host=host
            )
        if request.method not in _READING and is_cross_site(request):
            _log.warning("%s of %s refused: another page sent it", request.path, request.peer)
            return self._refusal(request, HTTPStatus.FORBIDDEN, say.CROSS_SITE)
        return None

    # ------------------------------------------------------------------ what is read

    async def _home(self, request: PageRequest) -> PageAnswer:
        still = request.query == pages.STILL
        page = await self._made(request, partial(pages.home, still=still))
        return page if still else replace(page, headers=(("Refresh", str(pages.REFRESH_S)),))

    async def _judged(
        self, judge: Callable[[Status | None, float | None], Health], _: PageRequest
    ) -> PageAnswer:
        judged = judge(*await self._in_thread(self._latest))
        return PageAnswer(
            status=HTTPStatus.OK if judged.healthy else HTTPStatus.SERVICE_UNAVAILABLE,
            content=json.dumps(asdict(judged)).encode(),
            content_type="application/json",
        )

    async def _exposed(self, request: PageRequest) -> PageAnswer:
        accepted = request.headers.get("accept", "")
        told = await self._in_thread(partial(self._metrics, accepted))
        return PageAnswer(content=told.content, content_type=told.content_type)

    # ------------------------------------------------------------------ stop

    async def _stop(self, request: PageRequest) -> PageAnswer:
        _log.warning("emergency stop asked for from %s", request.peer)
        answer = await self._stopper.stop()
        _log.warning("emergency stop: %s %s", answer.outcome.name, answer.reason)
        if answer.outcome is Outcome.TAKEN:
            await self._zero_seen()
        page = await self._told(request, answer)
        taken = answer.outcome is Outcome.TAKEN
        return page if taken else replace(page, status=HTTPStatus.SERVICE_UNAVAILABLE)

    async def _told(self, request: PageRequest, answer: StopAnswer) -> PageAnswer:
        """Tells what became of a stop, whatever else can be told."""
        watchdog_runs = runs(self._files, "watchdog")
        try:
            return await self._made(
                request, partial(pages.after_stop, answer=answer, watchdog_runs=watchdog_runs)
            )
        except Exception:  # noqa: BLE001 - who has pressed is told what came of it
            _log.exception("what is after a stop cannot be shown")
            return _page(pages.after_stop_alone(self._site.name, request.language, answer))

    async def _zero_seen(self) -> None:
        """Waits for a moment until 0 W are measured, so that the answer can say so."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + _LOOKS_S
        while loop.time() < end_s:
            if pages.shows_zero(await self._in_thread(self._reader.fresh)):
                return
            await asyncio.sleep(_LOOK_EVERY_S)

    # ------------------------------------------------------------------ start

    async def _before_start(self, request: PageRequest) -> PageAnswer:
        mark = None if self._starter is None else self._forms.make()
        return await self._made(request, partial(start_pages.before_start, mark=mark))

    async def _start(self, request: PageRequest) -> PageAnswer:
        starter, form = self._starter, request.form
        if starter is None:
            return self._refusal(request, HTTPStatus.FORBIDDEN, say.LOGIN_ELSEWHERE)
        if starter.is_busy:
            return self._refusal(request, HTTPStatus.TOO_MANY_REQUESTS, say.BUSY)
        if not self._forms.take(form.get(start_pages.MARK, "")):
            return self._refusal(request, HTTPStatus.FORBIDDEN, say.OLD_FORM)
        name, password, code = (form.get(field, "") for field in ("name", "password", "code"))
        answer = await starter.start(name, password, code, request.peer)
        page = await self._made(request, partial(start_pages.after_start, answer=answer))
        return page if answer.started else replace(page, status=HTTPStatus.CONFLICT)

    # ------------------------------------------------------------------ making

    async def _made(self, request: PageRequest, make: Callable[[Sight], Markup]) -> PageAnswer:
        return await self._in_thread(lambda: _page(make(self._sight(request))))

    def _sight(self, request: PageRequest) -> Sight:
        status, age_s = self._latest()
        return Sight(
            site=self._site,
            status=status,
            age_s=age_s,
            now=datetime.now(UTC),
            language=request.language,
        )

    def _latest(self) -> tuple[Status, float] | tuple[None, None]:
        return self._reader.latest() or (None, None)

    async def _in_thread(self, make: Callable[[], Made]) -> Made:
        return await asyncio.get_running_loop().run_in_executor(self._reading, make)


def _read_only(handler: _Handler) -> dict[str, _Handler]:
    return dict.fromkeys(_READING, handler)


def _page(page: Markup, status: HTTPStatus = HTTPStatus.OK) -> PageAnswer:
    return PageAnswer(status=status, content=page.encode())


async def _style(_: PageRequest) -> PageAnswer:
    return PageAnswer(content=STYLESHEET.encode(), content_type="text/css; charset=utf-8")


async def _no_icon(_: PageRequest) -> PageAnswer:
    return PageAnswer(status=HTTPStatus.NO_CONTENT)
