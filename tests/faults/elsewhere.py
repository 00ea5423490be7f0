"""The faults that other tests cover, by name, and those that no device can show to Holdfast."""

from dataclasses import dataclass

from holdfast.testing.faults.fault import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """A fault whose reaction and time other tests assert."""

    kind: Kind
    name: str
    outcome: str
    within: str
    tests: tuple[str, ...]
    """As ``file::test``, below ``tests/``."""
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotHere:
    """A fault that no device of Holdfast's can show it, and who sees to it instead."""

    name: str
    why: str


_DRIVERS = "devices/drivers/"
_MODBUS, _AGES = f"{_DRIVERS}test_modbus_hostile.py", f"{_DRIVERS}test_modbus_ages.py"
_RTU, _FRAME = f"{_DRIVERS}test_rtu_driver.py", f"{_DRIVERS}test_rtu_frame.py"
_CAN, _MQTT = f"{_DRIVERS}test_can_driver.py", f"{_DRIVERS}test_mqtt_driver.py"
_SUNSPEC, _HTTP = f"{_DRIVERS}test_sunspec_driver.py", f"{_DRIVERS}test_http_driver.py"
_OLD = f"{_AGES}::test_what_was_told_grows_old_and_nothing_is_told_in_its_place"
_NONE, _SILENT = "it is no answer: what was told before grows old", "as a silent device"
_W, _D, _S = Kind.WIRE, Kind.DEVICE, Kind.SENSOR

# fmt: off
ELSEWHERE: tuple[Elsewhere, ...] = (
    Elsewhere(kind=_S, name="charge that does not show in the state of charge", outcome="no charging, or no discharging", within="2 h at a tenth of the capacity an hour", tests=("safety/test_charge_count.py::test_a_bms_that_repeats_itself_at_a_tenth_of_the_capacity_is_found_in_two_hours",), because="the errors of the count have to be exceeded"),
    Elsewhere(kind=_S, name="current sensor with an offset", outcome="the voltage stops it", within="before any cell is damaged", tests=("hil/test_limits_matter.py::test_a_soc_that_lies_is_caught_by_the_voltage",)),
    Elsewhere(kind=_S, name="grid meter of something else", outcome="0 W", within="10 s while the house is calm, 40 s at the wire", tests=("safety/test_meter_sign_of_a_site.py::test_a_meter_that_measures_something_else_is_found_within_ten_seconds", "hostile/test_faults.py::test_a_fault_ends_in_the_safe_reaction_in_time")),
    Elsewhere(kind=_S, name="units mixed up in site.yaml", outcome="told by name before the start", within="at the check", tests=("site/test_doubts.py::test_another_unit_is_recognised",)),
    Elsewhere(kind=_S, name="message that is sent again, or late", outcome="it is as old as it says", within="with its arrival", tests=(f"{_DRIVERS}test_source_clock.py::test_a_value_is_as_old_as_its_message_is_late", f"{_MQTT}::test_a_message_that_is_sent_again_is_as_old_as_it_says", f"{_MQTT}::test_what_the_broker_had_kept_is_not_believed")),
    Elsewhere(kind=_W, name="no answer, late answer, answer byte by byte", outcome=_NONE, within=_SILENT, tests=(_OLD, f"{_MODBUS}::test_dripping_answer_meets_the_total_deadline", f"{_MODBUS}::test_late_answer_meets_nobody")),
    Elsewhere(kind=_W, name="part of a frame, garbage, wrong length", outcome=_NONE, within=_SILENT, tests=(_OLD, f"{_MODBUS}::test_random_bytes_are_survived")),
    Elsewhere(kind=_W, name="answer of another unit, function or transaction", outcome=_NONE, within=_SILENT, tests=(_OLD, f"{_MODBUS}::test_late_answer_on_the_next_connection_is_refused")),
    Elsewhere(kind=_W, name="answer that comes twice", outcome="the second is not believed", within="at once", tests=(f"{_MODBUS}::test_second_answer_to_one_request_is_not_taken_for_the_next",)),
    Elsewhere(kind=_W, name="every exception code", outcome=_NONE, within=_SILENT, tests=(_OLD, f"{_MODBUS}::test_exception_answer_names_code_meaning_and_address")),
    Elsewhere(kind=_W, name="busy now and then, with exception 6", outcome="goes on", within="at once", tests=(f"{_AGES}::test_a_device_that_refuses_every_twentieth_request_is_read_on", "hil/test_device_faults.py::test_an_inverter_that_is_busy_now_and_then_goes_on")),
    Elsewhere(kind=_W, name="bit flipped on a serial line, noise", outcome=_NONE, within=_SILENT, tests=(f"{_FRAME}::test_a_changed_answer_is_none", f"{_DRIVERS}test_rtu_noise.py::test_a_line_that_babbles_tells_nothing_that_is_not_so", f"{_RTU}::test_what_is_not_the_answer_is_counted_and_never_believed")),
    Elsewhere(kind=_W, name="late answer on a serial line", outcome=_NONE, within=_SILENT, tests=(f"{_RTU}::test_a_late_answer_is_no_answer_to_the_next_request",)),
    Elsewhere(kind=_W, name="connection reset while a command is on its way", outcome="the command has failed; the read-back tells", within="at once", tests=(f"{_MODBUS}::test_loss_of_the_connection_ends_a_write_at_once", f"{_MODBUS}::test_write_behind_one_that_gets_no_answer_is_not_sent")),
    Elsewhere(kind=_W, name="connection that is half open", outcome="it is left, and another one is made", within="after its time-out", tests=(f"{_MODBUS}::test_write_without_answer_is_dropped_with_its_connection", _OLD)),
    Elsewhere(kind=_W, name="power of ten that changes in operation", outcome="it is believed with the value it came with", within="the same poll", tests=(f"{_SUNSPEC}::test_a_power_of_ten_that_changes_is_believed_at_once",)),
    Elsewhere(kind=_W, name="register map moved by new firmware", outcome="nothing of it is believed, nothing is written", within="the first poll", tests=(f"{_SUNSPEC}::test_models_that_move_are_found_again_and_nothing_wrong_is_believed", f"{_SUNSPEC}::test_another_device_at_the_same_place_is_found_out"), because="a table without marks has to be found out by its values"),
    Elsewhere(kind=_W, name="CAN bus off", outcome="told, and opened again; meanwhile what was told grows old", within=_SILENT, tests=(f"{_CAN}::test_a_bus_that_is_off_is_told_in_words_and_opened_again", "hil/test_device_faults.py::test_a_can_bus_that_falls_silent_derates_then_stops_then_comes_back")),
    Elsewhere(kind=_W, name="CAN bus error-passive", outcome="told", within="at once", tests=(f"{_DRIVERS}test_can_flood.py::test_an_error_frame_of_the_kernel_is_told_in_words",), because="what still arrives is checked and fresh; what does not grows old"),
    Elsewhere(kind=_W, name="CAN node that babbles", outcome="told; most of it is not taken, and the loop goes on", within="1 s", tests=(f"{_CAN}::test_a_node_that_floods_the_bus_costs_little_and_is_told", f"{_DRIVERS}test_can_flood.py::test_of_one_identifier_so_many_frames_are_taken_in_a_second_and_it_is_told")),
    Elsewhere(kind=_W, name="two batteries with the same CAN frames", outcome="neither is believed: 0 W", within="five jumps, then as a silent device", tests=(f"{_CAN}::test_two_batteries_with_the_same_frames_are_found_and_not_mixed", f"{_DRIVERS}test_can_twins.py::test_values_that_jump_between_two_batteries_are_found_after_five_jumps")),
    Elsewhere(kind=_W, name="CAN counter that stands still", outcome="the frame is no news", within="the same frame", tests=(f"{_DRIVERS}test_can_burst.py::test_a_frame_whose_counter_stands_still_is_no_news",)),
    Elsewhere(kind=_W, name="CAN frame too short, or of another kind", outcome="it is left out, the rest lands", within="the same frame", tests=(f"{_CAN}::test_short_frame_is_an_error_and_the_rest_lands", f"{_CAN}::test_frames_of_other_kinds_are_dropped", "hil/test_device_faults.py::test_half_frames_are_no_data")),
    Elsewhere(kind=_W, name="MQTT broker or device gone", outcome="what was told grows old; a device that says so counts at once", within=_SILENT, tests=(f"{_MQTT}::test_a_broker_that_goes_away_and_comes_back_is_heard_again", f"{_MQTT}::test_one_that_is_offline_counts_no_more_at_once")),
    Elsewhere(kind=_W, name="HTTP answer that is none, or the last one again", outcome=_NONE, within=_SILENT, tests=(f"{_HTTP}::test_an_answer_that_is_none_is_told_and_nothing_of_it_counts", f"{_HTTP}::test_a_meter_that_repeats_its_last_value_is_not_believed")),
    Elsewhere(kind=_W, name="planner lost", outcome="the last plan until it expires, then the local rule", within="with its expiry", tests=("hil/test_operation.py::test_a_plan_that_expires_is_followed_no_longer", "control/test_mode_manager.py::test_without_a_slot_that_is_valid_now_the_site_serves_itself")),
    Elsewhere(kind=_D, name="power that nobody sees", outcome="trip", within="the revert time, 5 s at the least; a minute if one sees it", tests=("devices/test_unseen_power.py::test_power_that_nobody_sees_trips_after_the_revert_time_and_5_s_at_the_least", "devices/test_unseen_power.py::test_one_who_sees_it_is_enough_for_a_minute_and_not_for_longer")),
    Elsewhere(kind=_D, name="revert timer that does not revert", outcome="told; no full authority without another way to 0 W", within="at commissioning", tests=("runtime/test_proving.py::test_a_timer_that_does_not_end_the_power_is_told_and_the_rest_is_proven", "safety/test_goals.py::test_a_missing_revert_timer_that_is_accepted_permits_all_only_with_another_way_to_zero")),
    Elsewhere(kind=_D, name="precharge too quick, shorted, loaded; feedback stuck", outcome="trip, without damage", within="three tries, 3 s apart; of the feedback 5 s", tests=("hil/test_precharge.py::test_each_fault_ends_in_its_finding_and_without_damage", "devices/contactor/test_precharge.py::test_after_three_tries_it_is_locked_out_for_ten_seconds_and_until_leave_is_withdrawn")),
    Elsewhere(kind=_D, name="contactor to be opened under load", outcome="0 W first, then it opens", within="1 s", tests=("devices/contactor/test_relay_controller.py::test_it_opens_after_a_second_at_the_latest_even_under_load_or_blind", "devices/contactor/test_precharge.py::test_it_opens_after_a_second_at_the_latest_and_a_new_leave_does_not_stop_that")),
    Elsewhere(kind=_D, name="register that wears out", outcome="written on change only; told at 80 %, then nothing but what takes power away", within="the same cycle", tests=("devices/test_write_budget.py::test_a_register_that_wears_out_is_written_on_change_only_and_the_other_one_refreshed", "devices/test_write_budget.py::test_beyond_the_budget_only_what_takes_power_away_is_written")),
    Elsewhere(kind=_D, name="load switch that is silent, or does not obey", outcome="told; the battery goes on", within="at once", tests=("hil/test_loads.py::test_a_load_switch_that_fails_on_its_wire_does_not_touch_the_battery", "hil/test_loads.py::test_a_load_switch_that_does_not_obey_is_logged_and_trips_nothing"), because="no safety rests on a load"),
    Elsewhere(kind=_D, name="export limit or PV switch ignored", outcome="told; the site goes on", within="three tries", tests=("hil/test_export_limit.py::test_an_inverter_that_ignores_its_limit_is_logged_and_the_site_goes_on", "hil/test_pv_switch.py::test_an_inverter_that_ignores_its_switch_is_logged_and_the_site_goes_on"), because="it costs money and harms no battery"),
    Elsewhere(kind=_D, name="another master", outcome="overruled and told; the third time trips", within="the same cycle", tests=("properties/test_cycle.py::test_another_master_is_overruled_in_the_same_cycle_and_the_third_time_the_site_trips",)),
)

NOT_HERE: tuple[NotHere, ...] = (
    NotHere(name="CAN frame with a wrong checksum of its own", why="no table has one: Pylontech and those like it rely on the bus's own, which the controller checks in hardware"),
    NotHere(name="interlock of the high-voltage plug opened", why="the BMS opens the pack by itself and tells a protection; a loop of the site's is wired into the emergency input"),
    NotHere(name="auxiliary supply of 12 or 24 V breaks down", why="no device tells it; what it brings about are rows: relays silent, contactor fallen out"),
    NotHere(name="precharge inside the pack", why="the pack's own duty where its table has no precharge relay; Holdfast sees whether the contactor is confirmed"),
)
# fmt: on
