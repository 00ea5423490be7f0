"""``holdfast start | stop | estop | reset``: what a person can ask of a running site."""

import argparse
import sys
from dataclasses import dataclass

from holdfast.cli.arguments import add_config, add_json, print_json
from holdfast.core.commands import Command
from holdfast.core.site_file import load_site
from holdfast.runtime.control_socket import ControlClient
from holdfast.runtime.files import SiteFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Operate:
    """A command that is handed to the controller."""

    command: Command
    HELP: str
    DESCRIPTION: str
    of_service: Command | None = None
    """What ``--service`` asks for instead; None: there is no such option."""

    @property
    def NAME(self) -> str:  # noqa: N802 - as in the modules of the other commands
        """Name on the command line."""
        return self.command.value

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Arguments of this command."""
        add_config(parser)
        add_json(parser)
        parser.set_defaults(asked=self.command)
        if self.of_service is not None:
            parser.add_argument(
                "--service",
                dest="asked",
                action="store_const",
                const=self.of_service,
                help="after an inspection: clear what is latched for service, too",
            )

    def execute(self, options: argparse.Namespace) -> int:
        """Ask, and print the answer. 1 if it was refused."""
        site = load_site(options.config)
        with ControlClient(SiteFiles(state_dir=site.state_dir).control_socket) as client:
            reply = client.command(options.asked)
        if options.json:
            print_json(reply)
        else:
            stream = sys.stdout if reply.accepted else sys.stderr
            word = "" if reply.accepted else "refused: "
            print(f"{word}{reply.reason}; the site is in {reply.state.name}", file=stream)
        return 0 if reply.accepted else 1


COMMANDS = (
    Operate(
        command=Command.START,
        HELP="let power flow: IDLE to RUNNING",
        DESCRIPTION="Close the contactors and serve requests. Refused, with the reasons, while "
        "anything speaks against it.",
    ),
    Operate(
        command=Command.STOP,
        HELP="end operation: RUNNING to IDLE",
        DESCRIPTION="Go to 0 W and open the contactors. Start again with `holdfast start`.",
    ),
    Operate(
        command=Command.EMERGENCY_STOP,
        HELP="emergency stop, at once and in every state",
        DESCRIPTION="0 W at once, inverters off, contactors open, latched: the site stays in "
        "STOPPED, over restarts too, until somebody on site runs `holdfast reset`.",
    ),
    Operate(
        command=Command.RESET,
        HELP="leave ERROR or STOPPED, through BOOT and its self-test",
        DESCRIPTION="After a fault: possible once every cause has been gone for its hold time. "
        "After an emergency stop: possible once the emergency-stop loop is closed again. "
        "Some faults (`holdfast limits` shows which) are cleared by service only, once somebody "
        "who can judge it has inspected the battery: --service.",
        of_service=Command.SERVICE_RESET,
    ),
)
