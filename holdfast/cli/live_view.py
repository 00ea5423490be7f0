"""A site that runs is shown in its terminal, anew with each status; lines scroll above."""

from typing import Self

from rich.console import Console
from rich.live import Live

from holdfast.cli.view import status_view
from holdfast.client.status_reader import StatusReader
from holdfast.site.files import SiteFiles


class LiveView:
    """Shows the latest status on one screen."""

    def __init__(self, files: SiteFiles, timezone: str) -> None:
        self._console = Console()
        self._live = Live(console=self._console, auto_refresh=False)
        self._status = StatusReader(files)
        self._timezone = timezone

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def tell(self, line: str) -> None:
        """Prints a line."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def show(self) -> None:
        """Shows the site as it is now."""
        status = self._status.fresh()
        if status is not None:
            self._live.update(status_view(status, self._timezone), refresh=True)
