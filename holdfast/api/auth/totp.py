"""TOTP is the second factor that an authenticator app shows: six digits, new every half minute.

A code counts once, and none after it that is older. Recovery codes stand in for the app, each once.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime

import pyotp

from holdfast.api.auth.accounts import TotpFactor, hash_of
from holdfast.api.auth.written_code import as_typed, new_written_code

PERIOD_S = 30
DRIFT = 1
"""So many periods may the clock of a telephone be off."""
RECOVERY_CODES = 10
_GROUPS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTotp:
    """Holds what an app has to be shown once."""

    secret: str
    uri: str
    """Tells the app all, as the picture of a QR code."""


def new_totp(site: str, account: str) -> NewTotp:
    """Returns a new secret for an account of a site."""
    secret = pyotp.random_base32(32)
    uri = pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=f"Holdfast {site}")
    return NewTotp(secret=secret, uri=uri)


def new_recovery_codes() -> tuple[str, ...]:
    """Returns codes to be written down."""
    return tuple(new_written_code(_GROUPS) for _ in range(RECOVERY_CODES))


def confirmed(
    secret: str, typed: str, now: datetime, recovery: tuple[str, ...]
) -> TotpFactor | None:
    """Returns the factor of an app that shows the right code; None if it does not."""
    codes = tuple(hash_of(as_typed(code)) for code in recovery)
    return used(TotpFactor(secret=secret, last_step=0, recovery=codes), typed, now)


def used(factor: TotpFactor, typed: str, now: datetime) -> TotpFactor | None:
    """Returns ``factor`` after the use of a code; None if the code is wrong or used up."""
    code = as_typed(typed)
    step = _step_of(factor, code, now)
    if step is not None:
        return replace(factor, last_step=step)
    hashed = hash_of(code)
    if hashed in factor.recovery:
        return replace(factor, recovery=tuple(c for c in factor.recovery if c != hashed))
    return None


def _step_of(factor: TotpFactor, code: str, now: datetime) -> int | None:
    """Returns the period that shows ``code``, if none as late was used before."""
    totp = pyotp.TOTP(factor.secret, interval=PERIOD_S)
    middle = int(now.timestamp()) // PERIOD_S
    for step in range(max(middle - DRIFT, factor.last_step + 1), middle + DRIFT + 1):
        if secrets.compare_digest(totp.generate_otp(step).encode(), code.encode()):
            return step
    return None
