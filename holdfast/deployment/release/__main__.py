"""``python -m holdfast.deployment.release`` makes keys and releases, and publishes them."""

import argparse
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from holdfast import __version__
from holdfast.core.errors import HoldfastError
from holdfast.deployment.release.bundle import write_bundle
from holdfast.deployment.release.facts import ReleaseError, ReleaseFacts, here
from holdfast.deployment.release.repository import begin_root, make_keys, publish, sign_root
from holdfast.monitoring.history.database import layout
from holdfast.site.versions import VERSION


def main(words: list[str] | None = None) -> int:
    """Does what is asked; 2 if it cannot be done."""
    options = _parser().parse_args(words)
    try:
        for line in options.function(options):
            sys.stdout.write(f"{line}\n")
    except (HoldfastError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m holdfast.deployment.release")
    commands = parser.add_subparsers(required=True)
    keys = commands.add_parser("keys", help="make all keys")
    keys.add_argument("folder", type=Path)
    keys.set_defaults(function=_keys)
    root = commands.add_parser("root", help="write which keys count, for two of the root to sign")
    root.add_argument("--keys", type=Path, required=True)
    root.add_argument("--into", type=Path, required=True)
    root.set_defaults(function=_root)
    sign = commands.add_parser("sign", help="sign which keys count, with one key of the root")
    sign.add_argument("key", type=Path)
    sign.add_argument("--into", type=Path, required=True)
    sign.set_defaults(function=_sign)
    build = commands.add_parser("build", help="make a release for computers like this one")
    build.add_argument("--source", type=Path, default=Path(), help="default: this folder")
    build.add_argument("--wheels", type=Path, help="take these, and build or fetch none")
    build.add_argument("--extras", default="", help="such as forecast,mqtt")
    build.add_argument("--version", default=__version__, help="default: of this Holdfast")
    build.add_argument("--min-version", default="0.1.0", help="the oldest that it can follow")
    build.add_argument("--sbom", type=Path, action="append", default=[])
    build.add_argument("--into", type=Path, required=True)
    build.set_defaults(function=_build)
    there = commands.add_parser("publish", help="sign releases, and that what is there holds")
    there.add_argument("bundles", type=Path, nargs="*")
    there.add_argument("--keys", type=Path, required=True)
    there.add_argument("--into", type=Path, required=True)
    there.set_defaults(function=_publish)
    return parser


def _keys(options: argparse.Namespace) -> list[str]:
    made = [str(path) for path in make_keys(options.folder)]
    return [*made, "take those of the root to three places that are not online"]


def _root(options: argparse.Namespace) -> list[str]:
    path = begin_root(options.keys, options.into, datetime.now(UTC))
    return [f"{path}: two keys of the root have to sign it"]


def _sign(options: argparse.Namespace) -> list[str]:
    path = sign_root(options.key, options.into)
    return ["signed; another key has to" if path is None else f"{path} counts"]


def _build(options: argparse.Namespace) -> list[str]:
    made = layout()
    facts = ReleaseFacts(
        version=options.version,
        min_version=options.min_version,
        platform=here(),
        config_version=VERSION,
        history_layout=made.number,
        history_since=made.since,
    )
    with tempfile.TemporaryDirectory() as folder:
        wheels = options.wheels or _made_wheels(options.source, options.extras, Path(folder))
        bundle = write_bundle(facts, sorted(wheels.glob("*.whl")), options.into, sboms=options.sbom)
    return [f"{bundle}: {bundle.stat().st_size / 1e6:.1f} MB"]


def _made_wheels(source: Path, extras: str, folder: Path) -> Path:
    wanted = f"{source}[{extras}]" if extras else str(source)
    lock = source / "requirements.txt"
    command = [sys.executable, "-m", "pip", "wheel", "--wheel-dir", str(folder), wanted]
    command += ["-c", str(lock)] if lock.exists() else []
    if subprocess.run(command, check=False, stdout=sys.stderr).returncode:
        raise ReleaseError("the wheels cannot be made; pip says why")
    return folder


def _publish(options: argparse.Namespace) -> list[str]:
    found = publish(options.bundles, options.keys, options.into, datetime.now(UTC))
    return sorted(found)


if __name__ == "__main__":
    sys.exit(main())
