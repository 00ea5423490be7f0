"""TLS: the certificate that site.yaml names, or one that we make ourselves as a first step.

Nobody vouches for one of our own: who trusts it compares its fingerprint with what the site's
computer prints.
"""

import hashlib
import ipaddress
import socket
import ssl
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from holdfast.core.config.api import Api, OwnCertificate
from holdfast.core.errors import ConfigError
from holdfast.site.files import write_atomically

LASTS = timedelta(days=730)
"""Browsers take none that lasts longer than 825 days."""
RENEWED = timedelta(days=30)
"""A new one is made so long before the end of the old."""
_ANYWHERE = frozenset({"0.0.0.0", "::", ""})


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """Holds what a server needs."""

    certificate: Path
    key: Path
    fingerprint: str
    """SHA-256 of the certificate, as browsers show it."""

    def context(self) -> ssl.SSLContext:
        """Returns the context for a server. Raises ConfigError if the files cannot be used."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.certificate, self.key, password="")
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"api.tls: {self.certificate} and {self.key} cannot be used together: {error}"
            ) from error
        return context


def tls_files(api: Api, folder: Path, now: datetime) -> TlsFiles | None:
    """Returns what the API serves TLS with; None where it does not. One of our own is made in
    ``folder`` if there is none that lasts. Raises ConfigError."""
    match api.tls:
        case "off":
            return None
        case "self_made":
            found = _self_made(_names(api), folder, now)
        case OwnCertificate(certificate=certificate, key=key):
            found = _given(Path(certificate), Path(key), now)
    found.context()
    return found


def _given(certificate: Path, key: Path, now: datetime) -> TlsFiles:
    parsed = _read(certificate)
    if now >= parsed.not_valid_after_utc:
        raise ConfigError(
            f"api.tls.certificate: {certificate} ended on {parsed.not_valid_after_utc:%Y-%m-%d}"
        )
    if now < parsed.not_valid_before_utc:
        raise ConfigError(
            f"api.tls.certificate: {certificate} begins on {parsed.not_valid_before_utc:%Y-%m-%d}; "
            "is this computer's clock right?"
        )
    try:
        mode = key.stat().st_mode
    except OSError as error:
        raise ConfigError(f"api.tls.key: {key} cannot be read: {error.strerror}") from error
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        raise ConfigError(f"api.tls.key: everybody can read {key}: chmod 600 {key}")
    return _files(certificate, key, parsed)


def _self_made(names: frozenset[str], folder: Path, now: datetime) -> TlsFiles:
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    with suppress(ConfigError):
        parsed = _read(certificate)
        files = _files(certificate, key, parsed)
        files.context()
        ends = parsed.not_valid_after_utc
        if now + RENEWED < ends <= now + LASTS and names <= _covered(parsed):
            return files
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        secret, made = _make({*names, *_addresses()}, now)
        write_atomically(key, secret)
        write_atomically(certificate, made)
    except (OSError, ValueError) as error:  # a host may be no name
        raise ConfigError(f"api.tls: {certificate} cannot be made: {error}") from error
    return _files(certificate, key, _read(certificate))


def _read(certificate: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(certificate.read_bytes())
    except OSError as error:
        raise ConfigError(
            f"api.tls.certificate: {certificate} cannot be read: {error.strerror}"
        ) from error
    except ValueError as error:
        raise ConfigError(f"api.tls.certificate: {certificate} is no PEM certificate") from error


def _files(certificate: Path, key: Path, parsed: x509.Certificate) -> TlsFiles:
    digest = hashlib.sha256(parsed.public_bytes(serialization.Encoding.DER)).digest()
    return TlsFiles(certificate=certificate, key=key, fingerprint=digest.hex(":").upper())


def _names(api: Api) -> frozenset[str]:
    """Returns the names that a certificate of our own must have."""
    public = "" if api.public_url is None else urlsplit(api.public_url).hostname or ""
    host = "" if api.host in _ANYWHERE else api.host
    return frozenset({"localhost", socket.gethostname().lower(), host.lower(), public} - {""})


def _addresses() -> Iterator[str]:
    """Yields addresses under which this computer may be reached; nothing is sent for it."""
    yield from ("127.0.0.1", "::1")
    elsewhere = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
    for family, somebody in elsewhere:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect((somebody, 9))
            yield asking.getsockname()[0]


def _make(names: set[str], now: datetime) -> tuple[bytes, bytes]:
    """Returns a new key and its certificate, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    title = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, f"Holdfast {socket.gethostname()}"[:64])]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(title)
        .issuer_name(title)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A clock that was a little fast is set back now and then.
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LASTS - timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(map(_general, sorted(names))), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return secret, certificate.public_bytes(serialization.Encoding.PEM)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _covered(certificate: x509.Certificate) -> frozenset[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    addresses = found.get_values_for_type(x509.IPAddress)
    return frozenset([*found.get_values_for_type(x509.DNSName), *map(str, addresses)])
