"""What is posted over HTTP: to an address of one's own, to ntfy, to Pushover."""

from pydantic_core import to_jsonable_python

from holdfast.core.config.notifications import NtfyChannel, PushoverChannel, WebhookChannel
from holdfast.monitoring.notification.message import NoticeMessage, NoticeUrgency
from holdfast.web.request import Conversation, HttpRequest, TokenPlace

_NTFY_PRIORITY = {NoticeUrgency.ALARM: 5, NoticeUrgency.WARNING: 4, NoticeUrgency.INFORMATION: 2}
_PUSHOVER_PRIORITY = {
    NoticeUrgency.ALARM: 1,
    NoticeUrgency.WARNING: 0,
    NoticeUrgency.INFORMATION: -1,
}
_PUSHOVER_TITLE, _PUSHOVER_TEXT, _NTFY_TEXT = 250, 1024, 4000
"""They refuse, or make a file of, what is longer."""


def webhook(channel: WebhookChannel, message: NoticeMessage) -> Conversation[None]:
    """Posts everything there is, for programs."""
    body = {
        "id": message.id,
        "site": message.site,
        "urgency": message.urgency.name.lower(),
        "title": message.title,
        "text": message.text,
        "link": message.link,
        "notices": [{"utc": one.utc, **to_jsonable_python(one.notice)} for one in message.notices],
    }
    token = TokenPlace.SIGNATURE if channel.has_token else TokenPlace.NOWHERE
    yield HttpRequest(url=channel.url, json_body=to_jsonable_python(body), token=token)


def ntfy(channel: NtfyChannel, message: NoticeMessage) -> Conversation[None]:
    """Posts to a topic; as JSON, for headers take no umlauts."""
    body: dict[str, object] = {
        "topic": channel.topic,
        "title": message.title,
        "message": _cut(message.text, _NTFY_TEXT),
        "priority": _NTFY_PRIORITY[message.urgency],
    }
    if message.link:
        body["click"] = message.link
    token = TokenPlace.BEARER if channel.has_token else TokenPlace.NOWHERE
    yield HttpRequest(url=channel.url, json_body=body, token=token)


def pushover(channel: PushoverChannel, message: NoticeMessage) -> Conversation[None]:
    """Posts a form; the application's token goes with it."""
    form = {
        "user": channel.user,
        "title": _cut(message.title, _PUSHOVER_TITLE),
        "message": _cut(message.text, _PUSHOVER_TEXT),
        "priority": str(_PUSHOVER_PRIORITY[message.urgency]),
    }
    if message.link:
        form["url"] = message.link
    yield HttpRequest(url=channel.url, form_body=form, token=TokenPlace.FORM)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
