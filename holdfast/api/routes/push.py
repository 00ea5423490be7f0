"""Web push: which of one's own browsers are told of notices.

A browser says by itself where it is told. So only push services that are known are ever asked:
whoever is logged in could have this computer ask anything else that it can reach.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Final, cast

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, StringConstraints
from starlette.requests import HTTPConnection

from holdfast.api.access import Principal
from holdfast.api.auth.dependencies import auth_of
from holdfast.api.auth.routes.wire import Id, Label, Person
from holdfast.api.bodies import Body
from holdfast.api.problems import answers
from holdfast.api.site_view import SiteView, View
from holdfast.api.turns import RequestTurns, turn_of
from holdfast.client.messages import Act
from holdfast.core.config.notifications import Recipient, WebPushChannel
from holdfast.core.errors import SourceError
from holdfast.monitoring.notification.message import trial
from holdfast.monitoring.notification.push_text import push_text
from holdfast.site.push_book import (
    BookFull,
    PushBook,
    PushBrowser,
    PushShelf,
    with_browser,
    with_key,
    without_browser,
)
from holdfast.site.push_sending import tell_browser
from holdfast.web.carrier import Carrier
from holdfast.web.web_push import MAX_ENDPOINT, PushAddress, public_push_key

TRIAL_S: Final = 8.0
"""A page waits for ten."""
MAX_KEY: Final = 200

router = APIRouter(prefix="/notices/push", tags=["notices"])


def _shelf(connection: HTTPConnection) -> PushShelf:
    return cast("PushShelf", connection.app.state.push_shelf)


def _turns(connection: HTTPConnection) -> RequestTurns:
    return cast("RequestTurns", connection.app.state.push_turns)


Shelf = Annotated[PushShelf, Depends(_shelf)]


class PushBrowserTold(BaseModel):
    """Tells of a browser what its owner knows it by."""

    id: str
    """Is the beginning of the SHA-256 of its endpoint, in hexadecimal digits."""
    name: str
    made: datetime


class PushTold(BaseModel):
    """Tells what a browser needs to know before it can be told."""

    public_key: str | None
    """Goes to the browser as applicationServerKey; null: site.yaml tells no browser of who asks."""
    recipients: list[str]
    """Names the recipients in site.yaml as which one's browsers are told."""
    browsers: list[PushBrowserTold]
    """Lists one's own."""


class SubscriptionKeys(Body):
    """Holds what is needed to encrypt for a browser, in base64url."""

    p256dh: Annotated[str, StringConstraints(max_length=MAX_KEY)]
    auth: Annotated[str, StringConstraints(max_length=MAX_KEY)]


class SubscriptionWanted(Body):
    """Holds what a browser's PushSubscription says, and what its owner calls it."""

    endpoint: Annotated[str, StringConstraints(max_length=MAX_ENDPOINT)]
    keys: SubscriptionKeys
    name: Label


@router.get("")
def told(view: View, shelf: Shelf, who: Person) -> PushTold:
    """Tells which of one's own browsers are told of notices, and the key for one more."""
    recipients = [recipient.name for recipient, _ in _telling(view, who)]
    key = None
    if recipients:
        key = public_push_key(shelf.read().key or shelf.change(with_key).key)
    browsers = [_told(browser) for browser in shelf.read().of(who.name)]
    return PushTold(public_key=key, recipients=recipients, browsers=browsers)


@router.post("/browsers", status_code=201, responses=answers(409))
def switch_on(
    body: SubscriptionWanted, view: View, shelf: Shelf, who: Person, request: Request
) -> PushBrowserTold:
    """Has a browser told; the same one again replaces what was known of it."""
    address = PushAddress(endpoint=body.endpoint, p256dh=body.keys.p256dh, auth=body.keys.auth)
    try:
        address.check()
    except ValueError as error:
        raise HTTPException(422, str(error)) from None
    channels = [channel for _, channel in _telling(view, who)]
    if not channels:
        raise HTTPException(409, f"site.yaml has no recipient of kind web_push for {who.name}")
    if not any(address.is_known(channel.services) for channel in channels):
        raise HTTPException(
            409,
            f"{address.service} is no push service of Apple, Google, Microsoft or Mozilla; one of "
            "your own is named in site.yaml, as one of services of the recipient",
        )
    now = datetime.now(UTC)
    browser = PushBrowser(account=who.name, name=body.name, made=now, address=address)
    try:
        shelf.change(lambda book: with_browser(with_key(book), browser))
    except BookFull as error:
        raise HTTPException(409, str(error)) from None
    _record(request, who, f"on: {browser.name} ({browser.id}), by {address.service}")
    return _told(browser)


@router.delete("/browsers/{browser_id}", status_code=204, responses=answers(404))
def switch_off(browser_id: Id, shelf: Shelf, who: Person, request: Request) -> None:
    """Has one of one's own browsers told nothing any more."""
    browser = _own(shelf.read(), who, browser_id)
    shelf.change(partial(without_browser, one_id=browser.id))
    _record(request, who, f"off: {browser.name} ({browser.id})")


@router.post(
    "/browsers/{browser_id}/test",
    status_code=204,
    responses=answers(404, 409),
    dependencies=[Depends(turn_of(_turns))],
)
def try_out(browser_id: Id, view: View, shelf: Shelf, who: Person, request: Request) -> None:
    """Tells one of one's own browsers a test; the push service has taken it."""
    browser = _own(shelf.read(), who, browser_id)
    telling = next(_telling(view, who), None)
    if telling is None:
        raise HTTPException(409, f"site.yaml has no recipient of kind web_push for {who.name}")
    recipient, channel = telling
    message = trial(view.site, recipient, datetime.now(UTC))
    carrier = Carrier(timeout_s=TRIAL_S)
    try:
        tell_browser(shelf, channel, browser, push_text(message), carrier)
    except SourceError as error:
        _record(request, who, f"test of {browser.name} ({browser.id}): {error}", accepted=False)
        raise HTTPException(409, str(error)) from None
    _record(request, who, f"test of {browser.name} ({browser.id})")


def _telling(view: SiteView, who: Principal) -> Iterator[tuple[Recipient, WebPushChannel]]:
    """Yields the recipients as which the browsers of who asks are told."""
    for recipient in view.site.notifications.recipients:
        channel = recipient.channel
        if isinstance(channel, WebPushChannel) and channel.tells(who.name):
            yield recipient, channel


def _own(book: PushBook, who: Principal, browser_id: str) -> PushBrowser:
    for browser in book.of(who.name):
        if browser.id == browser_id:
            return browser
    raise HTTPException(404, "none of your browsers that are told has this id")


def _told(browser: PushBrowser) -> PushBrowserTold:
    return PushBrowserTold(id=browser.id, name=browser.name, made=browser.made)


def _record(request: Request, who: Principal, text: str, *, accepted: bool = True) -> None:
    auth_of(request).tell(who, Act.NOTIFICATIONS, text, accepted=accepted)
