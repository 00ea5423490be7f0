"""The gateway process: shows the site to the outside. It only reads; control goes on without it."""

import signal
import sys
import threading

from prometheus_client import start_http_server
from prometheus_client.registry import CollectorRegistry

from holdfast.core.config import Site
from holdfast.core.errors import HoldfastError
from holdfast.monitoring.metrics import StatusCollector
from holdfast.runtime.files import SiteFiles
from holdfast.runtime.process import open_site
from holdfast.runtime.status_reader import StatusReader


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
