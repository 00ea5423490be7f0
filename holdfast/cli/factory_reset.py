"""``holdfast factory-reset`` takes a site back to the state as installed."""

import argparse

from holdfast.cli.erasure import add_erasure_arguments, erase_with_consent, report
from holdfast.client.messages import Act
from holdfast.deployment.erasing import not_kept
from holdfast.site.site_file import load_site

DESCRIPTION = """\
Delete what a site has written: accounts, tokens, the certificate it made, history, learned models,
plans, wishes, signals, logs, and the audit log up to one line that says so. The site asks for its
first admin again.

What is latched stays latched: a fault and an emergency stop outlive this, as do the counted wear of
contactors and what inverters held before Holdfast. site.yaml is not touched. No process of the site
may run. It asks for the site's name.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add_erasure_arguments(parser)


def execute(options: argparse.Namespace) -> int:
    """Deletes, once somebody has typed the site's name; 0 always, or it raises."""
    site = load_site(options.config)
    report(erase_with_consent(site, options, not_kept(), Act.FACTORY_RESET))
    return 0
