"""This module asks the controller of a site, and tells its answer."""

import argparse

from holdfast.cli.commands import load
from holdfast.cli.reply import tell
from holdfast.client.control import ControlClient
from holdfast.core.commands import Command
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site


def ask(command: Command, options: argparse.Namespace) -> int:
    """Asks the controller for ``command``, and tells the answer; 1 if it was refused."""
    if options.url is not None:
        return int(load("remote").command(command, options))
    files = SiteFiles.of(load_site(options.config))
    stops = command is Command.STOP
    with ControlClient.for_stops(files) if stops else ControlClient(files.control_socket) as client:
        reply = client.command(command)
    return tell(reply, as_json=options.json)
