"""The gateway process: shows the site to the outside. It only reads; control goes on without it."""

import signal
import sys
import threading
import time

from prometheus_client import start_http_server
from prometheus_client.registry import CollectorRegistry

from holdfast.core.config import Site
from holdfast.core.errors import HoldfastError
from holdfast.core.units import s_from_ns
from holdfast.monitoring.metrics import StatusCollector
from holdfast.monitoring.status import Status, decode_status
from holdfast.runtime.files import SiteFiles
from holdfast.runtime.process import open_site
from holdfast.runtime.shared_memory import RecordReader


class StatusReader:
    """The controller's latest status and its age."""

    def __init__(self, files: SiteFiles) -> None:
        self._files = files
        self._reader: RecordReader | None = None

    def latest(self) -> tuple[Status, float] | None:
        """Status and age in seconds; None if no controller has published since the boot."""
        try:
            if self._reader is None:
                self._reader = RecordReader(self._files.status)
            content = self._reader.latest()
            if content is None:
                return None
            status = decode_status(content)
        except (OSError, ValueError):
            return None
        age_s = s_from_ns(time.monotonic_ns() - status.monotonic_ns)
        # A status from the future was written before the computer was started anew.
        return (status, age_s) if age_s >= 0.0 else None


def serve_metrics(site: Site, files: SiteFiles) -> None:
    """Serve ``/metrics`` in a thread. Raises OSError if the port is taken."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StatusCollector(StatusReader(files).latest))
    start_http_server(site.gateway.port, addr=site.gateway.host, registry=registry)


def main() -> int:
    """Entry point of the process."""
    try:
        site, files = open_site("gateway", "Serves metrics of one site.")
        end = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: end.set())
        serve_metrics(site, files)
    except (HoldfastError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - the supervisor shows it
        return 2
    end.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
