"""What the API serves of a site: its configuration, its files, its latest status."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Self, cast

from fastapi import Depends, HTTPException
from starlette.requests import HTTPConnection

from holdfast.api.audit_book import AuditBook
from holdfast.api.history_desk import HistoryDesk
from holdfast.api.price_desk import PriceDesk
from holdfast.client.manual_slots import ManualSlots
from holdfast.client.status_reader import StatusReader
from holdfast.core.config import Site
from holdfast.monitoring.status.schema import FRESH_S, Status
from holdfast.site.config_file import ConfigFile
from holdfast.site.files import SiteFiles

NO_CONTROLLER: Final = "no controller is running; `holdfast run` starts the site"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteView:
    """Holds what routes look at."""

    site: Site
    files: SiteFiles
    reader: StatusReader
    config: ConfigFile
    audit: AuditBook
    prices: PriceDesk
    manual: ManualSlots
    history: HistoryDesk

    @classmethod
    def of(cls, site: Site, files: SiteFiles, config: Path) -> Self:
        """Returns the view of ``site``, whose site.yaml is at ``config``."""
        return cls(
            site=site,
            files=files,
            reader=StatusReader(files),
            config=ConfigFile(config, files.config_history),
            audit=AuditBook(files.audit),
            prices=PriceDesk(site, files),
            manual=ManualSlots(files, site),
            history=HistoryDesk(site, files),
        )

    def latest(self) -> tuple[Status, float] | None:
        """Returns the latest status and its age in s; None if no controller publishes."""
        found = self.reader.latest()
        return found if found is not None and found[1] <= FRESH_S else None


def view_of(connection: HTTPConnection) -> SiteView:
    """Returns what the application serves."""
    return cast("SiteView", connection.app.state.view)


View = Annotated[SiteView, Depends(view_of)]


def fresh_status(view: View) -> Status:
    """Returns the status of a controller that runs. Raises HTTPException 503."""
    found = view.latest()
    if found is None:
        raise HTTPException(503, NO_CONTROLLER)
    return found[0]


FreshStatus = Annotated[Status, Depends(fresh_status)]
