"""Settings: site.yaml is changed with care, secrets are shown once, accounts stay in hand."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyotp
import pytest

from tests.ui.fake_api import FakeSite
from tests.ui.fake_settings import PASSWORD, TOTP_SECRET, YAML
from tests.ui.test_pages import shows

pytestmark = pytest.mark.asyncio(loop_scope="session")
Open = Callable[..., Any]
QR = Path(__file__).parent / "recorded" / "totp_qr.txt"
"""Is the code of the fake site's second factor, as another program makes it."""
TEXT = "Text of site.yaml"
QUIET = 4


def asked(fake: FakeSite, path: str) -> list[tuple[str, str, Any]]:
    return [one for one in fake.asked if one[1].startswith(path)]


# --- site.yaml -----------------------------------------------------------------------------------


async def test_what_is_wrong_is_told_at_its_line_and_cannot_be_written(
    opened: Open, fake: FakeSite
) -> None:
    page = await opened("settings/site")
    text = page.get_by_label(TEXT)
    await text.fill(YAML.replace("17000 ", "17 ").replace("soc_max_pct", "soc_mx_pct"))
    assert await page.get_by_role("button", name="Write the change").count() == 0
    await page.get_by_role("button", name="Check").click()
    await shows(page, ".note.fault", "storage[0].operation.soc_mx_pct")
    await shows(page, ".note.attention", "was 17 kW meant")
    assert await page.locator(".line-numbers .fault").inner_text() == "21"
    assert await page.locator(".line-numbers .attention").inner_text() == "11"
    assert await page.get_by_role("button", name="Write the change").is_disabled()
    await page.get_by_role("button", name="Line 21:").click()
    selected = await text.evaluate("t => t.value.slice(t.selectionStart, t.selectionEnd)")
    assert selected == "      soc_mx_pct: 95"


async def test_only_what_was_checked_is_written(opened: Open, fake: FakeSite) -> None:
    page = await opened("settings/site")
    changed = YAML.replace("soc_max_pct: 95", "soc_max_pct: 80")
    await page.get_by_label(TEXT).fill(changed)
    await page.get_by_role("button", name="Check").click()
    await shows(page, ".diff del", "soc_max_pct: 95")
    await shows(page, ".diff ins", "soc_max_pct: 80")
    await page.get_by_label(TEXT).fill(changed + "# and more\n")
    assert await page.get_by_role("button", name="Write the change").count() == 0
    await page.get_by_role("button", name="Check").click()
    await page.get_by_role("button", name="Write the change").click()
    await shows(page, "[role=status]", "It takes effect at the next start")
    assert fake.settings.yaml == changed + "# and more\n"
    await shows(page, ".entry", "version 3")


async def test_a_change_by_somebody_else_is_told_and_not_written_over(
    opened: Open, fake: FakeSite
) -> None:
    page = await opened("settings/site")
    await page.get_by_label(TEXT).fill(YAML.replace("name: Demo", "name: Mine"))
    await page.get_by_role("button", name="Check").click()
    fake.settings.yaml = YAML.replace("export_max_w: 10000", "export_max_w: 7000")
    await page.get_by_role("button", name="Write the change").click()
    await shows(page, "[role=status]", "Somebody else has changed site.yaml")
    assert "export_max_w: 7000" in fake.settings.yaml
    await shows(page, ".diff del", "export_max_w: 7000")
    await page.get_by_role("button", name="Write the change").click()
    await shows(page, "[role=status]", "Written")
    assert fake.settings.yaml == YAML.replace("name: Demo", "name: Mine")


async def test_what_is_being_edited_stays_while_one_looks_elsewhere(opened: Open) -> None:
    page = await opened("settings/site")
    await page.get_by_label(TEXT).fill("name: half done\n")
    await page.get_by_role("link", name="Now", exact=True).click()
    await shows(page, "h1", "Now")
    await page.go_back()
    await shows(page, ".editor", "1")
    assert await page.get_by_label(TEXT).input_value() == "name: half done\n"
    await page.get_by_role("button", name="Discard changes").click()
    await page.locator(".confirm .primary").click()
    assert await page.get_by_label(TEXT).input_value() == YAML


async def test_a_version_is_compared_before_one_goes_back_to_it(
    opened: Open, fake: FakeSite
) -> None:
    page = await opened("settings/site")
    await page.get_by_role("button", name="Compare").click()
    await shows(page, ".entry .diff ins", "soc_max_pct: 90")
    await page.get_by_role("button", name="Go back to this version").click()
    await shows(page, ".entry", "version 3")
    assert asked(fake, "config/rollback") == [("POST", "config/rollback", {"id": 1})]
    # Versions and text are two answers, which come one after the other.
    await page.wait_for_function(
        "text => text.value.includes('soc_max_pct: 90')",
        arg=await page.get_by_label(TEXT).element_handle(),
    )


async def test_starting_anew_waits_for_a_site_that_runs_and_asks_twice(
    opened: Open, fake: FakeSite
) -> None:
    page = await opened("settings/site")
    await shows(page, ".card", "The site is running: stop it first.")
    assert await page.get_by_role("button", name="Start anew now").is_disabled()
    fake.state = "idle"
    await page.locator("button:enabled", has_text="Start anew now").click()
    assert asked(fake, "config/apply") == []
    await page.locator(".confirm .primary").click()
    await shows(page, "[role=status]", "Sent.")
    assert asked(fake, "config/apply") == [("POST", "config/apply", None)]


async def test_service_reads_site_yaml_and_a_viewer_does_not(opened: Open, fake: FakeSite) -> None:
    fake.role = "service"
    page = await opened("settings/site")
    await page.get_by_label(TEXT).wait_for()
    assert await page.get_by_label(TEXT).get_attribute("readonly") is not None
    assert await page.get_by_role("button", name="Check").count() == 0
    fake.role = "viewer"
    page = await opened("settings/site")
    await shows(page, "h2", "Your account")
    assert await page.locator(".parts a").all_inner_texts() == [
        "Your account",
        "Tokens for programs",
    ]


# --- Accounts ------------------------------------------------------------------------------------


async def test_a_token_is_shown_once_and_can_be_revoked(opened: Open, fake: FakeSite) -> None:
    page = await opened("settings/tokens", permissions=["clipboard-read", "clipboard-write"])
    await page.get_by_label("What it is for").fill("grafana")
    await page.get_by_label("all that its role may").uncheck()
    await page.get_by_label("Take history and reports along as files").check()
    await page.get_by_label("Its last day").fill("2027-06-30")
    await page.get_by_role("button", name="Make it").click()
    secret = await page.get_by_label("The token").input_value()
    assert secret.startswith("hf_")
    await page.get_by_role("button", name="Copy").click()
    await shows(page, ".once", "Copied")
    assert await page.evaluate("navigator.clipboard.readText()") == secret
    assert asked(fake, "auth/tokens")[0][2] == {
        "name": "grafana", "role": "viewer", "rights": ["site.read", "history.export"],
        "expires": "2027-06-30T22:00:00Z",
    }  # fmt: skip
    await page.reload()
    await shows(page, ".entry", "grafana")
    assert secret not in await page.content()
    await page.get_by_role("button", name="Revoke: grafana").click()
    assert len(fake.settings.tokens) == 2
    await page.locator(".confirm .primary").click()
    await page.wait_for_function("() => document.querySelectorAll('.entry').length === 1")
    assert [one["name"] for one in fake.settings.tokens] == ["Home automation"]


async def test_nobody_can_offer_a_token_more_than_he_may(opened: Open, fake: FakeSite) -> None:
    fake.role = "operator"
    page = await opened("settings/tokens")
    roles = await page.get_by_label("Role").locator("option").all_inner_texts()
    assert roles == ["viewer", "operator"]
    await page.get_by_label("all that its role may").uncheck()
    assert await page.get_by_label("Change site.yaml").count() == 0


async def test_accounts_are_added_changed_and_removed(opened: Open, fake: FakeSite) -> None:
    page = await opened("settings/users")
    await page.get_by_label("Name").fill("dora")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Add").click()
    await shows(page, ".entry", "dora")
    await page.get_by_role("button", name="Change: anna").click()
    await page.locator(".entry").get_by_label("Role").select_option("viewer")
    await page.get_by_role("button", name="Save").click()
    await shows(page, "[role=alert]", "is the last admin; make another one first")
    assert await page.get_by_role("button", name="Remove account: anna").is_disabled()
    await page.get_by_role("button", name="Close: anna").click()
    await page.get_by_role("button", name="Change: ben").click()
    await page.get_by_role("button", name="Remove second factors: ben").click()
    await page.locator(".confirm .primary").click()
    await shows(page, ".entry", "no second factor · sessions: 1 · tokens: 0")
    await page.get_by_role("button", name="Remove account: ben").click()
    await page.locator(".confirm .primary").click()
    await page.wait_for_function(
        "() => !document.querySelector('.entries').textContent.includes('ben')"
    )
    assert [one["name"] for one in fake.settings.users] == ["anna", "sso:clara", "dora"]


async def test_an_app_is_registered_by_the_picture_and_the_code_that_it_shows(
    opened: Open, fake: FakeSite
) -> None:
    page = await opened("settings/account")
    await page.get_by_role("button", name="Register an app").click()
    assert await drawn(page) == QR.read_text(encoding="utf-8").split()
    await page.get_by_label("The code that the app shows").fill(pyotp.TOTP(TOTP_SECRET).now())
    await page.get_by_role("button", name="Confirm").click()
    codes = (await page.get_by_label("Recovery codes").input_value()).split()
    assert len(codes) == 10
    await page.get_by_role("button", name="I have kept them").click()
    await shows(page, ".card", "Recovery codes left: 10")
    assert codes[0] not in await page.content()
    await page.get_by_text("Remove the app").first.click()
    await page.get_by_label("Your password").last.fill(PASSWORD)
    await page.get_by_role("button", name="Remove the app").click()
    await shows(page, ".card", "Register an app")
    assert not fake.settings.is_totp_on


async def drawn(page: Any) -> list[str]:
    """Returns the rows of the code that is drawn, # for dark."""
    picture = page.get_by_label("QR code of the new second factor")
    path = await picture.locator("path").get_attribute("d")
    dark = {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", path)}
    size = int((await picture.get_attribute("viewBox")).split()[-1]) - 2 * QUIET
    return [
        "".join("#" if (x + QUIET, y + QUIET) in dark else "." for x in range(size))
        for y in range(size)
    ]


async def test_a_wrong_code_is_told_and_one_begins_anew(opened: Open, fake: FakeSite) -> None:
    page = await opened("settings/account")
    await page.get_by_role("button", name="Register an app").click()
    await page.get_by_label("The code that the app shows").fill("000000")
    await page.get_by_role("button", name="Confirm").click()
    await shows(page, ".note", "are both clocks right?")
    assert await page.get_by_role("button", name="Register an app").is_enabled()
    assert not fake.settings.is_totp_on


async def test_a_passkey_is_registered_and_opens_the_account(opened: Open, fake: FakeSite) -> None:
    page = await opened()
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("WebAuthn.enable")
    await devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
                "hasUserVerification": True, "isUserVerified": True,
            }
        },
    )  # fmt: skip
    await page.goto(page.url.replace("127.0.0.1", "localhost").replace("#/now", "#/settings"))
    await page.get_by_label("Name of the device").fill("telephone")
    await page.get_by_role("button", name="Add a passkey").click()
    await shows(page, ".entry", "telephone")
    await page.get_by_role("button", name="Log out", exact=True).click()
    fake.open_to_view = False
    await page.goto(page.url.replace("#/settings", "#/log-in"))
    await page.get_by_role("button", name="Log in with a passkey").click()
    await shows(page, ".who", "anna")


async def test_where_there_can_be_no_passkeys_it_is_told_why(opened: Open, fake: FakeSite) -> None:
    fake.settings.has_passkeys = False
    page = await opened("settings/account")
    await shows(page, ".note", "passkeys on pages with https and a name")
    assert await page.get_by_role("button", name="Add a passkey").is_disabled()


async def test_a_password_is_changed_with_the_old_one(opened: Open, fake: FakeSite) -> None:
    page = await opened("settings/account")
    await page.get_by_label("Your password").fill("wrong")
    await page.get_by_label("New password").fill("three little words")
    await page.get_by_role("button", name="Change password").click()
    await shows(page, "[role=alert]", "password: is wrong")
    await page.get_by_label("Your password").fill(PASSWORD)
    await page.get_by_role("button", name="Change password").click()
    await shows(page, "[role=status]", "The password is changed.")
    assert await page.get_by_label("Your password").input_value() == ""


async def test_one_can_log_out_everywhere(opened: Open, fake: FakeSite) -> None:
    fake.open_to_view = False
    page = await opened("settings/account")
    await page.get_by_role("button", name="Log out: 192.168.1.40").click()
    await page.wait_for_function("() => !document.body.textContent.includes('192.168.1.40')")
    await page.get_by_role("button", name="Log out everywhere").click()
    await page.locator(".confirm .primary").click()
    await shows(page, "h1", "Log in")
    assert asked(fake, "auth/sessions")[-1] == ("DELETE", "auth/sessions", None)
