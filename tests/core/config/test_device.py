"""How a device is named in site.yaml, and how one is left out."""

from typing import Any

import pytest
from can.interfaces import BACKENDS
from pydantic import TypeAdapter, ValidationError

from holdfast.core.config import Site
from holdfast.core.config.device import (
    CAN_INTERFACES,
    CanBus,
    Connection,
    Device,
    DeviceOrWithout,
    GpioChip,
    HttpHost,
    ModbusMqtt,
    ModbusRtu,
    ModbusRtuTcp,
    ModbusTcp,
    MqttBroker,
    Without,
    device_keys,
    is_file,
)
from holdfast.core.config.loads import FlexibleLoad, HeatedRoom
from holdfast.core.config.storage import StorageUnit
from holdfast.core.texts import MAX_REASON
from tests.builders import device

EITHER = TypeAdapter(DeviceOrWithout)
CONNECTION: TypeAdapter[Any] = TypeAdapter(Connection)
BROKER = {"host": "b", "topic": "house/meter"}


@pytest.mark.parametrize(
    ("profile", "is_one"),
    [("./my.yaml", True), ("my.yml", True), ("generic_meter", False), ("yaml", False)],
)
def test_a_table_of_the_owners_is_named_as_a_file(profile, is_one):
    assert is_file(profile) is is_one


@pytest.mark.parametrize("content", [{"none": "why"}, Without(none="why")])
def test_a_device_is_left_out_by_the_key_none(content):
    assert EITHER.validate_python(content) == Without(none="why")


@pytest.mark.parametrize(
    "content", [device("generic_meter"), Device.model_validate(device("generic_meter"))]
)
def test_anything_else_is_a_device(content):
    assert isinstance(EITHER.validate_python(content), Device)


@pytest.mark.parametrize("content", ["none", 7, None, [], {}])
def test_what_is_neither_is_told_to_be_no_device(content):
    with pytest.raises(ValidationError) as error:
        EITHER.validate_python(content)
    assert {item["loc"][0] for item in error.value.errors()} == {"device"}


def test_what_is_wrong_with_a_reason_is_told_at_the_reason():
    with pytest.raises(ValidationError) as error:
        EITHER.validate_python({"none": 7})
    assert [item["loc"] for item in error.value.errors()] == [("left_out", "none")]


@pytest.mark.parametrize(
    ("reason", "fits"), [("no", False), ("who", True), ("x" * MAX_REASON, True)]
)
def test_a_reason_has_three_letters_at_least(reason, fits):
    if fits:
        assert Without(none=reason).none == reason
    else:
        with pytest.raises(ValidationError, match="at least 3"):
            Without(none=reason)
    with pytest.raises(ValidationError):
        Without(none="x" * (MAX_REASON + 1))


@pytest.mark.parametrize(
    ("section", "keys"),
    [
        (Site, {"meter", "pv_meter", "grid_operator", "emergency_input"}),
        (StorageUnit, {"bms", "inverter", "relays"}),
        (FlexibleLoad, {"switch"}),
        (HeatedRoom, {"switch"}),
        (ModbusTcp, set()),
    ],
)
def test_a_section_names_its_devices(section, keys):
    assert set(device_keys(section)) == keys


def test_a_stick_is_as_it_comes_and_asks_one_device_for_two_registers_at_once() -> None:
    stick = ModbusMqtt(host="broker")
    assert stick == ModbusMqtt(kind="modbus_mqtt", host="broker")
    assert (stick.kind, stick.port, stick.topic) == ("modbus_mqtt", 1883, "energy/solar")
    assert (stick.timeout_s, stick.tls, stick.username) == (2.5, False, None)
    assert (stick.device_id, stick.AT_ONCE) == (1, 2)


@pytest.mark.parametrize("timeout_s", [0.0, 5.1])
def test_an_answer_is_waited_for_some_time_and_not_for_ever(timeout_s: float) -> None:
    with pytest.raises(ValueError, match="timeout_s"):
        ModbusMqtt(host="broker", timeout_s=timeout_s)
    for taken_s in (0.5, 5.0):
        assert ModbusMqtt(host="broker", timeout_s=taken_s).timeout_s == taken_s


@pytest.mark.parametrize("topic", ["", "/energy", "energy/+", "energy/#", "ener gy", "x" * 201])
def test_a_topic_is_one_topic(topic: str) -> None:
    with pytest.raises(ValueError, match="topic"):
        ModbusMqtt(host="broker", topic=topic)
    assert ModbusMqtt(host="broker", topic="x" * 200)


@pytest.mark.parametrize("port", [0, 65_536])
def test_a_port_is_one_that_there_is(port: int) -> None:
    with pytest.raises(ValueError, match="port"):
        ModbusMqtt(host="broker", port=port)


def test_a_broker_is_of_the_kind_that_it_is() -> None:
    broker = MqttBroker(host="broker", topic="x" * 200)
    assert broker == MqttBroker(kind="mqtt", host="broker", topic="x" * 200)
    assert (broker.kind, broker.port) == ("mqtt", 1883)
    with pytest.raises(ValueError, match="topic"):
        MqttBroker(host="broker", topic="x" * 201)


@pytest.mark.parametrize(
    ("content", "section"),
    [
        ({"kind": "modbus_tcp", "host": "h"}, ModbusTcp),
        ({"kind": "modbus_rtu", "port": "/dev/ttyUSB0"}, ModbusRtu),
        ({"kind": "modbus_rtu_tcp", "host": "h"}, ModbusRtuTcp),
        ({"kind": "can", "interface": "socketcan", "channel": "can0"}, CanBus),
        ({"kind": "http", "host": "h"}, HttpHost),
        ({"kind": "mqtt", "host": "h", "topic": "t"}, MqttBroker),
    ],
)
def test_the_kind_of_a_connection_says_how_a_device_is_reached(content, section):
    assert type(CONNECTION.validate_python(content)) is section
    without = {key: value for key, value in content.items() if key != "kind"}
    assert section.model_validate(without).kind == content["kind"]
    for wrong in (without, {**content, "kind": f"{content['kind']}_"}):
        with pytest.raises(ValidationError):
            CONNECTION.validate_python(wrong)


def test_the_interfaces_that_a_site_may_name_are_those_of_python_can():
    assert set(CAN_INTERFACES) == set(BACKENDS)


@pytest.mark.parametrize("prefix", ["", "/meter", "/a/b-c_d.e~7"])
def test_a_device_over_http_may_lie_behind_a_path(prefix):
    assert HttpHost(host="h", prefix=prefix).prefix == prefix
    assert HttpHost(host="h").prefix == ""


@pytest.mark.parametrize("prefix", ["meter", "/meter/", "/", "//a", "/a b", "/a?b=1"])
def test_what_is_no_path_is_no_prefix(prefix):
    with pytest.raises(ValidationError, match="is no path such as /meter"):
        HttpHost(host="h", prefix=prefix)


@pytest.mark.parametrize("topic", ["t", "house/meter", "t" * 200])
def test_a_topic_is_one_whole_name(topic):
    assert MqttBroker(host="b", topic=topic).topic == topic


@pytest.mark.parametrize("topic", ["", "/a", "a/#", "a/+/b", "+", "a b", "t" * 201])
def test_what_matches_several_topics_is_none(topic):
    with pytest.raises(ValidationError, match="is no topic such as house/meter"):
        MqttBroker(host="b", topic=topic)


@pytest.mark.parametrize(
    "secret",
    [{}, {"username": "x"}, {"username": "x", "password_env": "A_1"}]
    + [{"username": "x", "password_file": path} for path in ("secret", "/run/secret")],
)
def test_a_broker_knows_us_by_name_and_a_password_that_stands_elsewhere(secret):
    broker = MqttBroker.model_validate(BROKER | secret)
    assert broker.model_dump(include={"username", "password_env", "password_file"}) == {
        "username": None,
        "password_env": None,
        "password_file": None,
        **secret,
    }
    assert broker.tls is False


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"username": "x", "password_env": "A", "password_file": "b"}, "only one of them can be"),
        ({"password_env": "A"}, "username: a password needs one"),
        ({"password_file": "a"}, "username: a password needs one"),
        ({"password_file": "~/a", "username": "x"}, "write the path without ~"),
        ({"username": ""}, "username"),
    ],
)
def test_a_password_without_a_place_or_a_name_is_refused(changes, told):
    with pytest.raises(ValidationError, match=told):
        MqttBroker.model_validate(BROKER | changes)


def test_lines_of_a_chip_need_its_name_of_at_least_one_character():
    chip = GpioChip.model_validate({"chip": "x", "lines": ["contactor=17"]})
    assert (chip.kind, chip.chip) == ("gpio", "x")
    for wrong in ({"chip": ""}, {"kind": "gpio_", "chip": "x"}):
        with pytest.raises(ValidationError):
            GpioChip.model_validate({"lines": ["contactor=17"]} | wrong)
