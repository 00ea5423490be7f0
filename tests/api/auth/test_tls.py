"""TLS: a certificate of our own that lasts, or one that is told what is wrong with it."""

import hashlib
import socket
import ssl
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from holdfast.api.auth.tls import LASTS, RENEWED, TlsFiles, tls_files
from holdfast.core.config.api import Api, OwnCertificate
from holdfast.core.config.section import FilePath
from holdfast.core.errors import ConfigError

NOW = datetime.now(UTC)
YEAR = timedelta(days=366)


def self_made(folder: Path, now: datetime = NOW, **changes: str) -> TlsFiles:
    found = tls_files(Api.model_validate({"tls": "self_made"} | changes), folder, now)
    assert found is not None
    return found


def given(certificate: Path, key: Path, now: datetime = NOW) -> TlsFiles:
    tls = OwnCertificate(certificate=FilePath(str(certificate)), key=FilePath(str(key)))
    found = tls_files(Api(tls=tls), certificate.parent, now)
    assert found is not None
    return found


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> bytes:
    """Returns the certificate that a client of ``name`` is shown, and has accepted."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, server.wrap_socket(connection, server_side=True) as wrapped:
                wrapped.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            with (
                socket.create_connection(listening.getsockname()) as plain,
                client.wrap_socket(plain, server_hostname=name) as wrapped,
            ):
                shown = wrapped.getpeercert(binary_form=True)
                wrapped.sendall(b".")
        finally:
            thread.join()
    assert shown is not None
    return shown


def test_without_it_there_is_none(tmp_path: Path) -> None:
    assert tls_files(Api(), tmp_path, NOW) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", socket.gethostname()])
def test_who_trusts_our_own_certificate_can_use_each_name_of_this_computer(
    tmp_path: Path, name: str
) -> None:
    files = self_made(tmp_path / "accounts")
    client = ssl.create_default_context(cafile=str(files.certificate))
    shown = shake_hands(files.context(), client, name)
    assert hashlib.sha256(shown).digest().hex(":").upper() == files.fingerprint


def test_the_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    files = self_made(tmp_path / "accounts")
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    assert stat.S_IMODE(files.key.parent.stat().st_mode) == 0o700


def test_it_lasts_two_years_and_stays_until_its_last_month(tmp_path: Path) -> None:
    files = self_made(tmp_path)
    made = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    assert made.not_valid_after_utc - made.not_valid_before_utc == LASTS
    kept = self_made(tmp_path, made.not_valid_after_utc - RENEWED - timedelta(days=1))
    assert kept == files
    renewed = self_made(tmp_path, made.not_valid_after_utc - RENEWED)
    assert renewed.fingerprint != files.fingerprint


def test_another_name_needs_another_certificate(tmp_path: Path) -> None:
    files = self_made(tmp_path)
    named = self_made(tmp_path, public_url="https://energy.example.org")
    assert named.fingerprint != files.fingerprint
    assert self_made(tmp_path, public_url="https://energy.example.org") == named
    assert self_made(tmp_path, host="0.0.0.0") == named


@pytest.mark.parametrize("file", ["certificate.pem", "key.pem"])
@pytest.mark.parametrize("content", [b"", b"torn", None])
def test_what_is_torn_or_gone_is_made_anew(
    tmp_path: Path, file: str, content: bytes | None
) -> None:
    files = self_made(tmp_path)
    if content is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_bytes(content)
    again = self_made(tmp_path)
    assert again.fingerprint != files.fingerprint
    again.context()


def test_a_key_that_is_anothers_is_made_anew(tmp_path: Path) -> None:
    files = self_made(tmp_path / "a")
    other = self_made(tmp_path / "b")
    files.key.write_bytes(other.key.read_bytes())
    again = self_made(tmp_path / "a")
    assert again.fingerprint != files.fingerprint


def test_where_it_cannot_be_made_that_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"api.tls: .*cannot be made"):
        self_made(tmp_path / "file" / "accounts")
    with pytest.raises(ConfigError, match=r"api.tls: .*cannot be made"):
        self_made(tmp_path / "x", host="büro.example")


class Given:
    """A certificate that somebody else has made."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.certificate, self.key = folder / "c.pem", folder / "k.pem"
        made = self.authority.issue_cert("energy.example.org", not_after=NOW + YEAR)
        self.certificate.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
        made.private_key_pem.write_to_path(self.key)
        self.key.chmod(0o600)


def test_one_that_somebody_else_made_is_shown_as_it_is(tmp_path: Path) -> None:
    own = Given(tmp_path)
    files = given(own.certificate, own.key)
    client = ssl.create_default_context()
    own.authority.configure_trust(client)
    shown = shake_hands(files.context(), client, "energy.example.org")
    assert hashlib.sha256(shown).digest().hex(":").upper() == files.fingerprint


def test_what_is_wrong_with_it_is_told_with_the_file(tmp_path: Path) -> None:
    own = Given(tmp_path)
    (tmp_path / "other").mkdir()
    other = Given(tmp_path / "other")
    missing, text = tmp_path / "missing.pem", tmp_path / "text.pem"
    text.write_text("hello")
    text.chmod(0o600)
    for certificate, key, now, words in (
        (missing, own.key, NOW, "missing.pem cannot be read: No such file"),
        (own.certificate, missing, NOW, r"api.tls.key: .*missing.pem cannot be read: No such file"),
        (text, own.key, NOW, "text.pem is no PEM certificate"),
        (own.certificate, text, NOW, "cannot be used together"),
        (own.certificate, other.key, NOW, "cannot be used together"),
        (own.certificate, own.key, NOW + YEAR, "ended on"),
        (own.certificate, own.key, NOW - 100 * YEAR, "is this computer's clock right"),
    ):
        with pytest.raises(ConfigError, match=words):
            given(certificate, key, now)
    own.key.chmod(0o644)
    with pytest.raises(ConfigError, match=r"everybody can read .* chmod 600"):
        given(own.certificate, own.key)


def test_a_key_with_a_password_is_refused_and_nobody_is_asked_for_it(tmp_path: Path) -> None:
    own = Given(tmp_path)
    key = serialization.load_pem_private_key(own.key.read_bytes(), None)
    own.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(ConfigError, match="cannot be used together"):
        given(own.certificate, own.key)
