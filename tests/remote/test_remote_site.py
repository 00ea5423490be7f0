"""A site on another computer: read and commanded over its API, with what the command line shows."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pydantic_core import to_json

from holdfast.api.access import UserRole
from holdfast.cli.main import main
from holdfast.client.plan_report import PlanReport
from holdfast.core.commands import Command
from holdfast.core.errors import ConfigError, NotRunning, SiteRefused
from holdfast.core.state_machine import State
from holdfast.monitoring.audit.events import StateChanged
from holdfast.remote import remote_site
from holdfast.remote.remote_site import RemoteSite
from holdfast.runtime.api import listen, server_of
from holdfast.simulation.net import free_port
from tests.api.bench import ApiBench, api_bench

T = TypeVar("T")


class Served:
    """A bench behind a real server, and the arguments that lead there."""

    def __init__(self, bench: ApiBench, folder: Path, port: int) -> None:
        self.bench, self.folder = bench, folder
        self.url = f"http://127.0.0.1:{port}"

    def site(self, role: UserRole = UserRole.ADMIN) -> RemoteSite:
        return RemoteSite(self.url, self.bench.token_of(role))

    async def ask(self, question: Callable[[RemoteSite], T], role: UserRole = UserRole.ADMIN) -> T:
        def asked() -> T:
            with self.site(role) as site:
                return question(site)

        return await asyncio.to_thread(asked)

    async def cli(self, *words: str, role: UserRole = UserRole.ADMIN) -> int:
        """Runs ``holdfast`` as on a computer elsewhere: there is no site.yaml."""
        path = self.folder / f"{role}.token"
        path.write_text(f"{self.bench.token_of(role)}\n")
        command, *rest = words
        options = ["--url", self.url, "--token-file", str(path)]
        return await asyncio.to_thread(main, [command, *rest, *options])

    async def cli_here(self, *words: str) -> int:
        """Runs it on the site's own computer."""
        return await asyncio.to_thread(main, [*words, "--config", str(self.bench.config)])


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with api_bench(tmp_path) as bench:
        address = bench.site.api.model_copy(update={"port": 0})
        with listen(address) as listening:
            server = server_of(bench.app)
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            while not server.started:  # noqa: ASYNC110 - it is not ours
                await asyncio.sleep(0.01)
            yield Served(bench, tmp_path, listening.getsockname()[1])
            server.should_exit = True
            await serving


async def test_it_tells_what_the_controller_tells(served: Served) -> None:
    status = await served.ask(lambda site: site.status())
    assert (status.site, status.state) == ("Test site", State.IDLE)
    about = await served.ask(lambda site: site.about())
    assert about.fresh
    assert about.utc is not None
    assert (await served.ask(lambda site: site.plan())).report is None
    explained = await served.ask(lambda site: site.explain())
    assert explained.situation.state is State.IDLE
    at = datetime.now(UTC)
    assert (await served.ask(lambda site: site.explain(at))).situation.recorded


async def test_it_hands_commands_on_and_answers_as_the_controller(served: Served) -> None:
    started = await served.ask(lambda site: site.command(Command.START))
    assert (started.accepted, started.state) == (True, State.RUNNING)
    again = await served.ask(lambda site: site.command(Command.START))
    assert (again.accepted, again.reason) == (False, "start changes nothing in RUNNING")
    assert again.state is State.RUNNING
    stopped = await served.ask(lambda site: site.command(Command.STOP))
    assert stopped.state is State.IDLE
    stop = await served.ask(lambda site: site.command(Command.EMERGENCY_STOP))
    assert stop.state is State.STOPPED


async def test_the_log_is_read_page_by_page(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_site, "PAGE", 3)
    await served.bench.on_record()
    lines = await served.ask(lambda site: list(site.audit_backwards()))
    assert [line.sequence for line in lines] == list(range(len(lines), 0, -1))
    assert any(isinstance(line.event, StateChanged) for line in lines)


async def test_who_may_not_is_told_so(served: Served) -> None:
    with pytest.raises(SiteRefused, match="takes the role operator"):
        await served.ask(lambda site: site.command(Command.START), UserRole.VIEWER)

    def without_token() -> None:
        with RemoteSite(served.url) as site:
            site.status()

    with pytest.raises(SiteRefused, match="log in first"):
        await asyncio.to_thread(without_token)


async def test_that_nobody_answers_is_told(served: Served) -> None:
    served.bench.files.status.unlink()
    with pytest.raises(NotRunning, match="no controller"):
        await served.ask(lambda site: site.status())
    with pytest.raises(NotRunning, match="no controller runs"):
        await served.ask(lambda site: site.command(Command.START))
    with (
        RemoteSite(f"http://127.0.0.1:{free_port()}") as nobody,
        pytest.raises(NotRunning, match="does not answer"),
    ):
        nobody.about()


@pytest.mark.parametrize("url", ["energy.example.org", "ftp://x", "http://[", "file:///etc"])
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(ConfigError):
        RemoteSite(url)


def test_a_certificate_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="https://x"):
        RemoteSite("https://x", certificate=tmp_path / "none.pem")


@pytest.mark.parametrize(
    "words",
    [
        ("explain",),
        ("audit", "show", "--last", "5"),
        ("audit", "show", "--json"),
        ("audit", "show", "--since", "2020-01-01T00:00"),
    ],
)
async def test_the_command_line_shows_the_same_as_on_the_sites_own_computer(
    served: Served, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    await served.bench.on_record()
    assert await served.cli_here(*words) == 0
    here = capsys.readouterr()
    assert await served.cli(*words) == 0
    assert capsys.readouterr() == here


async def test_status_and_plan_are_shown_as_on_the_sites_own_computer(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await served.cli("status", "--json") == 0
    assert json.loads(capsys.readouterr().out)["state"] == "idle"
    assert await served.cli("status") == 0
    assert "Test site" in capsys.readouterr().out
    assert await served.cli("plan") == 2
    assert "there is no recent plan" in capsys.readouterr().err
    report = PlanReport(utc=datetime.now(UTC), plan=None, accepted=False, problem="no prices")
    served.bench.files.plan.write_bytes(to_json(report))
    assert await served.cli_here("plan") == 1
    here = capsys.readouterr()
    assert await served.cli("plan") == 1
    assert capsys.readouterr() == here
    assert here.out == "no prices\n"


async def test_commands_are_given_from_elsewhere(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await served.cli("start") == 0
    assert capsys.readouterr().out == "start done; the site is in RUNNING\n"
    await served.bench.show()
    assert await served.cli("stop") == 0
    await served.bench.show()
    assert await served.cli("reset") == 1
    assert "refused: reset changes nothing in IDLE" in capsys.readouterr().err
    assert await served.cli("start", role=UserRole.VIEWER) == 2
    assert "takes the role operator" in capsys.readouterr().err
    assert await served.cli("estop", role=UserRole.VIEWER) == 0
    assert served.bench.state is State.STOPPED


async def test_a_stop_that_nobody_hears_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    assert await asyncio.to_thread(main, ["estop", "--url", url]) == 1
    assert capsys.readouterr().err.startswith("NOT KNOWN TO BE STOPPED")
    assert await asyncio.to_thread(main, ["estop", "--url", url, "--json"]) == 1
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (told["accepted"], told["state"]) == (False, None)
