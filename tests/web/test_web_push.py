"""What goes to a push service only the browser reads, and it says for which service it is."""

from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from holdfast.core.errors import SourceError
from holdfast.web.web_push import (
    MAX_ENDPOINT,
    MAX_TEXT,
    PushAddress,
    PushText,
    encrypted,
    from_base64url,
    new_push_key,
    public_push_key,
    push,
    to_base64url,
)
from tests.runtime.notification.push_service import Telephone, bytes64, why_no_sender

FCM = "https://fcm.googleapis.com/fcm/send/abc:def-1_2"


def phone(endpoint: str = FCM) -> Telephone:
    return Telephone(endpoint=endpoint)


def test_it_encrypts_as_the_example_of_the_rfc() -> None:
    """RFC 8291, appendix A."""
    address = PushAddress(
        endpoint=FCM,
        p256dh=(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
        ),
        auth="BTBZMqHH6r4Tts7J_aSIgg",
    )
    number = int.from_bytes(bytes64("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big")
    body = encrypted(
        address,
        b"When I grow up, I want to be a watermelon",
        ours=ec.derive_private_key(number, ec.SECP256R1()),
        salt=bytes64("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert to_base64url(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS"
        "6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qu"
        "lcy4a-fN"
    )


@pytest.mark.parametrize("content", [b"", b"x", "Zelle zu heiß".encode(), b"y" * MAX_TEXT])
def test_the_browser_alone_reads_it(content: bytes) -> None:
    one, other = phone(), phone()
    body = encrypted(one.address, content)
    assert len(body) <= 4096, "what each service takes"
    assert content not in body or len(content) < 2
    secrets = {"auth_secret": one.auth, "version": "aes128gcm"}
    assert http_ece.decrypt(body, private_key=one.key, **secrets) == content
    with pytest.raises(Exception, match=r".*"):
        http_ece.decrypt(body, private_key=other.key, **secrets)
    assert encrypted(one.address, content) != body, "never the same key twice"


def test_what_is_too_long_is_refused_before_it_goes_out() -> None:
    with pytest.raises(SourceError, match="3001 bytes are too much"):
        encrypted(phone().address, b"y" * (MAX_TEXT + 1))


def test_a_request_tells_its_sender_urgency_and_how_long_it_is_kept() -> None:
    key = new_push_key()
    text = PushText(content=b"told", urgency="high", ttl_s=60)
    (request,) = push(phone().address, text, key=key, contact="ann@example.org")
    headers = dict(request.headers)
    assert why_no_sender(headers, "fcm.googleapis.com") == ""
    assert why_no_sender(headers, "push.apple.com") == "aud", "it holds for that service alone"
    assert headers["Authorization"].endswith(f"k={public_push_key(key)}")
    del headers["Authorization"]
    assert headers == {"TTL": "60", "Urgency": "high", "Content-Encoding": "aes128gcm"}


def pem(key: Any, encryption: Any = None) -> str:
    told: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())
    return told.decode()


def test_a_key_is_new_each_time_and_no_other_kind_is_taken() -> None:
    assert new_push_key() != new_push_key()
    assert len(from_base64url(public_push_key(new_push_key()))) == 65
    others = (ec.generate_private_key(ec.SECP384R1()), Ed25519PrivateKey.generate())
    for other in ("nonsense", *map(pem, others)):
        with pytest.raises(ValueError, match=r"."):
            public_push_key(other)
    with pytest.raises(ValueError, match="is no key of ours"):
        public_push_key(pem(ec.generate_private_key(ec.SECP256R1()), BestAvailableEncryption(b"x")))


@pytest.mark.parametrize(
    ("endpoint", "is_known"),
    [
        (FCM, True),
        ("https://updates.push.services.mozilla.com/wpush/v2/gAAA", True),
        ("https://web.push.apple.com/QPQ", True),
        ("https://wns2-am3p.notify.windows.com/w/?token=BQY%3d", True),
        ("https://push.apple.com.example.org/x", False),
        ("https://evilpush.apple.com/x", False),
        ("https://evil-fcm.googleapis.com/x", False),
        ("https://fcm.googleapis.com:8443/x", False),
        ("https://127.0.0.1/x", False),
        ("https://localhost:8443/x", False),
        ("https://printer.local/web.push.apple.com", False),
    ],
)
def test_only_services_of_browser_makers_are_asked(endpoint: str, is_known: bool) -> None:
    address = phone(endpoint).address
    address.check()
    assert address.is_known() is is_known
    assert address.is_known((address.service,)), "unless the site names another one"


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com",
        "https://fcm.googleapis.com@127.0.0.1/x",
        "https://127.0.0.1#@fcm.googleapis.com/x",
        "https://[::1]/x",
        "https://fcm.googleapis.com/x y",
        "https://fcm.googleapis.com/x\nHost: evil",
        "https://FCM.googleapis.com\\@evil/x",
        "file:///etc/passwd",
        "",
        f"https://fcm.googleapis.com/{'x' * MAX_ENDPOINT}",
    ],
)
def test_an_endpoint_is_an_https_address_and_nothing_else(endpoint: str) -> None:
    with pytest.raises(ValueError, match="endpoint: must be an https address"):
        phone(endpoint).address.check()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"auth": "AAAA"}, "keys.auth: must be 16 bytes"),
        ({"auth": "a+b/" * 6}, "keys.auth"),
        ({"auth": "A"}, "keys.auth"),
        ({"p256dh": ""}, "keys.p256dh: must be a point"),
        ({"p256dh": to_base64url(b"\x04" + bytes(64))}, "keys.p256dh"),
        ({"p256dh": to_base64url(b"\x02" + bytes(32))}, "keys.p256dh"),
    ],
)
def test_keys_are_what_a_browser_makes(changes: dict[str, str], told: str) -> None:
    good = phone().address
    keys = {"p256dh": good.p256dh, "auth": good.auth} | changes
    with pytest.raises(ValueError, match=told):
        PushAddress(endpoint=FCM, **keys).check()
