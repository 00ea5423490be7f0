"""TOTP: a code counts once, in its time; recovery codes stand in, each once."""

from datetime import timedelta

import pyotp
import pytest

from holdfast.api.auth import totp
from holdfast.api.auth.accounts import TotpFactor
from tests.api.auth.bench import NOON

PERIOD = timedelta(seconds=totp.PERIOD_S)
RECOVERY = totp.new_recovery_codes()
SECRET = totp.new_totp("house", "anna").secret


def code_at(periods: int) -> str:
    return pyotp.TOTP(SECRET).at(NOON + periods * PERIOD)


@pytest.fixture
def factor() -> TotpFactor:
    factor = totp.confirmed(SECRET, code_at(0), NOON, RECOVERY)
    assert factor is not None
    return factor


def test_an_app_that_shows_a_wrong_code_is_not_registered() -> None:
    for wrong in ("", "12345", code_at(5), RECOVERY[0][:-1]):
        assert totp.confirmed(SECRET, wrong, NOON, RECOVERY) is None


def test_a_code_counts_once_also_that_of_the_registration(factor: TotpFactor) -> None:
    assert totp.used(factor, code_at(0), NOON) is None
    after = totp.used(factor, code_at(1), NOON + PERIOD)
    assert after is not None
    assert totp.used(after, code_at(1), NOON + PERIOD) is None
    assert totp.used(after, code_at(0), NOON + PERIOD) is None


@pytest.mark.parametrize(
    ("off", "counts"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_clocks_may_be_half_a_minute_apart(factor: TotpFactor, off: int, counts: bool) -> None:
    later = NOON + 10 * PERIOD
    assert (totp.used(factor, code_at(10 + off), later) is not None) is counts


def test_it_may_be_typed_with_a_space(factor: TotpFactor) -> None:
    code = code_at(1)
    assert totp.used(factor, f" {code[:3]} {code[3:]} ", NOON + PERIOD) is not None


def test_each_recovery_code_counts_once(factor: TotpFactor) -> None:
    assert len(set(RECOVERY)) == totp.RECOVERY_CODES
    for left, code in zip(range(totp.RECOVERY_CODES - 1, -1, -1), RECOVERY, strict=True):
        after = totp.used(factor, code.lower(), NOON)
        assert after is not None
        assert len(after.recovery) == left
        assert totp.used(after, code, NOON) is None
        factor = after


def test_what_is_kept_of_recovery_codes_opens_nothing(factor: TotpFactor) -> None:
    for code, kept in zip(RECOVERY, factor.recovery, strict=True):
        assert code not in repr(factor)
        assert totp.used(factor, kept, NOON) is None


@pytest.mark.parametrize("typed", ["", " ", "000000", "é" * 6, "١٢٣٤٥٦", "1" * 40, "\x00"])
def test_whatever_is_typed_is_wrong_and_nothing_worse(factor: TotpFactor, typed: str) -> None:
    assert totp.used(factor, typed, NOON + 100 * PERIOD) is None


def test_an_app_is_told_whose_account_it_is() -> None:
    new = totp.new_totp("My house", "anna")
    assert new.uri.startswith("otpauth://totp/Holdfast%20My%20house:anna?secret=" + new.secret)
    assert new.secret != totp.new_totp("My house", "anna").secret
