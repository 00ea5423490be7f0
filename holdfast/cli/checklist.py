"""``holdfast checklist`` tells what has to be seen before a site may do more, and releases it."""

import argparse
import getpass
from collections.abc import Iterator
from datetime import UTC, datetime

from holdfast.cli.arguments import add_config, add_json
from holdfast.cli.columns import print_columns
from holdfast.cli.json_output import print_json
from holdfast.client.messages import Act
from holdfast.client.operator_note import note, tell
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError
from holdfast.deployment.checklist.checklist import Checklist, judge
from holdfast.deployment.checklist.evidence import Evidence, gather
from holdfast.deployment.checklist.items import Item, item_named
from holdfast.deployment.checklist.signatures import Signature, Signatures
from holdfast.safety.goals import Authority
from holdfast.site.files import SiteFiles, write_atomically
from holdfast.site.release import Release, encode_release, read_release, release_path
from holdfast.site.site_file import load_site

DESCRIPTION = """\
Tell what has to be seen at this site before it may write to its devices (authority: limited), and
before it may do all (authority: full). What can be measured, the program measures: a day that was
watched, a day with limited power, a tried emergency stop. The rest a person looks at, and signs:

    holdfast checklist --sign fuse --by "Jo Example" --note "3 x 35 A, contract 11 kW"

Once nothing is missing, the site is released, and site.yaml may say so:

    holdfast checklist --release limited --by "Jo Example"

All of it is about the devices that are there now: with another inverter it begins again. Exits
with 1 while something is missing for what site.yaml asks for, or for the next stage.
"""
_STAGES = {"limited": Authority.LIMITED, "full": Authority.FULL}
_COLUMN = 22


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add_config(parser)
    add_json(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--sign", metavar="ITEM", help="say that you have seen it")
    what.add_argument("--unsign", metavar="ITEM", help="take a signature back")
    what.add_argument("--release", choices=_STAGES, help="release the site for this authority")
    parser.add_argument("--by", metavar="NAME", help="who signs or releases")
    parser.add_argument("--note", default="", metavar="TEXT", help="what was seen")


def execute(options: argparse.Namespace) -> int:
    """Tells, signs or releases."""
    site = load_site(options.config)
    files = SiteFiles.of(site)
    files.create()
    try:
        if options.sign is not None:
            return _sign(site, files, options)
        if options.unsign is not None:
            return _unsign(files, options.unsign)
        if options.release is not None:
            return _release(site, files, options)
    except OSError as error:
        raise ConfigError(f"it cannot be kept: {error}") from error
    return _tell(site, as_json=options.json)


def _sign(site: Site, files: SiteFiles, options: argparse.Namespace) -> int:
    item, by = _item(options.sign), _signer(options.by)
    if not item.signed_by_people:
        raise ConfigError(f"--sign {item.key}: the program sees that by itself, nobody can sign it")
    evidence = gather(site, datetime.now(UTC))
    try:
        signature = Signature(
            by=by, utc=evidence.now, hardware=evidence.hardware, note=options.note.strip()
        )
    except ValueError as error:
        raise ConfigError("--by or --note is too long") from error
    Signatures(files.signatures).add(item.key, signature)
    _on_record(files, by, f"signed {item.key}: {signature.note}")
    print(f"{item.key}: {signature.in_words}")
    return 0


def _unsign(files: SiteFiles, key: str) -> int:
    item = _item(key)
    Signatures(files.signatures).remove(item.key)
    _on_record(files, getpass.getuser(), f"took back the signature of {item.key}")
    print(f"{item.key}: no longer signed")
    return 0


def _release(site: Site, files: SiteFiles, options: argparse.Namespace) -> int:
    by = _signer(options.by)
    evidence = gather(site, datetime.now(UTC))
    missing = judge(evidence).missing(_STAGES[options.release])
    if missing:
        print(f"{site.name} is not released for authority: {options.release}. Missing:")
        for one in missing:
            print(f"  {one.item.key}: {one.item.text}\n    {one.told}")
        return 1
    release = Release(stage=options.release, hardware=evidence.hardware, utc=evidence.now, by=by)
    write_atomically(release_path(site), encode_release(release))
    _on_record(files, by, f"released the site for authority: {options.release}")
    print(
        f"{site.name} is released for authority: {options.release}, by {by}. Now write that into "
        "site.yaml; it holds from the next start on."
    )
    return 0


def _item(key: str) -> Item:
    item = item_named(key)
    if item is None:
        raise ConfigError(f"{key}: no item has that name; `holdfast checklist` tells all of them")
    return item


def _signer(by: str | None) -> str:
    if by is None or not by.strip():
        raise ConfigError("--by NAME: who has seen it, or takes it on himself?")
    return by.strip()


def _on_record(files: SiteFiles, who: str, detail: str) -> None:
    why_not = tell(files, note(who, "at the computer", Act.COMMISSIONING, detail))
    if why_not is not None:
        print(f"not in the audit log: {why_not}")


def _tell(site: Site, *, as_json: bool) -> int:
    evidence = gather(site, datetime.now(UTC))
    found = judge(evidence)
    wanted = max(Authority[site.authority.upper()], Authority.LIMITED)
    if as_json:
        print_json(_content(site, found))
    else:
        _print(site, evidence, found)
    return 1 if found.missing(wanted) else 0


def _print(site: Site, evidence: Evidence, found: Checklist) -> None:
    for name, stage in _STAGES.items():
        print(f"before authority: {name}")
        print_columns(_rows(found, stage))
        print()
    begun = evidence.record.begun
    since = "they have not run yet" if begun is None else f"since {begun:%Y-%m-%d %H:%M} UTC"
    print(f"all of it is about the devices that are there now: {since}")
    print(f"{_released(site)}; nothing is missing for authority: {found.reaches.key}")


def _rows(found: Checklist, stage: Authority) -> Iterator[tuple[str, ...]]:
    for one in found.judged:
        if one.item.stage is stage:
            mark = {"done": "x", "open": " "}.get(one.standing, "-")
            yield f"  [{mark}] {one.item.key:{_COLUMN}}", one.item.text
            yield f"      {'':{_COLUMN}}", one.told


def _released(site: Site) -> str:
    if site.commissioning is not None:
        return f"nobody has to release this site ({site.commissioning.none})"
    release = read_release(release_path(site))
    if release is None:
        return "it is released for nothing: it observes"
    return f"it was released for authority: {release.stage} by {release.by}, {release.utc:%Y-%m-%d}"


def _content(site: Site, found: Checklist) -> dict[str, object]:
    release = read_release(release_path(site))
    return {
        "site": site.name,
        "authority": site.authority,
        "released_for": None if release is None else release.stage,
        "released_by": None if release is None else release.by,
        "complete_for": found.reaches.key,
        "items": [
            {
                "item": one.item.key,
                "stage": one.item.stage.key,
                "text": one.item.text,
                "seen_by": "a person" if one.item.see is None else "the program",
                "standing": one.standing,
                "told": one.told,
                "signed_by": None if one.signature is None else one.signature.by,
            }
            for one in found.judged
        ],
    }
