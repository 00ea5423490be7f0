"""An update is a row of steps. Each may be cut off: the release that runs stays whole, and the next
run begins anew. Only the last step, which is not ours, touches what runs.
"""

import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast.core.state_machine import State
from holdfast.deployment.backup.writing import write_backup
from holdfast.deployment.release.facts import ReleaseError, ReleaseFacts, here
from holdfast.deployment.site_states import BEFORE, SiteWatch
from holdfast.deployment.update.prefix import Prefix
from holdfast.deployment.update.slot import build
from holdfast.deployment.update.source import Source, choose
from holdfast.monitoring.history.database import layout
from holdfast.site.files import write_atomically
from holdfast.site.site_file import load_site

_LOOK_S = 1.0
_SELF_TEST_S = 1800.0
_NOT_KEPT = (
    "it was not kept: the release before runs. `holdfast update --status` and the journal of "
    "holdfast-update.service tell more"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateOrder:
    """Tells what somebody wants."""

    prefix: Prefix
    where: str
    sites: tuple[Path, ...]
    """Is each site.yaml of this computer."""
    when_idle: bool
    minutes: int
    tell: Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Holds a release, and where it is."""

    facts: ReleaseFacts
    source: Source
    slot: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateStep:
    """Describes a step, and does it. Raises HoldfastError, OSError."""

    text: str
    do: Callable[[UpdateOrder, Chosen], None]


def look(order: UpdateOrder) -> Chosen | None:
    """Returns the release to go to; None if the newest one is installed. Raises ReleaseError."""
    prefix = order.prefix
    installed = prefix.version(prefix.current)
    if installed is None:
        raise ReleaseError(f"slot {prefix.current} of {prefix.folder} holds no Holdfast")
    source = Source(prefix, order.where)
    facts = choose(source.releases, installed=installed, platform=here(), failed=prefix.failed)
    if facts is None:
        return None
    why = facts.why_no_way_back(None, layout().number)
    if why:
        raise ReleaseError(why)
    return Chosen(facts=facts, source=source, slot=prefix.other)


def _build(order: UpdateOrder, found: Chosen) -> None:
    if order.prefix.version(found.slot) != found.facts.version:
        build(order.prefix, found.slot, found.source.fetch(found.facts), found.facts)


def _keep(order: UpdateOrder, _: Chosen) -> None:
    """Backs up each site; only those of the last update are kept."""
    folder = order.prefix.room / "kept.new"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    for config in order.sites:
        write_backup(config, load_site(config), _backup(folder, config))
        write_atomically(folder / f"{config.parent.name}.yaml", config.read_bytes())
    kept = order.prefix.room / "kept"
    shutil.rmtree(kept, ignore_errors=True)
    folder.replace(kept)


def _prove(order: UpdateOrder, found: Chosen) -> None:
    command = [str(order.prefix.python(found.slot)), "-P", "-m", "holdfast.deployment.self_test"]
    for config in order.sites:
        command += ["--site", str(config), str(_backup(order.prefix.room / "kept", config))]
    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, timeout=_SELF_TEST_S, check=False, cwd="/"
        )
    except subprocess.TimeoutExpired as error:
        raise ReleaseError(f"{found.facts.version}: its self-test does not end") from error
    if ended.returncode:
        told = ended.stderr.strip()[-2000:]
        raise ReleaseError(f"{found.facts.version} would not do here: {told}")


def _wait(order: UpdateOrder, _: Chosen) -> None:
    watches = [SiteWatch(config) for config in order.sites]
    told = False
    while busy := _running(watches):
        if not order.when_idle:
            raise ReleaseError(
                f"{', '.join(busy)} is RUNNING: `holdfast stop` first, or --when-idle waits for it"
            )
        if not told:
            order.tell(f"waiting until {', '.join(busy)} is no longer RUNNING")
            told = True
        time.sleep(_LOOK_S)
    before = [one for watch in watches if (one := watch.before()) is not None]
    write_atomically(order.prefix.before, BEFORE.dump_json(tuple(before)))


def _hand_over(order: UpdateOrder, found: Chosen) -> None:
    """From here on ``holdfast-slot`` has it: it needs nothing of either release."""
    version = found.facts.version
    command = [str(order.prefix.program), "try", found.slot, version, str(order.minutes)]
    if subprocess.run(command, check=False).returncode:
        raise ReleaseError(_NOT_KEPT)


STEPS: Sequence[UpdateStep] = (
    UpdateStep(text="building it in the other slot", do=_build),
    UpdateStep(text="backing up the sites", do=_keep),
    UpdateStep(text="its self-test", do=_prove),
    UpdateStep(text="looking whether all sites are at rest", do=_wait),
    UpdateStep(text="switching; it has to be well within {minutes} minutes", do=_hand_over),
)


def update(order: UpdateOrder, found: Chosen) -> None:
    """Goes through the steps. Raises HoldfastError; then what ran before runs."""
    for step in STEPS:
        order.tell(step.text.format(minutes=order.minutes))
        try:
            step.do(order, found)
        except OSError as error:
            raise ReleaseError(f"{step.text}: {error}; nothing has changed") from error


def resume(order: UpdateOrder) -> None:
    """Goes on with what is being tried: who tried it may have been cut off. Raises ReleaseError."""
    if subprocess.run([str(order.prefix.program), "resume"], check=False).returncode:
        raise ReleaseError(_NOT_KEPT)


def _running(watches: Sequence[SiteWatch]) -> list[str]:
    found = ((watch, watch.status()) for watch in watches)
    return [
        watch.config.parent.name
        for watch, status in found
        if status is not None and status.state is State.RUNNING
    ]


def _backup(folder: Path, config: Path) -> Path:
    return folder / f"{config.parent.name}.holdfast.zip"
