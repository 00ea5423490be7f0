"""Whoever logs in or resets the site after an alarm has seen it, and so has who says so."""

from collections.abc import Iterator
from datetime import datetime

from holdfast.client.acknowledgement import last_acknowledgement
from holdfast.client.audit_reader import lines_backwards
from holdfast.client.messages import Act
from holdfast.core.commands import Command
from holdfast.monitoring.audit.events import AuditEvent, CommandAnswered, OperatorActed
from holdfast.monitoring.audit.log_lines import event_of
from holdfast.site.files import SiteFiles

_RESETS = (Command.RESET, Command.SERVICE_RESET)


def acknowledged_since(files: SiteFiles, since: datetime) -> datetime | None:
    """Returns when somebody last showed that he knows, after ``since``; None: nobody has."""
    found = [at for at in _acts(files, since) if at >= since]
    return max(found, default=None)


def _acts(files: SiteFiles, since: datetime) -> Iterator[datetime]:
    by_hand = last_acknowledgement(files.acknowledgement)
    if by_hand is not None:
        yield by_hand.utc
    try:
        for line in lines_backwards(files.audit):
            if line.time < since:
                return
            if _is_act(event_of(line)):
                yield line.time
                return
    except OSError:
        return


def _is_act(event: AuditEvent | None) -> bool:
    match event:
        case OperatorActed(what=Act.LOGIN, accepted=True):
            return True
        case CommandAnswered(command=command):
            return command in _RESETS
        case _:
            return False
