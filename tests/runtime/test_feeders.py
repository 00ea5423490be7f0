"""systemd and the hardware watchdog are fed in their own languages."""

import socket

import pytest

from holdfast.runtime.feeders import HardwareFeeder, SystemdFeeder


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        receiver.settimeout(1.0)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield receiver


def test_systemd_hears_what_it_is_told(systemd):
    feeder = SystemdFeeder()
    feeder.tell("READY=1")
    feeder.tell("WATCHDOG=1")
    assert [systemd.recv(64), systemd.recv(64)] == [b"READY=1", b"WATCHDOG=1"]


def test_an_abstract_address_is_understood(monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind("\0holdfast-test-notify")
        receiver.settimeout(1.0)
        monkeypatch.setenv("NOTIFY_SOCKET", "@holdfast-test-notify")
        SystemdFeeder().tell("READY=1")
        assert receiver.recv(64) == b"READY=1"


def test_without_systemd_or_with_a_dead_one_nothing_happens(tmp_path, monkeypatch, caplog):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    SystemdFeeder().tell("READY=1")
    assert not caplog.records
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    SystemdFeeder().tell("READY=1")
    assert "systemd is not told" in caplog.text


def test_a_systemd_that_reads_nothing_holds_up_nobody(systemd, caplog):
    feeder = SystemdFeeder()
    while "systemd is not told" not in caplog.text:
        feeder.tell("WATCHDOG=1")  # until no more fits; whoever waited would wait for ever
    assert systemd.recv(64) == b"WATCHDOG=1"


def test_the_hardware_watchdog_is_fed_and_at_the_end_disarmed(tmp_path):
    device = tmp_path / "watchdog"
    device.touch()
    feeder = HardwareFeeder(device)
    feeder.feed()
    feeder.feed()
    feeder.close()
    feeder.feed()  # too late, and harmless
    assert device.read_bytes() == b"\0\0V"


def test_a_missing_hardware_watchdog_is_told_and_survived(tmp_path, caplog):
    feeder = HardwareFeeder(tmp_path / "none")
    feeder.feed()
    feeder.close()
    assert "no hardware watchdog" in caplog.text
