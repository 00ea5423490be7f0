"""site.yaml: reading it, checking a change, making it, and taking it back."""

import json
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, HTTPException, Path, Request
from pydantic import BaseModel, Field

from holdfast.api.access import Principal, Right, needs
from holdfast.api.auth.dependencies import auth_of
from holdfast.api.bodies import Body
from holdfast.api.problems import answers
from holdfast.api.secrets_hidden import without_secrets
from holdfast.api.site_view import SiteView, View
from holdfast.api.turns import IN_TURN
from holdfast.client.messages import Act
from holdfast.core.errors import AlreadyRunning, ConfigError
from holdfast.core.state_machine import State
from holdfast.core.strict_yaml import MAX_CHARACTERS
from holdfast.site.config_file import ConfigChanged, ConfigText, ConfigVersion
from holdfast.site.files import write_atomically
from holdfast.site.site_lock import refuse_second

router = APIRouter(prefix="/config", tags=["config"])
Reader = Annotated[Principal, Depends(needs(Right.CONFIG_READ))]
Writer = Annotated[Principal, Depends(needs(Right.CONFIG_WRITE))]
Yaml = Annotated[str, Field(min_length=1, max_length=MAX_CHARACTERS)]
Effect = Literal["at the next start"]
_EFFECT: Final[Effect] = "at the next start"
_SUPERVISOR: Final = "supervisor"


class NewText(Body):
    """Holds what site.yaml is to say."""

    yaml: Yaml


class Change(NewText):
    """Holds what site.yaml is to say, in the place of what was edited."""

    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """Is that of the text that was edited."""


class Back(Body):
    """Names a version."""

    id: Annotated[int, Field(ge=1, le=10**9)]


class Checked(BaseModel):
    """Tells what a text would be as site.yaml."""

    ok: bool
    problems: tuple[str, ...]
    doubts: tuple[str, ...]
    warnings: tuple[str, ...]
    diff: str


class Written(BaseModel):
    """Tells what the file is now."""

    digest: str
    effect: Effect
    """The processes go on with what they have read until the site is started anew."""


class VersionInShort(BaseModel):
    """Tells of one version, who wrote it and when."""

    id: int
    utc: datetime
    by: str
    digest: str
    present: bool
    """Says whether it is what the file says now."""


class Applied(BaseModel):
    """Tells what becomes of it."""

    text: str


@router.get("")
def read(view: View, reader: Reader) -> ConfigText:
    """Returns site.yaml; secrets are left out for who may not change it."""
    return _shown(_read(view), reader)


@router.post("/check", dependencies=[IN_TURN])
def check(view: View, new: NewText, _: Writer) -> Checked:
    """Tells what a text would be as site.yaml: what is wrong, what is doubtful, what changes."""
    try:
        found = view.config.check(new.yaml)
    except ConfigError as error:
        raise HTTPException(503, str(error)) from error
    return Checked(
        ok=found.ok,
        problems=found.problems,
        doubts=found.doubts,
        warnings=found.warnings,
        diff=found.diff,
    )


@router.put("", dependencies=[IN_TURN], responses=answers(409))
def write(view: View, change: Change, writer: Writer, request: Request) -> Written:
    """Puts a text in the place of the one that was edited, if the site can be run with it."""
    written = _write(view, change.yaml, edited=change.digest, by=writer.name)
    auth_of(request).tell(writer, Act.CONFIG, f"site.yaml changed to {written.digest[:12]}")
    return written


@router.get("/history")
def history(view: View, _: Reader) -> list[VersionInShort]:
    """Lists the versions that are kept, newest first."""
    present = _read(view).digest
    return [
        VersionInShort(
            id=version.id,
            utc=version.utc,
            by=version.by,
            digest=version.digest,
            present=version.digest == present,
        )
        for version in view.config.versions()
    ]


@router.get("/history/{number}", responses=answers(404))
def one_version(
    view: View, number: Annotated[int, Path(ge=1, le=10**9)], reader: Reader
) -> ConfigText:
    """Returns the text of one version."""
    version = _version(view, number)
    return _shown(ConfigText(yaml=version.yaml, digest=version.digest), reader)


@router.post("/rollback", dependencies=[IN_TURN], responses=answers(404, 409))
def roll_back(view: View, back: Back, writer: Writer, request: Request) -> Written:
    """Makes the file what it was in a version that is kept; that makes a new version."""
    version = _version(view, back.id)
    written = _write(view, version.yaml, edited=_read(view).digest, by=writer.name)
    told = f"site.yaml taken back to version {version.id}, {written.digest[:12]}"
    auth_of(request).tell(writer, Act.CONFIG, told)
    return written


@router.post("/apply", dependencies=[IN_TURN], responses=answers(409))
def apply(view: View, writer: Writer, request: Request) -> Applied:
    """Has all processes started anew with the file as it is now; not while the site is RUNNING."""
    text = _read(view)
    try:
        site = view.config.examine(text.yaml).site
    except ConfigError as error:
        raise HTTPException(409, f"the site cannot be run with site.yaml: {error}") from error
    if site.state_dir != view.site.state_dir:
        raise HTTPException(409, "state_dir is another one: end the site, and start it by hand")
    found = view.latest()
    if found is not None and found[0].state is State.RUNNING:
        raise HTTPException(409, "the site is RUNNING; stop it first")
    if not _is_supervised(view):
        raise HTTPException(409, "no `holdfast run` supervises this site; start it anew by hand")
    asked = {"by": writer.name, "utc": datetime.now(UTC).isoformat(), "digest": text.digest}
    auth_of(request).tell(writer, Act.CONFIG, f"site.yaml {text.digest[:12]} applied")
    write_atomically(view.files.apply, json.dumps(asked).encode())
    return Applied(text="all processes are started anew within a few seconds")


def _is_supervised(view: SiteView) -> bool:
    try:
        refuse_second(view.files, _SUPERVISOR)
    except AlreadyRunning:
        return True
    return False


def _read(view: SiteView) -> ConfigText:
    try:
        return view.config.read()
    except ConfigError as error:
        raise HTTPException(503, str(error)) from error


def _shown(text: ConfigText, reader: Principal) -> ConfigText:
    if Right.CONFIG_WRITE in reader.rights:
        return text
    return ConfigText(yaml=without_secrets(text.yaml), digest=text.digest)


def _version(view: SiteView, number: int) -> ConfigVersion:
    found = view.config.version(number)
    if found is None:
        raise HTTPException(404, f"version {number} is not kept")
    return found


def _write(view: SiteView, yaml: str, *, edited: str, by: str) -> Written:
    try:
        text = view.config.write(yaml, edited=edited, by=by)
    except ConfigChanged as error:
        raise HTTPException(409, str(error)) from error
    except ConfigError as error:
        raise HTTPException(422, str(error)) from error
    except OSError as error:
        raise HTTPException(503, f"site.yaml cannot be written: {error.strerror}") from error
    return Written(digest=text.digest, effect=_EFFECT)
