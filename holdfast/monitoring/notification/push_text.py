"""What a browser shows of a message: where, how bad and what. More is told after logging in."""

import json
from typing import Final

from holdfast.core.texts import shown
from holdfast.monitoring.notification.message import NoticeMessage, NoticeUrgency
from holdfast.web.web_push import PushText

MOST: Final = 200
"""A locked telephone shows fewer characters than that."""
TTL_S: Final = 24 * 3600
"""As long for what is over as for what began: who hears of the one hears of the other."""
_URGENCY: Final = {
    NoticeUrgency.ALARM: "high",
    NoticeUrgency.WARNING: "normal",
    NoticeUrgency.INFORMATION: "low",
}


def push_text(message: NoticeMessage) -> PushText:
    """Returns what goes out; the service worker of the pages reads it."""
    told = {
        "id": message.id,
        "title": shown(message.site, MOST),
        "body": shown(message.title.removeprefix(f"{message.site}: "), MOST),
        "urgency": message.urgency.name.lower(),
    }
    content = json.dumps(told, ensure_ascii=False).encode()
    return PushText(content=content, urgency=_URGENCY[message.urgency], ttl_s=TTL_S)
