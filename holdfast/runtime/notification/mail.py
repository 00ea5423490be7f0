"""Mail goes out over SMTP, encrypted, or to a server on this computer."""

import logging
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime

from holdfast.core.config.notifications import MailChannel
from holdfast.core.errors import SourceError
from holdfast.monitoring.notification.message import NoticeMessage, NoticeUrgency
from holdfast.web.request import TokenRefused
from holdfast.web.secret import read_secret

_log = logging.getLogger(__name__)
TIMEOUT_S = 20.0
"""So long each step of the conversation may take."""
_PRIORITY = {NoticeUrgency.ALARM: "1", NoticeUrgency.WARNING: "3", NoticeUrgency.INFORMATION: "5"}


def send_mail(channel: MailChannel, message: NoticeMessage) -> None:
    """Sends ``message`` to all its addresses. Raises SourceError."""
    password = read_secret(channel.password_env, channel.password_file, "password")
    try:
        with _connected(channel) as server:
            if channel.username is not None:
                server.login(channel.username, password)
            refused = server.send_message(letter(channel, message))
    except smtplib.SMTPAuthenticationError as error:
        raise TokenRefused(
            f"{channel.host}: name or password is refused ({error.smtp_code})"
        ) from None
    except smtplib.SMTPException as error:
        raise SourceError(f"{channel.host}: {_told(error)}") from None
    except ssl.SSLError as error:
        raise SourceError(f"{channel.host}: no encrypted connection: {error.reason}") from None
    except OSError as error:
        raise SourceError(f"{channel.host}:{channel.port}: {error.strerror or error}") from None
    if refused:
        # The others have it: another try would tell them twice.
        _log.warning("%s does not take mail to %s", channel.host, ", ".join(sorted(refused)))


def _connected(channel: MailChannel) -> smtplib.SMTP:
    """Returns a connection that is as safe as the channel wants it."""
    trusted = ssl.create_default_context()
    if channel.security == "tls":
        return smtplib.SMTP_SSL(channel.host, channel.port, timeout=TIMEOUT_S, context=trusted)
    server = smtplib.SMTP(channel.host, channel.port, timeout=TIMEOUT_S)
    if channel.security == "starttls":
        try:
            server.starttls(context=trusted)
        except BaseException:
            server.close()
            raise
    return server


def letter(channel: MailChannel, message: NoticeMessage) -> EmailMessage:
    """Returns the mail; the same message has the same id, by which servers know it again."""
    mail = EmailMessage()
    mail["From"] = channel.sender
    mail["To"] = ", ".join(channel.to)
    mail["Subject"] = message.title
    mail["Date"] = format_datetime(message.notices[-1].utc)
    mail["Message-ID"] = f"<{message.id}@{channel.sender.partition('@')[2]}>"
    mail["X-Priority"] = _PRIORITY[message.urgency]
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text + "\n")
    return mail


def _told(error: smtplib.SMTPException) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        told = error.smtp_error
        text = told.decode(errors="replace") if isinstance(told, bytes) else str(told)
        return f"{error.smtp_code} {text}"
    return str(error) or type(error).__name__
