"""What a connection to a stick is, where site.yaml says no more than where its broker is."""

import pytest

from holdfast.core.config.device import ModbusMqtt


def test_a_stick_is_as_it_comes_and_asks_one_device_for_two_registers_at_once() -> None:
    stick = ModbusMqtt(host="broker")
    assert (stick.kind, stick.port, stick.topic) == ("modbus_mqtt", 1883, "energy/solar")
    assert (stick.timeout_s, stick.tls, stick.username) == (2.5, False, None)
    assert (stick.device_id, stick.AT_ONCE) == (1, 2)


@pytest.mark.parametrize("timeout_s", [0.0, 5.1])
def test_an_answer_is_waited_for_some_time_and_not_for_ever(timeout_s: float) -> None:
    with pytest.raises(ValueError, match="timeout_s"):
        ModbusMqtt(host="broker", timeout_s=timeout_s)
    assert ModbusMqtt(host="broker", timeout_s=5.0).timeout_s == 5.0


@pytest.mark.parametrize("topic", ["", "/energy", "energy/+", "energy/#", "ener gy", "x" * 201])
def test_a_topic_is_one_topic(topic: str) -> None:
    with pytest.raises(ValueError, match="topic"):
        ModbusMqtt(host="broker", topic=topic)
    assert ModbusMqtt(host="broker", topic="x" * 200)


@pytest.mark.parametrize("port", [0, 65_536])
def test_a_port_is_one_that_there_is(port: int) -> None:
    with pytest.raises(ValueError, match="port"):
        ModbusMqtt(host="broker", port=port)
