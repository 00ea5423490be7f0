"""A real release, from its sources to a switch and back; ``python -m`` runs it.

It builds all wheels, two environments of the size of the product, and has the new one test itself
on a site. That takes minutes, so CI does it once, and the tests do it with tiny wheels.
"""

import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import yaml

import holdfast
from holdfast.deployment.release.__main__ import main as release
from holdfast.deployment.release.bundle import WHEELS
from holdfast.deployment.release.facts import here
from holdfast.deployment.update.slot import build
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site
from holdfast.testing.sites import example_content
from tests.deployment.update.world import SCRIPT, World, facts

ROOT = Path(holdfast.__file__).parent.parent
NOW, NEXT = holdfast.__version__, f"{holdfast.__version__}.post1"


def main() -> int:
    began_s = time.monotonic()

    def tell(text: str) -> None:
        sys.stdout.write(f"{time.monotonic() - began_s:6.0f} s  {text}\n")
        sys.stdout.flush()

    with tempfile.TemporaryDirectory(dir=ROOT / "build") as place:
        folder = Path(place)
        first = _built(folder)
        tell(f"built {first.name}, {first.stat().st_size / 1e6:.0f} MB")
        second = _next(folder, first)
        world = World(folder)
        _install(world, first)
        tell(f"installed {world.prefix.version('a')}: {_size_mb(world.prefix.folder / 'a'):.0f} MB")
        world.publish(second)
        ended = world.run([sys.executable, *world.command()])
        tell(ended.stdout + ended.stderr)
        assert ended.returncode == 0
        assert world.prefix.version(world.prefix.current) == NEXT
        # From the new release, as its owner would.
        python = str(world.prefix.folder / "current" / "bin" / "python")
        assert world.run([python, "-P", *world.command("--back")]).returncode == 0
        assert world.prefix.version(world.prefix.current) == NOW
        tell(f"and back to {NOW}")
    return 0


def _built(folder: Path) -> Path:
    assert release(["build", "--source", str(ROOT), "--into", str(folder / "dist")]) == 0
    (bundle,) = (folder / "dist").glob(f"holdfast-{NOW}-{here()}.zip")
    return bundle


def _next(folder: Path, first: Path) -> Path:
    """Makes a release of the same sources with another version."""
    wheels = folder / "next"
    wheels.mkdir()
    with zipfile.ZipFile(first) as archive:
        for name in archive.namelist():
            if name.startswith(f"{WHEELS}/") and not name.startswith(f"{WHEELS}/holdfast-"):
                (wheels / Path(name).name).write_bytes(archive.read(name))
        (own,) = (name for name in archive.namelist() if name.startswith(f"{WHEELS}/holdfast-"))
        archive.extract(own, folder)
    with zipfile.ZipFile(folder / own) as archive:
        archive.extractall(folder / "unpacked")
    unpacked = folder / "unpacked"
    info = unpacked / f"holdfast-{NOW}.dist-info"
    for path in (info / "METADATA", unpacked / "holdfast" / "__init__.py"):
        path.write_text(path.read_text().replace(NOW, NEXT, 1))
    (info / "RECORD").write_text("".join(f"{path}\n" for path in _record(unpacked, info)))
    info.rename(unpacked / f"holdfast-{NEXT}.dist-info")
    name = Path(own).name.replace(NOW, NEXT)
    shutil.make_archive(str(wheels / name), "zip", unpacked)
    (wheels / f"{name}.zip").rename(wheels / name)
    words = ["build", "--wheels", str(wheels), "--version", NEXT, "--into", str(folder / "dist")]
    assert release(words) == 0
    (bundle,) = (folder / "dist").glob(f"holdfast-{NEXT}-*.zip")
    return bundle


def _record(unpacked: Path, info: Path) -> list[str]:
    """Lists the files; their hashes are in the hash of the wheel."""
    files = sorted(path.relative_to(unpacked) for path in unpacked.rglob("*") if path.is_file())
    return [f"{str(path).replace(info.name, f'holdfast-{NEXT}.dist-info')},," for path in files]


def _install(world: World, bundle: Path) -> None:
    """As the installer does."""
    prefix = world.prefix
    plain = world.folder / "plain"
    (plain / "bin").mkdir(parents=True)
    (plain / "update").mkdir()
    shutil.copy(SCRIPT, plain / "bin" / SCRIPT.name)
    world.install(plain)
    build(prefix, "a", bundle, facts(NOW))
    (prefix.folder / "current").symlink_to("a")
    site = world.sites / "home" / "site.yaml"
    site.parent.mkdir()
    site.write_text(yaml.safe_dump(example_content(site.parent)))
    SiteFiles.of(load_site(site)).create()


def _size_mb(folder: Path) -> float:
    ended = subprocess.run(["du", "-sm", folder], capture_output=True, text=True, check=True)
    return float(ended.stdout.split()[0])


if __name__ == "__main__":
    sys.exit(main())
