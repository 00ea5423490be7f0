"""The gateway process shows the site to the outside, takes stops, and keeps its history. Control
goes on without it.

It loads little and needs little: metrics, health and the emergency interface work while the API,
the planner and the pages do not.
"""

import socket
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import CollectorRegistry

from holdfast.client.history_state_reader import HistoryStateReader
from holdfast.client.judgement_reader import read_judgement
from holdfast.client.status_reader import StatusReader
from holdfast.core.config import Site
from holdfast.monitoring.history.metrics import HistoryCollector
from holdfast.monitoring.judgement_metrics import JudgementCollector
from holdfast.monitoring.metrics import StatusCollector
from holdfast.monitoring.notification.ledger import Ledger
from holdfast.monitoring.notification.metrics import NotificationCollector
from holdfast.runtime.gatekeeper import AccountGatekeeper
from holdfast.runtime.history_writer import LAST_MINUTE_S, HistoryWriter
from holdfast.runtime.listening import cannot_listen
from holdfast.runtime.notice_board import NoticeBoard
from holdfast.runtime.notification.desk import NotificationDesk
from holdfast.runtime.process import run_process
from holdfast.runtime.refresher import Refresher
from holdfast.site.files import SiteFiles
from holdfast.ui.emergency_interface.interface import (
    STOP_PATH,
    EmergencyInterface,
    Exposition,
)
from holdfast.ui.emergency_interface.server import PageServer
from holdfast.ui.emergency_interface.start import Gatekeeper


class GatewayServer:
    """Serves metrics, health and the emergency interface of one site."""

    def __init__(
        self,
        site: Site,
        files: SiteFiles,
        gatekeeper: Gatekeeper | None = None,
        ledgers: Callable[[], Mapping[str, Ledger]] = dict,
    ) -> None:
        """Takes its place; ``ledgers`` tells how recipients fare. Raises ConfigError if it cannot
        be at its address."""
        self._interface = EmergencyInterface(
            site,
            files,
            metrics=_metrics(site, files, ledgers),
            gatekeeper=gatekeeper,
            names={site.gateway.host, socket.gethostname()},
        )
        try:
            self._server = PageServer(
                site.gateway.host,
                site.gateway.port,
                self._interface.answer,
                self._interface.refuse,
                at_once={STOP_PATH},
            )
        except OSError as error:
            self._interface.close()
            raise cannot_listen("gateway", site.gateway.host, site.gateway.port, error) from error

    def start(self) -> None:
        """Begins to serve, in threads of its own."""
        self._server.start()

    def close(self) -> None:
        """Ends."""
        self._server.close()
        self._interface.close()


def _metrics(
    site: Site, files: SiteFiles, ledgers: Callable[[], Mapping[str, Ledger]]
) -> Callable[[str], Exposition]:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StatusCollector(site.name, StatusReader(files).latest))
    registry.register(HistoryCollector(HistoryStateReader(files).latest))
    registry.register(NotificationCollector(ledgers))
    registry.register(JudgementCollector(lambda: read_judgement(site, files, datetime.now(UTC))))

    def exposed(accept: str) -> Exposition:
        encode, content_type = choose_encoder(accept)
        return Exposition(content_type=content_type, content=encode(registry))

    return exposed


def run(site: Site, files: SiteFiles, _: Path, end: threading.Event) -> None:
    """Serves until told to end."""
    desk = NotificationDesk(site, files)
    server = GatewayServer(site, files, AccountGatekeeper(site, files), desk.ledgers)
    server.start()
    history = HistoryWriter(site, files)
    history.start(end)
    Refresher("notices", NoticeBoard(files, teller=desk).look).start(end)
    desk.start(end)
    end.wait()
    server.close()
    history.join(LAST_MINUTE_S)


def main() -> int:
    """Runs the process; returns its exit code."""
    return run_process("gateway", "Serves metrics and the emergency interface of one site.", run)


if __name__ == "__main__":
    sys.exit(main())
