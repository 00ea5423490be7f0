"""Passkeys are kept by a telephone, a computer or a stick, which proves that its owner is there.

One is worth both factors: what somebody has, and the finger or PIN that unlocks it. Browsers offer
them on pages with a name and https only, and on localhost.

What reads them takes 12 MB: it is loaded with the first one that is used.
"""

import hashlib
import ipaddress
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from holdfast.api.auth.accounts import Account, Accounts, Passkey
from holdfast.api.auth.attempt_limit import neighbourhood
from holdfast.api.auth.challenges import Challenges
from holdfast.api.auth.errors import AuthRefused
from holdfast.api.auth.request_origin import host_of

EACH = 10
"""So many has one account."""
_NAME = "Holdfast"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    challenge: bytes
    origin: str
    account: str | None
    """Names who registers; None: somebody logs in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceremony:
    """Holds what a page hands to the browser, and the id under which it brings the answer."""

    ceremony: str
    options: dict[str, Any]


def can_have_passkeys(origin: str) -> bool:
    """Says whether browsers offer passkeys on pages of ``origin``."""
    host = host_of(origin)
    if host == "localhost":
        return True
    return origin.startswith("https://") and bool(host) and not _is_address(host)


class PasskeyDesk:
    """Registers passkeys and lets in who has one."""

    def __init__(self, challenges: Challenges[_Asked] | None = None) -> None:
        self._asked: Challenges[_Asked] = challenges or Challenges()

    def begin_registration(self, account: Account, origin: str) -> Ceremony:
        """Begins to register a passkey. Raises AuthRefused where none can be."""
        _check_place(origin)
        if len(account.passkeys) >= EACH:
            raise AuthRefused(409, f"there are {EACH} passkeys already: remove one first")
        from webauthn import generate_registration_options, options_to_json
        from webauthn.helpers import base64url_to_bytes
        from webauthn.helpers.structs import (
            AuthenticatorSelectionCriteria,
            PublicKeyCredentialDescriptor,
            ResidentKeyRequirement,
            UserVerificationRequirement,
        )

        options = generate_registration_options(
            rp_id=host_of(origin),
            rp_name=_NAME,
            user_name=account.name,
            user_id=hashlib.sha256(account.name.encode()).digest(),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[
                PublicKeyCredentialDescriptor(id=base64url_to_bytes(passkey.id))
                for passkey in account.passkeys
            ],
        )
        asked = _Asked(challenge=options.challenge, origin=origin, account=account.name)
        return self._ceremony(account.name, asked, options_to_json(options))

    def finish_registration(
        self, account: str, ceremony: str, credential: dict[str, Any], name: str, now: datetime
    ) -> Passkey:
        """Returns the passkey that the browser has made for ``account``. Raises AuthRefused."""
        asked = self._answered(ceremony)
        if asked.account != account:
            raise AuthRefused(403, "ceremony: was begun by somebody else")
        from webauthn import verify_registration_response
        from webauthn.helpers import bytes_to_base64url

        verified = _verified(
            lambda: verify_registration_response(
                credential=credential,
                expected_challenge=asked.challenge,
                expected_rp_id=host_of(asked.origin),
                expected_origin=asked.origin,
                require_user_verification=True,
            )
        )
        return Passkey(
            id=bytes_to_base64url(verified.credential_id),
            public_key=bytes_to_base64url(verified.credential_public_key),
            sign_count=verified.sign_count,
            rp_id=host_of(asked.origin),
            name=name,
            made=now,
        )

    def begin_login(self, origin: str, address: str) -> Ceremony:
        """Asks who comes from ``address`` for whatever passkey there is for this site. Raises
        AuthRefused."""
        _check_place(origin)
        from webauthn import generate_authentication_options, options_to_json
        from webauthn.helpers.structs import UserVerificationRequirement

        options = generate_authentication_options(
            rp_id=host_of(origin), user_verification=UserVerificationRequirement.REQUIRED
        )
        asked = _Asked(challenge=options.challenge, origin=origin, account=None)
        return self._ceremony(neighbourhood(address), asked, options_to_json(options))

    def finish_login(
        self, accounts: Accounts, ceremony: str, credential: dict[str, Any]
    ) -> tuple[Account, Passkey]:
        """Returns who that is, and the passkey after this use of it. Raises AuthRefused."""
        asked = self._answered(ceremony)
        if asked.account is not None:
            raise AuthRefused(403, "ceremony: was begun to register")
        account, passkey = _found(accounts, credential.get("id"), host_of(asked.origin))
        from webauthn import verify_authentication_response
        from webauthn.helpers import base64url_to_bytes

        verified = _verified(
            lambda: verify_authentication_response(
                credential=credential,
                expected_challenge=asked.challenge,
                expected_rp_id=passkey.rp_id,
                expected_origin=asked.origin,
                credential_public_key=base64url_to_bytes(passkey.public_key),
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        )
        return account, replace(passkey, sign_count=verified.new_sign_count)

    def _ceremony(self, whose: str, asked: _Asked, options: str) -> Ceremony:
        return Ceremony(ceremony=self._asked.ask(whose, asked), options=json.loads(options))

    def _answered(self, ceremony: str) -> _Asked:
        asked = self._asked.answered(ceremony)
        if asked is None:
            raise AuthRefused(403, "ceremony: took too long, or was used before: begin again")
        return asked


def _check_place(origin: str) -> None:
    if not can_have_passkeys(origin):
        raise AuthRefused(
            409,
            f"passkeys: browsers offer none at {origin}: they want https and a name in the place "
            "of an address, or localhost (api.tls, api.public_url)",
        )


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _found(accounts: Accounts, passkey_id: object, rp_id: str) -> tuple[Account, Passkey]:
    for account in accounts.users:
        for passkey in account.passkeys:
            if passkey.id == passkey_id and passkey.rp_id == rp_id:
                return account, passkey
    raise AuthRefused(401, "passkey: is not known here; log in with name and password")


def _verified(verify: Callable[[], _T]) -> _T:
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        return verify()
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise AuthRefused(401, f"passkey: does not prove who you are ({error})") from None
