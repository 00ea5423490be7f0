"""The ``notifications`` section says who is told when something is wrong, how, and from when on."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from holdfast.core.config.contacts import MailAddress
from holdfast.core.config.form import EnvVariable, Form
from holdfast.core.config.local_window import LocalWindow
from holdfast.core.config.prices import WebAddress
from holdfast.core.config.section import FilePath, Name, Section
from holdfast.core.config.token import NeededToken, Token

ReactionName = Literal[
    "log", "hold", "derate", "block_charge", "block_discharge", "ramp_to_zero", "trip"
]
"""Names the reactions from which on somebody can be told, the weakest first."""
_Host = Annotated[
    str,
    Form(
        pattern=r"[A-Za-z0-9:][A-Za-z0-9.:-]{0,250}",
        right="name or address of a host, such as smtp.example.org",
    ),
]
_AccountName = Annotated[
    str, Form(pattern=r"(sso:)?[a-z0-9._@-]{1,48}", right="name of an account, such as ann")
]
_PushService = Annotated[
    str,
    Form(
        pattern=r"[a-z0-9][a-z0-9.-]{0,250}(:[0-9]{1,5})?",
        right="host of a push service, such as push.example.org or push.example.org:8443",
    ),
]
_HERE = re.compile(r"127\.[0-9.]+|::1|localhost")
MAX_RECIPIENTS = 20


class MailChannel(Section):
    """By mail, through a server that takes it from whoever has an account there."""

    kind: Literal["mail"]
    """Mail."""
    host: _Host
    """Of the mail server, such as smtp.example.org."""
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    """587 with starttls, 465 with tls as a rule."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """starttls: begins readable, and goes on encrypted or not at all. tls: encrypted from the
    start. none: for a mail server on this computer alone."""
    username: Annotated[str, Field(min_length=1)] | None = None
    """Of the account; left out: the server wants none."""
    password_env: EnvVariable | None = None
    """Name of the environment variable with the account's password."""
    password_file: FilePath | None = None
    """Or a file with nothing but that in it; relative to site.yaml."""
    sender: MailAddress
    """Whom the mail comes from; most servers want the account's own address."""
    to: Annotated[tuple[MailAddress, ...], Field(min_length=1, max_length=10)]
    """Whom it goes to."""

    @model_validator(mode="after")
    def _can_log_in(self) -> Self:
        places = [self.password_env, self.password_file]
        if None not in places:
            raise ValueError("password_env and password_file: only one of them can be")
        if (self.username is None) != (places == [None, None]):
            raise ValueError(
                "an account needs both: username, and password_env or password_file, which say "
                "where its password is"
            )
        if self.security == "none" and not _HERE.fullmatch(self.host):
            raise ValueError(
                f"security: none would send all readable to {self.host}; starttls or tls"
            )
        return self


class WebhookChannel(Token):
    """By a POST of JSON to an address of your own (docs/notifications.md has its keys). With a
    token it is signed."""

    kind: Literal["webhook"]
    """An address of your own."""
    url: WebAddress
    """Where it is posted."""


class NtfyChannel(Token):
    """By ntfy, at its own server or one of yours."""

    kind: Literal["ntfy"]
    """ntfy."""
    url: WebAddress = "https://ntfy.sh"
    """Of the server, without the topic."""
    topic: Annotated[
        str, Form(pattern="[A-Za-z0-9_-]{1,64}", right="topic of letters, digits, _ and -")
    ]
    """Whoever knows it can read along on a server that wants no token: take one that nobody
    guesses."""


class PushoverChannel(NeededToken):
    """By Pushover, or what takes the same form."""

    kind: Literal["pushover"]
    """Pushover. The token is that of the application."""
    url: WebAddress = "https://api.pushover.net/1/messages.json"
    """Where it is posted."""
    user: Annotated[
        str, Form(pattern="[A-Za-z0-9]{20,40}", right="key of a user or group", is_secret=True)
    ]
    """Key of the user or group."""


class WebPushChannel(Section):
    """By web push, to each browser in which somebody has switched notifications on (Settings)."""

    kind: Literal["web_push"]
    """Browsers."""
    contact: MailAddress
    """Whom a push service may write to if what comes from here troubles it; it is told this."""
    accounts: Annotated[tuple[_AccountName, ...], Field(max_length=200)] = ()
    """Whose browsers; left out: those of all who have switched it on."""
    services: Annotated[tuple[_PushService, ...], Field(max_length=10)] = ()
    """Push services beside those of Apple, Google, Microsoft and Mozilla, such as one at home."""

    def tells(self, account: str) -> bool:
        """Says whether browsers of that account are told."""
        return not self.accounts or account in self.accounts


NoticeChannel = Annotated[
    MailChannel | WebhookChannel | NtfyChannel | PushoverChannel | WebPushChannel,
    Field(discriminator="kind"),
]


class Recipient(Section):
    """Somebody who is told."""

    name: Name
    """Of your own, such as ann."""
    channel: NoticeChannel
    """How."""
    language: Literal["en", "de"] = "en"
    """What it is told in."""
    least: ReactionName = "hold"
    """From which reaction on; log: all of it, trip: only what switches the site off."""
    kinds: Annotated[tuple[Literal["new", "worse", "still", "over"], ...], Field(min_length=1)] = (
        "new",
        "worse",
        "still",
        "over",
    )
    """What of it: that it is new, has become worse, still is so after an hour and more, is over."""
    quiet_hours: tuple[LocalWindow, ...] = ()
    """When only what switches the site off is told; the rest comes together afterwards."""
    after_minutes: Annotated[int, Field(ge=0, le=1440)] = 0
    """0: at once. Else only what switches the site off, and only if after so many minutes nobody
    has acknowledged it (docs/notifications.md)."""

    @model_validator(mode="after")
    def _is_awake(self) -> Self:
        if any(window.is_always for window in self.quiet_hours):
            raise ValueError("quiet_hours: always would be never told; leave the recipient out")
        return self


class Notifications(Section):
    """Who is told when something is wrong (docs/notifications.md)."""

    recipients: Annotated[tuple[Recipient, ...], Field(max_length=MAX_RECIPIENTS)] = ()
    """One entry for each way to somebody."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [recipient.name for recipient in self.recipients]
        if len(set(names)) != len(names):
            raise ValueError(f"names of recipients must differ: {names}")
        if names and all(recipient.after_minutes for recipient in self.recipients):
            raise ValueError("one recipient at least must be told at once: after_minutes: 0")
        return self
