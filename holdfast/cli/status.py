"""``holdfast status`` shows what a running site is doing, and why."""

import argparse

from rich.console import Console

from holdfast.cli.arguments import add_config, add_json
from holdfast.cli.json_output import print_json
from holdfast.cli.view import status_view
from holdfast.client.status_reader import StatusReader
from holdfast.core.errors import NotRunning
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site

DESCRIPTION = """\
Show state, plan, findings, and the way of the setpoint through the layers: asked, permitted,
ramped, written, read back, measured. Exits with 2 if no controller is running.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add_config(parser)
    add_json(parser)


def execute(options: argparse.Namespace) -> int:
    """Prints the latest status. Raises NotRunning."""
    site = load_site(options.config)
    status = StatusReader(SiteFiles.of(site)).fresh()
    if status is None:
        raise NotRunning(
            f"no controller is running for {options.config} (start it with `holdfast run`)"
        )
    if options.json:
        print_json(status)
    else:
        Console().print(status_view(status, site.timezone))
    return 0
