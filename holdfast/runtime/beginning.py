"""Before a site runs somebody looks whether it can, and afterwards gives its inverters back."""

import pickle
from collections.abc import Iterator
from pathlib import Path

from holdfast.api.auth.account_store import AccountStore
from holdfast.api.auth.setup_code import SetupCode, address_of, how_to_get_in
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError
from holdfast.runtime.begun_site import ONE_EACH, SUPERVISOR, BegunSite
from holdfast.runtime.commissioning.release import give_back
from holdfast.site.check import check_site
from holdfast.site.config_file import ConfigFile
from holdfast.site.device_lock import refuse_steered
from holdfast.site.files import SiteFiles
from holdfast.site.memory_folder import make_memory_folder
from holdfast.site.site_file import load_site
from holdfast.site.site_lock import refuse_second
from holdfast.ui.built import why_not_built


def beginning_of(config: Path) -> BegunSite:
    """Does as :func:`holdfast.runtime.errands.begin` says, here and now."""
    site = load_site(config)
    check_site(site)
    files = SiteFiles.of(site)
    files.create()
    why_not_kept = _keep_version(config, files)
    make_memory_folder(files.state_dir)
    refuse_second(files, SUPERVISOR, *ONE_EACH)
    refuse_steered(site, *ONE_EACH)
    return BegunSite(
        site=pickle.dumps(site),
        state_dir=files.state_dir,
        timezone=site.timezone,
        observes=site.authority == "observe",
        lines=tuple(_where_to_look(site, files, why_not_kept)),
    )


def given_back(packed: bytes) -> tuple[str, ...]:
    """Does as :func:`holdfast.runtime.errands.give_back_all` says, here and now."""
    lines: list[str] = []
    give_back(pickle.loads(packed), lines.append)
    return tuple(lines)


def _where_to_look(site: Site, files: SiteFiles, why_not_kept: str) -> Iterator[str]:
    """Yields where the pages are, and how the first person gets in."""
    address = address_of(site.api)
    gateway = f"http://{site.gateway.host}:{site.gateway.port}/"
    if why_not_kept:
        yield f"this version of {site.name}'s site.yaml is not kept: {why_not_kept}"
    yield f"pages at {address}; plain pages with the emergency stop at {gateway}"
    why_not = why_not_built()
    if why_not:
        yield f"the pages themselves are not there: {why_not}"
    how = how_to_get_in(SetupCode(files.accounts, AccountStore(files.accounts)), address)
    if how is not None:
        yield how


def _keep_version(config: Path, files: SiteFiles) -> str:
    """Keeps a site.yaml that was edited by hand; returns why that cannot be. A start needs none."""
    try:
        ConfigFile(config, files.config_history).keep_present()
    except (OSError, ConfigError) as error:
        return str(error)
    return ""
