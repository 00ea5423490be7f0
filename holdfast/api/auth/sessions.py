"""Sessions are who has logged in; they end by themselves, and whenever somebody says so.

The browser holds a random secret, and we no more than its hash: a copy of our file opens nothing,
and a cookie that was copied is worth nothing once its session has ended here. They are kept on the
disk, so that nobody has to log in again because this process was started again.
"""

import logging
import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import AwareDatetime, TypeAdapter

from holdfast.api.auth.accounts import Account, hash_of, new_id
from holdfast.core.texts import MAX_NAME, shown
from holdfast.site.files import keep_corrupt, write_atomically

IDLE = timedelta(hours=8)
"""A session ends when it was not used for so long."""
LONGEST = timedelta(days=7)
"""It ends then however much it is used."""
EACH = 20
"""So many has one account; one more ends that which was not used for longest."""
SAVE_EVERY = timedelta(minutes=5)
"""So often is written down that sessions and tokens are in use."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Tells who has logged in, when, and from where."""

    id: str
    secret_hash: str
    account: str
    stamp: str
    """Repeats the account's: once that is another one this has ended."""
    how: str
    address: str
    made: AwareDatetime
    used: AwareDatetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    sessions: tuple[Session, ...] = ()
    token_uses: dict[str, AwareDatetime]


_KEPT = TypeAdapter(_Kept)


def utc_now() -> datetime:
    """Returns the time."""
    return datetime.now(UTC)


class SessionBook:
    """Holds the sessions of a site, and when its tokens were last used; threads may share it."""

    def __init__(self, folder: Path, now: Callable[[], datetime] = utc_now) -> None:
        self._path = folder / "sessions.json"
        self._now = now
        self._lock = threading.RLock()
        kept = self._load()
        self._sessions = {session.secret_hash: session for session in kept.sessions}
        self._token_uses = dict(kept.token_uses)
        self._saved = now()
        self._changed = False

    def open(self, account: Account, how: str, address: str) -> tuple[str, Session]:
        """Begins a session of ``account``; returns the secret for its cookie, which nobody else
        will see, and the session."""
        secret, now = secrets.token_urlsafe(32), self._now()
        session = Session(
            id=new_id(),
            secret_hash=hash_of(secret),
            account=account.name,
            stamp=account.stamp,
            how=how,
            address=shown(address, MAX_NAME),
            made=now,
            used=now,
        )
        with self._lock:
            own = sorted(self.of(account.name), key=lambda other: other.used)
            self._forget(own[: max(0, len(own) + 1 - EACH)])
            self._sessions[session.secret_hash] = session
            self._save()
        return secret, session

    def find(self, secret: str) -> Session | None:
        """Returns the session of that secret, which is used now; None if there is none, or no more.

        Whether its account is as it was its caller looks up.
        """
        with self._lock:
            session = self._sessions.get(hash_of(secret))
            if session is None:
                return None
            now = self._now()
            if not self._lives(session, now):
                self._forget([session])
                return None
            session = replace(session, used=now)
            self._sessions[session.secret_hash] = session
            self._changed = True
            return session

    def of(self, account: str) -> list[Session]:
        """Returns the sessions of an account that have not ended."""
        now = self._now()
        with self._lock:
            return [
                session
                for session in self._sessions.values()
                if session.account == account and self._lives(session, now)
            ]

    def drop(self, session: Session) -> None:
        """Ends a session whose account is no more what it was; the disk need not know."""
        with self._lock:
            self._forget([session])

    def end(self, account: str, session_id: str) -> bool:
        """Ends a session of ``account``; False if it has none of that id."""
        found = [session for session in self.of(account) if session.id == session_id]
        self._end(found)
        return bool(found)

    def end_all(self, account: str, but: str | None = None) -> int:
        """Ends all sessions of ``account``, but perhaps one; returns how many."""
        found = [session for session in self.of(account) if session.id != but]
        self._end(found)
        return len(found)

    def token_used(self, token_id: str) -> None:
        """Notes that a token is in use."""
        with self._lock:
            self._token_uses[token_id] = self._now()
            self._changed = True

    def last_use_of(self, token_id: str) -> datetime | None:
        """Returns when a token was last used; None if never."""
        return self._token_uses.get(token_id)

    def keep_tokens(self, ids: Iterable[str]) -> None:
        """Forgets the uses of all tokens but these."""
        with self._lock:
            kept = set(ids)
            self._token_uses = {
                name: used for name, used in self._token_uses.items() if name in kept
            }

    def has_to_save(self) -> bool:
        """Says whether something was used and not written down for long."""
        return self._changed and abs(self._now() - self._saved) >= SAVE_EVERY

    def save(self) -> None:
        """Writes down what is in use; a disk that does not take it costs no more than a login."""
        with self._lock:
            self._save()

    def _lives(self, session: Session, now: datetime) -> bool:
        return now - session.used < IDLE and now - session.made < LONGEST

    def _end(self, sessions: Iterable[Session]) -> None:
        with self._lock:
            self._forget(sessions)
            self._save()

    def _forget(self, sessions: Iterable[Session]) -> None:
        for session in sessions:
            self._sessions.pop(session.secret_hash, None)

    def _save(self) -> None:
        now = self._now()
        self._sessions = {
            key: session for key, session in self._sessions.items() if self._lives(session, now)
        }
        kept = _Kept(sessions=tuple(self._sessions.values()), token_uses=self._token_uses)
        self._saved, self._changed = now, False
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            write_atomically(self._path, _KEPT.dump_json(kept))
        except OSError as error:
            _log.error("sessions cannot be kept: %s", error)

    def _load(self) -> _Kept:
        try:
            return _KEPT.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            _log.error("%s cannot be used (%s): everybody has to log in again", self._path, error)
            keep_corrupt(self._path)
        return _Kept(token_uses={})
