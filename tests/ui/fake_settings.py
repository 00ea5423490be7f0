"""Accounts and site.yaml, as the API has them, for the fake site."""

import difflib
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import bytes_to_base64url
from webauthn.helpers.structs import AuthenticatorSelectionCriteria, ResidentKeyRequirement

from tests.ui.fake_day import iso

PASSWORD = "correct horse battery staple"
ME = "anna"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
TOTP_URI = pyotp.TOTP(TOTP_SECRET).provisioning_uri(name=ME, issuer_name="Holdfast Demo")
YAML = """\
# The site of the demonstration.
version: 1
name: Demo
timezone: Europe/Berlin
currency: EUR

authority: full
limited_power_w: 500

grid:
  import_max_w: 17000         # what the main fuse permits
  export_max_w: 10000

storage:
  - name: battery
    battery:
      cells_in_series: 16
      capacity_wh: 10240
    operation:
      soc_min_pct: 10
      soc_max_pct: 95
"""
_DAY = timedelta(days=1)


def _version(number: int, when: datetime, by: str, yaml: str) -> dict[str, Any]:
    return {"id": number, "utc": iso(when), "by": by, "yaml": yaml, "digest": digest(yaml)}


def digest(yaml: str) -> str:
    """Returns what a text is known by."""
    return hashlib.sha256(yaml.encode()).hexdigest()


def user(name: str, role: str, **others: Any) -> dict[str, Any]:
    """Returns an account, as it is told of."""
    plain = {
        "made": iso(datetime.now(UTC) - 40 * _DAY), "single_sign_on": False, "totp": False,
        "passkeys": 0, "tokens": 0, "sessions": 1,
    }  # fmt: skip
    return {"name": name, "role": role} | plain | others


def session(address: str, how: str, *, current: bool = False) -> dict[str, Any]:
    """Returns where somebody is logged in."""
    now = datetime.now(UTC)
    return {
        "id": secrets.token_hex(4), "how": how, "address": address, "current": current,
        "made": iso(now - _DAY), "used": iso(now - timedelta(minutes=3)),
    }  # fmt: skip


def token(name: str, role: str, rights: list[str] | None, used: datetime | None) -> dict[str, Any]:
    """Returns a token, without what opens the door."""
    now = datetime.now(UTC)
    return {
        "id": secrets.token_hex(4), "name": name, "role": role, "rights": rights,
        "made": iso(now - 9 * _DAY), "expires": iso(now + 300 * _DAY),
        "used": None if used is None else iso(used),
    }  # fmt: skip


@dataclass
class FakeSettings:
    """Holds what the settings change."""

    users: list[dict[str, Any]] = field(
        default_factory=lambda: [
            user("anna", "admin", sessions=2, tokens=1),
            user("ben", "operator", totp=True, passkeys=1),
            user("sso:clara", "viewer", single_sign_on=True, sessions=0),
        ]
    )
    sessions: list[dict[str, Any]] = field(
        default_factory=lambda: [
            session("192.168.1.23", "password", current=True),
            session("192.168.1.40", "passkey"),
        ]
    )
    tokens: list[dict[str, Any]] = field(
        default_factory=lambda: [
            token("Home automation", "operator", ["site.read", "plan.override"], datetime.now(UTC))
        ]
    )
    yaml: str = YAML
    versions: list[dict[str, Any]] = field(
        default_factory=lambda: [
            _version(1, datetime.now(UTC) - 20 * _DAY, "somebody at the computer",
                     YAML.replace("soc_max_pct: 95", "soc_max_pct: 90")),
            _version(2, datetime.now(UTC) - 2 * _DAY, "anna", YAML),
        ]
    )  # fmt: skip
    has_passkeys: bool = True
    is_totp_on: bool = False
    passkeys: list[dict[str, Any]] = field(default_factory=list)
    public_keys: dict[str, bytes] = field(default_factory=dict)
    challenge: bytes = b""

    push_key: str | None = None
    """None: site.yaml tells no browser."""
    push_browsers: list[dict[str, Any]] = field(default_factory=list)
    push_refuses: str = ""
    """Is why a test does not go out; empty: it does."""

    def factors(self) -> dict[str, Any]:
        """Returns what is told of one's own account."""
        return {
            "has_password": True, "totp": self.is_totp_on,
            "recovery_codes": 10 if self.is_totp_on else 0, "passkeys": self.passkeys,
        }  # fmt: skip


def _fake(request: Request) -> Any:
    return request.app.state.fake


def _no(status: int, detail: str) -> JSONResponse:
    return JSONResponse({"detail": detail}, status)


async def _told(request: Request) -> tuple[Any, FakeSettings, Any]:
    """Returns the site, its settings and the body; what was asked is kept."""
    fake = _fake(request)
    body = await request.json() if await request.body() else None
    fake.asked.append((request.method, request.url.path.removeprefix("/api/v1/"), body))
    return fake, fake.settings, body


# --- One's own account ---------------------------------------------------------------------------


async def _sessions(request: Request) -> Response:
    return JSONResponse(_fake(request).settings.sessions)


async def _end_sessions(request: Request) -> Response:
    fake, settings, _ = await _told(request)
    ended, settings.sessions, fake.role = len(settings.sessions), [], None
    return JSONResponse({"ended": ended})


async def _end_session(request: Request) -> Response:
    _, settings, _ = await _told(request)
    gone = request.path_params["id"]
    settings.sessions = [one for one in settings.sessions if one["id"] != gone]
    return Response(status_code=204)


async def _password(request: Request) -> Response:
    _, settings, body = await _told(request)
    if body["old"] != PASSWORD:
        return _no(401, "password: is wrong")
    if len(body["new"]) < 10:
        return _no(422, f"password: has {len(body['new'])} characters; 10 are the least")
    settings.sessions = settings.sessions[:1]
    return JSONResponse({})


async def _begin_totp(request: Request) -> Response:
    await _told(request)
    return JSONResponse({"ceremony": "c1", "secret": TOTP_SECRET, "uri": TOTP_URI})


async def _confirm_totp(request: Request) -> Response:
    _, settings, body = await _told(request)
    if not pyotp.TOTP(TOTP_SECRET).verify(body["code"]):
        return _no(403, "code: is wrong: are both clocks right? Begin again")
    settings.is_totp_on = True
    return JSONResponse({"recovery_codes": [f"abcd-efgh-jk{n:02}" for n in range(10)]})


async def _remove_totp(request: Request) -> Response:
    _, settings, body = await _told(request)
    if body["password"] != PASSWORD:
        return _no(401, "password: is wrong")
    settings.is_totp_on = False
    return Response(status_code=204)


async def _begin_passkey(request: Request) -> Response:
    _, settings, _ = await _told(request)
    options = generate_registration_options(
        rp_id="localhost",
        rp_name="Holdfast",
        user_name=ME,
        user_id=b"0" * 32,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED
        ),
    )
    settings.challenge = options.challenge
    return JSONResponse({"ceremony": "p1", "options": json.loads(options_to_json(options))})


async def _finish_passkey(request: Request) -> Response:
    _, settings, body = await _told(request)
    verified = verify_registration_response(
        credential=body["credential"],
        expected_challenge=settings.challenge,
        expected_rp_id="localhost",
        expected_origin=request.headers["origin"],
    )
    found = bytes_to_base64url(verified.credential_id)
    settings.public_keys[found] = verified.credential_public_key
    passkey = {
        "id": found,
        "name": body["name"],
        "made": iso(datetime.now(UTC)),
        "host": "localhost",
    }
    settings.passkeys.append(passkey)
    return JSONResponse(passkey)


async def _remove_passkey(request: Request) -> Response:
    _, settings, _ = await _told(request)
    gone = request.path_params["id"]
    settings.passkeys = [one for one in settings.passkeys if one["id"] != gone]
    return Response(status_code=204)


async def _begin_login(request: Request) -> Response:
    _, settings, _ = await _told(request)
    options = generate_authentication_options(rp_id="localhost")
    settings.challenge = options.challenge
    return JSONResponse({"ceremony": "p2", "options": json.loads(options_to_json(options))})


async def _finish_login(request: Request) -> Response:
    fake, settings, body = await _told(request)
    verify_authentication_response(
        credential=body["credential"],
        expected_challenge=settings.challenge,
        expected_rp_id="localhost",
        expected_origin=request.headers["origin"],
        credential_public_key=settings.public_keys[body["credential"]["id"]],
        credential_current_sign_count=0,
    )
    fake.role = "admin"
    return JSONResponse({})


# --- Notifications on this device ----------------------------------------------------------------


async def _push(request: Request) -> Response:
    settings = _fake(request).settings
    recipients = [] if settings.push_key is None else ["phones"]
    told = {"public_key": settings.push_key, "recipients": recipients}
    return JSONResponse(told | {"browsers": settings.push_browsers})


async def _switch_push_on(request: Request) -> Response:
    _, settings, body = await _told(request)
    browser_id = hashlib.sha256(body["endpoint"].encode()).hexdigest()[:16]
    browser = {"id": browser_id, "name": body["name"], "made": iso(datetime.now(UTC))}
    settings.push_browsers.append(browser)
    return JSONResponse(browser, 201)


async def _switch_push_off(request: Request) -> Response:
    _, settings, _ = await _told(request)
    gone = request.path_params["id"]
    settings.push_browsers = [one for one in settings.push_browsers if one["id"] != gone]
    return Response(status_code=204)


async def _try_push(request: Request) -> Response:
    _, settings, _ = await _told(request)
    return _no(409, settings.push_refuses) if settings.push_refuses else Response(status_code=204)


# --- Tokens and users ----------------------------------------------------------------------------


async def _tokens(request: Request) -> Response:
    return JSONResponse(_fake(request).settings.tokens)


async def _make_token(request: Request) -> Response:
    _, settings, body = await _told(request)
    if body["rights"] == []:
        return _no(422, "rights: are none; leave them out for all of the role")
    made = token(body["name"], body["role"], body["rights"], None) | {"expires": body["expires"]}
    settings.tokens.append(made)
    return JSONResponse(made | {"token": f"hf_{secrets.token_urlsafe(32)}"}, 201)


async def _revoke_token(request: Request) -> Response:
    _, settings, _ = await _told(request)
    gone = request.path_params["id"]
    settings.tokens = [one for one in settings.tokens if one["id"] != gone]
    return Response(status_code=204)


async def _users(request: Request) -> Response:
    return JSONResponse(_fake(request).settings.users)


async def _add_user(request: Request) -> Response:
    _, settings, body = await _told(request)
    if any(one["name"] == body["name"] for one in settings.users):
        return _no(409, f"name: there is a {body['name']} already")
    added = user(body["name"], body["role"], sessions=0)
    settings.users.append(added)
    return JSONResponse(added, 201)


async def _change_user(request: Request) -> Response:
    _, settings, body = await _told(request)
    found = next(one for one in settings.users if one["name"] == request.path_params["name"])
    if found["name"] == ME and body.get("role", "admin") != "admin":
        return _no(409, f"{ME}: is the last admin; make another one first")
    found["role"] = body.get("role", found["role"])
    if body.get("second_factor") is False:
        found |= {"totp": False, "passkeys": 0}
    return JSONResponse(found)


async def _remove_user(request: Request) -> Response:
    _, settings, _ = await _told(request)
    gone = request.path_params["name"]
    settings.users = [one for one in settings.users if one["name"] != gone]
    return Response(status_code=204)


async def _log_out_user(request: Request) -> Response:
    _, settings, _ = await _told(request)
    found = next(one for one in settings.users if one["name"] == request.path_params["name"])
    ended, found["sessions"] = found["sessions"], 0
    return JSONResponse({"ended": ended})


# --- site.yaml -----------------------------------------------------------------------------------


async def _config(request: Request) -> Response:
    settings = _fake(request).settings
    return JSONResponse({"yaml": settings.yaml, "digest": digest(settings.yaml)})


def check(settings: FakeSettings, yaml: str) -> dict[str, Any]:
    """Tells what a text would be, as far as the tests need that."""
    problems, doubts = [], []
    if "soc_mx_pct" in yaml:
        problems.append("storage[0].operation.soc_mx_pct: is not a known key here")
    if "import_max_w: 17 " in yaml:
        doubts.append("grid.import_max_w: 17 W; was 17 kW meant, that is 17000?")
    lines = difflib.unified_diff(
        settings.yaml.splitlines(keepends=True), yaml.splitlines(keepends=True), "now", "then"
    )
    return {
        "ok": not problems, "problems": problems, "doubts": doubts,
        "warnings": [] if problems else ["there are no prices: the site runs on self-consumption"],
        "diff": "".join(lines),
    }  # fmt: skip


async def _check(request: Request) -> Response:
    _, settings, body = await _told(request)
    return JSONResponse(check(settings, body["yaml"]))


async def _write(request: Request) -> Response:
    _, settings, body = await _told(request)
    if body["digest"] != digest(settings.yaml):
        return _no(409, "site.yaml was changed since; read it again, and make the change in that")
    found = check(settings, body["yaml"])
    if found["problems"]:
        return _no(422, found["problems"][0])
    return _put(settings, body["yaml"], ME)


def _put(settings: FakeSettings, yaml: str, by: str) -> JSONResponse:
    settings.yaml = yaml
    settings.versions.append(_version(len(settings.versions) + 1, datetime.now(UTC), by, yaml))
    return JSONResponse({"digest": digest(yaml), "effect": "at the next start"})


async def _versions(request: Request) -> Response:
    settings = _fake(request).settings
    return JSONResponse(
        [
            {name: one[name] for name in ("id", "utc", "by", "digest")}
            | {"present": one["digest"] == digest(settings.yaml)}
            for one in reversed(settings.versions)
        ]
    )


async def _one_version(request: Request) -> Response:
    found = _of_number(request, int(request.path_params["id"]))
    return JSONResponse({"yaml": found["yaml"], "digest": found["digest"]})


async def _roll_back(request: Request) -> Response:
    _, settings, body = await _told(request)
    return _put(settings, _of_number(request, body["id"])["yaml"], ME)


def _of_number(request: Request, number: int) -> dict[str, Any]:
    versions: list[dict[str, Any]] = _fake(request).settings.versions
    return next(one for one in versions if one["id"] == number)


async def _apply(request: Request) -> Response:
    fake, _, _ = await _told(request)
    if fake.state == "running":
        return _no(409, "the site is RUNNING; stop it first")
    return JSONResponse({"text": "all processes are started anew within a few seconds"})


_POST, _DELETE = ["POST"], ["DELETE"]
ROUTES = [
    Route("/auth/sessions", _sessions),
    Route("/auth/sessions", _end_sessions, methods=_DELETE),
    Route("/auth/sessions/{id}", _end_session, methods=_DELETE),
    Route("/auth/password", _password, methods=_POST),
    Route("/auth/totp/begin", _begin_totp, methods=_POST),
    Route("/auth/totp/confirm", _confirm_totp, methods=_POST),
    Route("/auth/totp/remove", _remove_totp, methods=_POST),
    Route("/auth/passkeys/register/begin", _begin_passkey, methods=_POST),
    Route("/auth/passkeys/register/finish", _finish_passkey, methods=_POST),
    Route("/auth/passkeys/login/begin", _begin_login, methods=_POST),
    Route("/auth/passkeys/login/finish", _finish_login, methods=_POST),
    Route("/auth/passkeys/{id}", _remove_passkey, methods=_DELETE),
    Route("/notices/push", _push),
    Route("/notices/push/browsers", _switch_push_on, methods=_POST),
    Route("/notices/push/browsers/{id}", _switch_push_off, methods=_DELETE),
    Route("/notices/push/browsers/{id}/test", _try_push, methods=_POST),
    Route("/auth/tokens", _tokens),
    Route("/auth/tokens", _make_token, methods=_POST),
    Route("/auth/tokens/{id}", _revoke_token, methods=_DELETE),
    Route("/auth/users", _users),
    Route("/auth/users", _add_user, methods=_POST),
    Route("/auth/users/{name}", _change_user, methods=["PATCH"]),
    Route("/auth/users/{name}", _remove_user, methods=_DELETE),
    Route("/auth/users/{name}/sessions", _log_out_user, methods=_DELETE),
    Route("/config", _config),
    Route("/config", _write, methods=["PUT"]),
    Route("/config/check", _check, methods=_POST),
    Route("/config/history", _versions),
    Route("/config/history/{id}", _one_version),
    Route("/config/rollback", _roll_back, methods=_POST),
    Route("/config/apply", _apply, methods=_POST),
]
