"""A release is checked by programs that everybody has."""

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from release.builds import CannotRelease
from release.signature import load_key, sign

KEY = ec.generate_private_key(ec.SECP256R1())


def openssl(folder: Path) -> bool:
    words = ("dgst", "-sha256", "-verify", "release-key.pem", "-signature", "SHA256SUMS.sig")
    done = subprocess.run(["openssl", *words, "SHA256SUMS"], cwd=folder, capture_output=True)
    return done.returncode == 0


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_and_sha256sum_take_it_and_nothing_that_was_changed(tmp_path: Path) -> None:
    (tmp_path / "wheel.whl").write_bytes(b"content")
    sign(tmp_path, KEY)
    check = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    assert openssl(tmp_path)
    assert subprocess.run(check, cwd=tmp_path, capture_output=True).returncode == 0
    (tmp_path / "wheel.whl").write_bytes(b"another")
    assert subprocess.run(check, cwd=tmp_path, capture_output=True).returncode != 0
    (tmp_path / "SHA256SUMS").write_bytes(b"0" * 64 + b"  wheel.whl\n")
    assert not openssl(tmp_path)


def pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    "content",
    [
        b"no key",
        pem(ed25519.Ed25519PrivateKey.generate()),
        pem(ec.generate_private_key(ec.SECP384R1())),
    ],
)
def test_another_key_is_refused_with_what_would_be_right(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    with pytest.raises(CannotRelease, match=r"PEM|prime256v1"):
        load_key(path)
    path.write_bytes(pem(KEY))
    assert load_key(path).private_numbers() == KEY.private_numbers()
