"""Whatever way a recipient is told, it is one call that may take a minute, and may fail."""

from typing import assert_never

from holdfast.core.config.notifications import (
    MailChannel,
    NoticeChannel,
    NtfyChannel,
    PushoverChannel,
    WebhookChannel,
    WebPushChannel,
)
from holdfast.monitoring.notification.message import NoticeMessage
from holdfast.runtime.notification.browsers import tell_browsers
from holdfast.runtime.notification.mail import send_mail
from holdfast.runtime.notification.posts import ntfy, pushover, webhook
from holdfast.site.files import SiteFiles
from holdfast.web.carrier import Carrier
from holdfast.web.request import Conversation
from holdfast.web.secret import token_of


def send(channel: NoticeChannel, message: NoticeMessage, files: SiteFiles) -> None:
    """Sends ``message``, and returns once the other side has taken it; of a site's browsers, each.
    Raises SourceError."""
    match channel:
        case MailChannel():
            send_mail(channel, message)
        case WebhookChannel():
            _post(channel, webhook(channel, message))
        case NtfyChannel():
            _post(channel, ntfy(channel, message))
        case PushoverChannel():
            _post(channel, pushover(channel, message))
        case WebPushChannel():
            tell_browsers(channel, message, files)
        case _:
            assert_never(channel)


def _post(channel: NoticeChannel, conversation: Conversation[None]) -> None:
    Carrier().carry(conversation, token_of(channel))
