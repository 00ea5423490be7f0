"""The gateway process shows the site to the outside. It only reads; control goes on without it."""

import errno
import sys
import threading

from prometheus_client import start_http_server
from prometheus_client.registry import CollectorRegistry

from holdfast.client.status_reader import StatusReader
from holdfast.core.config import Site
from holdfast.core.config.site import Gateway
from holdfast.core.errors import ConfigError
from holdfast.monitoring.metrics import StatusCollector
from holdfast.runtime.process import run_process
from holdfast.site.files import SiteFiles


def serve_metrics(site: Site, files: SiteFiles) -> None:
    """Serves ``/metrics`` in a thread. Raises ConfigError if that cannot be at its address."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StatusCollector(site.name, StatusReader(files).latest))
    try:
        start_http_server(site.gateway.port, addr=site.gateway.host, registry=registry)
    except OSError as error:
        raise ConfigError(_why_not(site.gateway, error)) from error


def _why_not(gateway: Gateway, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return (
                f"gateway.port: {gateway.port} is taken on {gateway.host}, perhaps by another "
                "site's gateway; write another port into site.yaml"
            )
        case errno.EACCES:
            return f"gateway.port: {gateway.port} is not permitted; ports from 1024 on are"
        case _:
            return f"gateway.host: {gateway.host} is no address of this computer: {error}"


def run(site: Site, files: SiteFiles, end: threading.Event) -> None:
    """Serves until told to end."""
    serve_metrics(site, files)
    end.wait()


def main() -> int:
    """Runs the process; returns its exit code."""
    return run_process("gateway", "Serves metrics of one site.", run)


if __name__ == "__main__":
    sys.exit(main())
