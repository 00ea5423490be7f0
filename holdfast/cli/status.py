"""``holdfast status``: what a running site is doing, and why."""

import argparse

from rich.console import Console

from holdfast.cli.arguments import add_config, add_json, print_json
from holdfast.cli.view import status_view
from holdfast.core.errors import NotRunning
from holdfast.core.site_file import load_site
from holdfast.runtime.files import SiteFiles
from holdfast.runtime.status_reader import StatusReader

NAME = "status"
HELP = "show what the site is doing, and why"
DESCRIPTION = """\
Show state, plan, findings, and the way of the setpoint through the layers: asked, permitted,
ramped, written, read back, measured. Exits with 2 if no controller is running.
"""
FRESH_S = 3.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of this command."""
    add_config(parser)
    add_json(parser)


def execute(options: argparse.Namespace) -> int:
    """Print the latest status."""
    site = load_site(options.config)
    found = StatusReader(SiteFiles(state_dir=site.state_dir)).latest()
    if found is None or found[1] > FRESH_S:
        raise NotRunning(
            f"no controller is running for {options.config} (start it with `holdfast run`)"
        )
    status, _ = found
    if options.json:
        print_json(status)
    else:
        Console().print(status_view(status, site.timezone))
    return 0
