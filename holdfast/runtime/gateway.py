"""The gateway process: shows the site to the outside. It only reads; control goes on without it."""

import sys
import threading

from prometheus_client import start_http_server
from prometheus_client.registry import CollectorRegistry

from holdfast.core.config import Site
from holdfast.monitoring.metrics import StatusCollector
from holdfast.runtime.files import SiteFiles
from holdfast.runtime.process import run_process
from holdfast.runtime.status_reader import StatusReader


def serve_metrics(site: Site, files: SiteFiles) -> None:
    """Serve ``/metrics`` in a thread. Raises OSError if the port is taken."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StatusCollector(StatusReader(files).latest))
    start_http_server(site.gateway.port, addr=site.gateway.host, registry=registry)


def run(site: Site, files: SiteFiles, end: threading.Event) -> None:
    """Serve until told to end."""
    serve_metrics(site, files)
    end.wait()


def main() -> int:
    """Entry point of the process."""
    return run_process("gateway", "Serves metrics of one site.", run)


if __name__ == "__main__":
    sys.exit(main())
