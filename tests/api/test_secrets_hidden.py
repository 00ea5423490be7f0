"""Secrets in a site.yaml are not shown to who may not change it."""

import pytest

from holdfast.api.secrets_hidden import HIDDEN, without_secrets


@pytest.mark.parametrize(
    "text",
    [
        "password: SECRET",
        'mqtt: {username: me, password: "SECRET"}',
        "source:\n  kind: tibber\n  token: SECRET\n",
        "api_key: |\n  SECRET\n  SECRET\nname: mine\n",
        "client_secret: SECRET",
        "Password: SECRET",
        "x: &a SECRET\ny: {password: *a}\n",
        "list:\n- password: SECRET\n- {access-token: SECRET}\n",
        "history: {url: 'postgresql://me:SECRET@db/holdfast'}",
        "# the old password: SECRET\nname: mine\n",
        "password: [SECRET, SECRET]",
        "password: {a: SECRET}",
        "a: [SECRET",
    ],
)
def test_no_secret_is_left(text: str) -> None:
    shown = without_secrets(text)
    assert "SECRET" not in shown
    assert HIDDEN in shown or "no YAML" in shown


def test_all_else_stays_as_it_was_written() -> None:
    text = """\
# My site.
prices:
  source: {kind: entsoe, token_env: ENTSOE_TOKEN}   # where the token is
  password_file: /etc/secret
name: "mine"
"""
    assert without_secrets(text) == text
    assert without_secrets("api_key: |\n  x\nname: mine\n") == f"api_key: {HIDDEN}\nname: mine\n"
