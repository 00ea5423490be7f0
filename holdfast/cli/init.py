"""``holdfast init``: write an example configuration."""

import argparse
from importlib.resources import files
from pathlib import Path

NAME = "init"
HELP = "write an example site.yaml to start from"
DESCRIPTION = """\
Write an example site.yaml, with a comment on every key. Change it to describe what is
installed at your site, then let `holdfast check` look at it. An existing file is left alone.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of this command."""
    parser.add_argument(
        "file", type=Path, nargs="?", default=Path("site.yaml"), help="default: site.yaml"
    )


def execute(options: argparse.Namespace) -> int:
    """Write the example."""
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
