"""A computer to update: real environments, releases as tiny wheels, a real repository.

Only systemd is a double: a program of its name that starts what the units would.
"""

import hashlib
import os
import shutil
import subprocess
import zipfile
from base64 import urlsafe_b64encode
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from unittest import mock

import holdfast.deployment
from holdfast.cli.main import main
from holdfast.deployment.release.bundle import write_bundle
from holdfast.deployment.release.facts import ReleaseFacts, here
from holdfast.deployment.release.repository import begin_root, make_keys, publish, sign_root
from holdfast.deployment.update.prefix import Prefix
from holdfast.deployment.update.slot import build
from holdfast.testing.processes import Process

SCRIPT = Path(holdfast.deployment.__file__).parent / "holdfast-slot"
MAIN = "print({version!r})\n"
WELL = "raise SystemExit(0)\n"
SICK = "raise SystemExit(1)\n"
BROKEN = "this is no Python\n"
_SYSTEMCTL = """\
#!/bin/sh
# What systemd would do: `start` runs the unit's program again until it has ended well.
case $1 in
list-units) echo "holdfast@home.service loaded active running a site" ;;
restart) {prefix}/current/bin/python -P -m holdfast >{running} ;;
start)
    [ -e {prefix}/trial ] || exit 0
    {prefix}/bin/holdfast-slot go || {prefix}/bin/holdfast-slot go ;;
esac
"""


def wheel(folder: Path, name: str, version: str, files: dict[str, str], needs: str = "") -> Path:
    """Makes a wheel as the standard says."""
    info = f"{name}-{version}.dist-info"
    requires = f"Requires-Dist: {needs}\n" if needs else ""
    contents = files | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    rows = [
        f"{path},sha256={_digest(text)},{len(text.encode())}" for path, text in contents.items()
    ]
    contents[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,\n"])
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(target, "w") as archive:
        for path, text in contents.items():
            archive.writestr(path, text)
    return target


def _digest(text: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def facts(version: str, **changes: object) -> ReleaseFacts:
    content: dict[str, object] = {
        "version": version, "min_version": "0.1.0", "platform": here(), "config_version": 1,
        "history_layout": 1, "history_since": 1,
    }  # fmt: skip
    return ReleaseFacts(**(content | changes))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """Tells how a command ended, and what it printed itself."""

    code: int
    out: str
    err: str


class World:
    """Holds the computer, and who publishes releases for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.prefix = Prefix(folder=folder / "opt")
        self.sites = folder / "sites"
        self.keys, self.repository = folder / "keys", folder / "repository"
        self.running = folder / "running"
        self.now = datetime.now(UTC)

    def install(self, installed: Path, version: str = "0.1.0") -> None:
        """Puts there what an installer would: a release in slot a, and the keys that count."""
        prefix = self.prefix
        shutil.copytree(installed, prefix.folder, symlinks=True)
        self.sites.mkdir()
        make_keys(self.keys)
        self.sign_root()
        shutil.copy(self.repository / "metadata" / "1.root.json", prefix.root_of_trust)
        programs = self.folder / "bin"
        programs.mkdir()
        (programs / "systemctl").write_text(
            _SYSTEMCTL.format(prefix=prefix.folder, running=self.running)
        )
        (programs / "systemctl").chmod(0o755)
        self.running.write_text(f"{version}\n")

    def make_installed(self) -> Path:
        """Builds release 0.1.0, to be copied: what starts it alone knows where."""
        prefix = self.prefix
        (prefix.folder / "bin").mkdir(parents=True)
        shutil.copy(SCRIPT, prefix.program)
        prefix.room.mkdir()
        build(prefix, "a", self.bundle("0.1.0"), facts("0.1.0"))
        (prefix.folder / "current").symlink_to("a")
        return prefix.folder

    def sign_root(self) -> None:
        begin_root(self.keys, self.repository, self.now)
        for name in ("root-1", "root-3"):
            sign_root(self.keys / f"{name}.pem", self.repository)

    def bundle(
        self,
        version: str,
        *,
        health: str = WELL,
        self_test: str = WELL,
        main: str = MAIN,
        **changes: object,
    ) -> Path:
        """Builds a release; a dependency comes with it."""
        wheels = [
            wheel(
                self.folder / "wheels" / version,
                "holdfast",
                version,
                {
                    "holdfast/__init__.py": "",
                    "holdfast/__main__.py": main.format(version=version),
                    "holdfast/deployment/__init__.py": "",
                    "holdfast/deployment/health.py": health,
                    "holdfast/deployment/self_test.py": self_test,
                },
                needs="tinything",
            ),
            wheel(self.folder / "wheels" / version, "tinything", "1.0", {"tinything.py": ""}),
        ]
        return write_bundle(facts(version, **changes), wheels, self.folder / "built")

    def publish(self, *bundles: Path, days_ago: float = 0.0) -> None:
        publish(bundles, self.keys, self.repository, self.now - timedelta(days=days_ago))

    def command(self, *words: str, where: str | None = None) -> list[str]:
        """The command line of an update."""
        source = ["--from", where or str(self.repository)] if not words else []
        places = ["--prefix", str(self.prefix.folder), "--sites", str(self.sites)]
        return ["-m", "holdfast", "update", *source, *words, *places]

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}

    def update(self, *words: str, where: str | None = None) -> Ended:
        """Does ``holdfast update``; without words, from the repository."""
        out, err = StringIO(), StringIO()
        with (
            mock.patch.dict(os.environ, self.environment),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            code = main(self.command(*words, where=where)[2:])
        return Ended(code=code, out=out.getvalue(), err=err.getvalue())

    def slot(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs ``holdfast-slot``."""
        return self.run([str(self.prefix.program), *words])

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, capture_output=True, text=True, check=False, env=self.environment
        )

    def boot(self) -> None:
        """The power comes back: what a unit had started in this boot was in another one."""
        trial = self.prefix.folder / "trial"
        if trial.exists():
            *words, boot = trial.read_text().split()
            trial.write_text(" ".join([*words, "-" if boot == "-" else "another-boot"]) + "\n")
        assert self.slot("boot").returncode == 0
        self.running.write_text(self.starts())
        if trial.exists():
            self.slot("go")

    def starts(self) -> str:
        """The version that a unit would start, by really starting it."""
        ended = subprocess.run(
            [self.prefix.folder / "current" / "bin" / "python", "-m", "holdfast"],
            capture_output=True,
            text=True,
            check=True,
            cwd="/",
        )
        return ended.stdout

    def runs(self, version: str) -> bool:
        """Says whether that is what runs, what would start, and nothing is left of a trial."""
        prefix = self.prefix
        return (
            prefix.version(prefix.current) == version
            and self.running.read_text() == self.starts() == f"{version}\n"
            and prefix.trial is None
        )


class WebServer:
    """Serves a folder over HTTP, as any web server would."""

    def __init__(self, folder: Path, log: Path) -> None:
        self._process = Process(
            log, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(folder)
        )

    def url(self) -> str | None:
        """Returns where it is; None while it starts."""
        for word in self._process.output.split():
            if word.strip("()").startswith("http://"):
                return word.strip("()").rstrip("/")
        return None

    def end(self) -> None:
        self._process.end()
