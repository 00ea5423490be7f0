"""A release is signed as one list of digests, which `sha256sum -c` and `openssl dgst` check."""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from release.builds import CannotRelease, sha256

SUMS, SIGNATURE, PUBLIC = "SHA256SUMS", "SHA256SUMS.sig", "release-key.pem"
_MAKE_ONE = "openssl ecparam -name prime256v1 -genkey -noout -out KEY"


def load_key(path: Path) -> EllipticCurvePrivateKey:
    """Returns the key in ``path``. Raises CannotRelease, which says what would be right."""
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CannotRelease(f"{path}: no key without password in PEM: {error}") from error
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise CannotRelease(f"{path}: must be a key on P-256, as of `{_MAKE_ONE}`")
    return key


def sign(folder: Path, key: EllipticCurvePrivateKey) -> None:
    """Lists the digests of all files in ``folder``, and signs the list.

    The public key is put beside it for convenience: whoever checks needs it from elsewhere.
    """
    names = sorted(path.name for path in folder.iterdir())
    sums = "".join(f"{sha256(folder / name)}  {name}\n" for name in names).encode()
    (folder / SUMS).write_bytes(sums)
    (folder / SIGNATURE).write_bytes(key.sign(sums, ECDSA(SHA256())))
    (folder / PUBLIC).write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
