"""Wheel, source distribution, SBOM, provenance, security.txt and signature: ``make release``."""

import argparse
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from holdfast import __version__
from release.builds import ROOT, CannotRelease, build, commit_of, run, sha256, time_of
from release.licences import LicenceUnknown
from release.provenance import provenance
from release.sbom import sbom
from release.security_contact import NAME, security_txt
from release.signature import load_key, sign


def main() -> int:
    """Makes the release. 0 it is whole; 1 it cannot be, and nothing is left of it."""
    parser = argparse.ArgumentParser(prog="python -m release", description=__doc__)
    parser.add_argument("--key", type=Path, required=True, help="the private key, P-256, PEM")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="a folder, made anew")
    parser.add_argument(
        "--builder", default="urn:holdfast:builder:by-hand", help="the URI of who builds"
    )
    parser.add_argument(
        "--security-contact", required=True, metavar="URI", help="where a vulnerability is reported"
    )
    options = parser.parse_args()
    try:
        _release(options.key, options.out, options.builder, options.security_contact)
    except (CannotRelease, LicenceUnknown, OSError) as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    for path in sorted(options.out.iterdir()):
        print(f"{sha256(path)}  {path.name}")
    return 0


def _release(key_file: Path, out: Path, builder: str, contact: str) -> None:
    key = load_key(key_file)
    commit = commit_of(ROOT)
    epoch_s = time_of(ROOT, commit)
    reach = security_txt(contact, epoch_s)
    began = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as work:
        whole = Path(work, "whole")
        whole.mkdir()
        for path in build(ROOT, commit, epoch_s, Path(work)):
            shutil.copy(path, whole)
        files = {path.name: sha256(path) for path in whole.iterdir()}
        name = f"holdfast-{__version__}"
        (whole / f"{name}.cdx.json").write_text(
            sbom(ROOT, __version__, epoch_s, files), encoding="utf-8"
        )
        told = provenance(
            ROOT, commit, epoch_s, files,
            builder=builder, times=(began, datetime.now(UTC)), node=_node(),
        )  # fmt: skip
        (whole / f"{name}.provenance.json").write_text(told, encoding="utf-8")
        (whole / NAME).write_text(reach, encoding="utf-8")
        sign(whole, key)
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(whole, out)


def _node() -> str:
    return run(["node", "--version"]).decode().strip()


if __name__ == "__main__":
    sys.exit(main())
