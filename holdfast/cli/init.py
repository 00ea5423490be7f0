"""``holdfast init`` writes an example configuration."""

import argparse
from importlib.resources import files
from pathlib import Path

from holdfast.cli.configuration import configuration_page

DESCRIPTION = """\
Write an example site.yaml, with comments. Change it to describe what is installed at your site,
then let `holdfast check` look at it. An existing file is left alone.

--markdown prints the reference of all keys, with their defaults and ranges, instead.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument(
        "file", type=Path, nargs="?", default=Path("site.yaml"), help="default: site.yaml"
    )
    parser.add_argument("--markdown", action="store_true", help="print the reference of all keys")


def execute(options: argparse.Namespace) -> int:
    """Writes the example; 1 if there is a file of that name, or it cannot be written."""
    if options.markdown:
        print(configuration_page(), end="")
        return 0
    path: Path = options.file
    text = (files("holdfast.cli") / "templates" / "site.yaml").read_text(encoding="utf-8")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        print(f"{path} exists and was left as it is; name another file to get an example")
        return 1
    except OSError as error:
        print(f"{path} cannot be written: {error}")
        return 1
    print(f"wrote {path}; describe your site in it, then: holdfast check --config {path}")
    return 0
