"""The hazards, and each fault of the fault table as a failure mode."""

from tests.hazards.hazard import FailureMode, Hazard

_MATTER = "hil/test_limits_matter.py::test_the_limit_monitor_alone_keeps_the_battery_whole_and_without_it_nothing_does"
_STOP = "hil/test_emergency_stop.py"
_DIES = "hil/test_process_faults.py::test_a_killed_controller_is_replaced_by_the_watchdog_and_comes_back_to_idle"
_BMS = "the BMS, with a switch of its own; the fuse of the pack"

# fmt: off
HAZARDS: tuple[Hazard, ...] = tuple(
    Hazard(id=name, what=what, harm=harm, limits=limits, tests=tests, proofs=proofs, last_line=last)
    for name, what, harm, limits, tests, proofs, last in (
        ("H1", "a cell is charged beyond its voltage", "the cell runs away: fire, toxic gas", ("cell_voltage_high", "pack_voltage_high", "soc_high", "cell_imbalance_high", "cell_voltages_swapped", "pack_mismatch_high", "bms_forbids_charge", "bms_protection", "bms_alarm"), (_MATTER,), ("limit.cell_voltage_high.", "envelope.clamp", "permit.covers"), _BMS),
        ("H2", "a cell is discharged below its voltage", "the cell is destroyed, and dangerous when it is charged again", ("cell_voltage_low", "pack_voltage_low", "soc_low", "bms_forbids_discharge"), (_MATTER,), ("limit.cell_voltage_low.",), _BMS),
        ("H3", "cells are charged in the cold, or used when hot", "plating and later a short; run-away", ("cell_temperature_high", "charge_temperature_high", "charge_temperature_low", "discharge_temperature_low", "cell_temperature_spread", "cell_temperatures_swapped", "ambient_temperature_high", "ambient_temperature_low", "inverter_temperature_high"), (_MATTER,), ("limit.cell_temperature_high.", "derating."), _BMS),
        ("H4", "more current than cells, cables or contactors bear", "heat, fire", ("charge_current_high", "discharge_current_high", "power_mismatch_high"), (_MATTER, "properties/test_cycle.py::test_a_trip_stops_the_power_after_its_debounce_and_stays_until_it_is_reset"), ("limit.charge_current_high.", "ramp.inside", "ramp.rate"), "fuses, cables that fit them; the BMS"),
        ("H5", "a contactor makes or breaks a current that it cannot", "an arc, welded contacts, a contactor that no longer opens", ("link_mismatch_high",), ("hil/test_precharge.py::test_each_fault_ends_in_its_finding_and_without_damage", "hil/test_precharge.py::test_without_the_check_of_the_precharge_the_contactor_is_damaged"), ("relays.first_write", "relays.closed"), "a contactor that is rated for the fault current, the fuse before it"),
        ("H6", "power flows though somebody stopped it, or begins by itself", "whoever works at the site is hurt", (), (f"{_STOP}::test_by_the_digital_input_and_no_reset_while_the_loop_is_open", f"{_STOP}::test_it_outlives_a_restart_and_is_left_through_boot_and_idle_only", "hil/test_process_faults.py::test_a_latch_that_was_shown_outlives_a_kill_at_that_moment", "deployment/test_erasing.py::test_an_emergency_stop_outlives_a_reset_of_a_real_site"), ("state_machine",), "an emergency stop that is hard-wired into the contactors' supply; who works there isolates, locks and measures"),
        ("H7", "a fault to earth, or a live part that is touched", "electric shock", ("insulation_low",), ("safety/test_limits.py",), ("limit.insulation_low.",), "earthing, residual current device, the inverter's own insulation monitor; covers"),
        ("H8", "the connection is overloaded, or the grid is out of its band", "the main fuse, other people's supply, feed-in where none may be", ("grid_import_high", "grid_export_high", "grid_voltage_high", "grid_voltage_low", "grid_frequency_high", "grid_frequency_low", "inverter_fault"), ("control/connection/test_connection.py::test_phases_that_cannot_be_read_leave_the_limit_of_their_sum", "properties/test_cycle.py::test_an_island_that_the_meter_denies_has_the_strict_rules"), ("grid.1_unit", "rest_of_site."), "main fuse; the inverter's certified grid protection (EN 50549), which Holdfast never replaces"),
        ("H9", "somebody else commands, or the device does another thing than told", "any of the above", (), ("properties/test_cycle.py::test_another_master_is_overruled_in_the_same_cycle_and_the_third_time_the_site_trips", "hil/test_device_faults.py::test_an_inverter_that_ignores_setpoints_trips_and_stays_so_until_a_reset"), ("inverter.read_back", "inverter.first_write"), "contactor, which Holdfast opens; then BMS and fuses"),
        ("H10", "control itself is lost: program, computer, disk, clock", "power goes on as it was last told", ("watchdog_lost",), (_DIES, "hil/test_process_faults.py::test_a_killed_watchdog_takes_the_power_away_until_it_is_back", "runtime/test_torn_files.py::test_a_file_torn_at_any_byte_leads_to_a_safe_start"), ("state_machine",), "the inverter's own timer, where it was proven; relays that fall open without supply; BMS"),
        ("H11", "what is measured is old, wrong or missing", "any of the above, unseen", (), ("hil/test_device_faults.py::test_old_data_derate_before_they_are_lost", "faults/test_faults.py::test_a_fault_ends_in_its_reaction_in_time"), ("sample.", "isnan", "isfinite"), "BMS and inverter measure for themselves"),
        ("H12", "a house that is on its own goes dark", "what people rely on stops", (), ("hil/test_outage.py::test_a_house_stays_lit_whatever_was_told_and_comes_back_quietly", "hil/test_island.py::test_an_island_without_its_meter_keeps_its_loads_and_one_with_empty_cells_does_not"), (), "who must not be without supply has one of his own: Holdfast promises none"),
        ("H13", "something wears out: registers, contactors, cells", "a device that fails later, and the money", (), ("devices/test_write_budget.py::test_beyond_the_budget_only_what_takes_power_away_is_written",), (), "maintenance"),
        ("H14", "a load is switched on or off at the wrong time", "heat, frost, spoilt goods", (), ("hil/test_loads.py::test_when_the_controller_is_killed_the_switch_goes_off_by_its_own_timer", "hil/test_loads.py::test_the_emergency_stop_switches_all_loads_off"), (), "the load's own thermostat and limiter; no safety rests on a load"),
    )
)

_CYCLE, _WRITTEN, _FOLLOW = "control/test_cycle.py", "devices/test_written_point.py", "devices/test_power_follow_up.py"
_PRECHARGE, _CONNECTION, _LATCH = "devices/contactor/test_precharge.py", "control/connection/test_connection.py", "runtime/test_latch_file.py"

FAILURE_MODES: tuple[FailureMode, ...] = tuple(
    FailureMode(row=row, hazards=hazards, cause=cause, effect=effect, tests=tests)
    for row, hazards, cause, effect, tests in (
        ("data_old", ("H11",), "a bus that is slow or loaded", "control acts on what was", ("hil/test_device_faults.py::test_old_data_derate_before_they_are_lost",)),
        ("data_missing", ("H11",), "a device that was never reached: wiring, address", "control acts on nothing", ("safety/test_data_age.py::test_what_was_never_read_is_lost_and_permits_nothing",)),
        ("data_lost", ("H11",), "cable, supply, a device that hangs or boots", "limits are passed unseen", ("hil/test_device_faults.py::test_a_can_bus_that_falls_silent_derates_then_stops_then_comes_back",)),
        ("data_bad", ("H11",), "a sensor, a register map, a bit", "a limit is compared with nonsense", ("safety/test_data_age.py",)),
        ("data_frozen", ("H11", "H4"), "a converter or meter that repeats itself", "the battery follows a load that is not there, for hours", ("safety/test_frozen_data.py::test_what_is_told_is_the_device_and_since_when",)),
        ("data_slow", ("H11",), "a meter that tells every ten seconds", "control lags behind", ("safety/test_frozen_data.py::test_a_slow_meter_is_told_and_nothing_else",)),
        ("data_gone", ("H11", "H6"), "a device without supply", "nobody sees whether power flows", ("hil/test_integrated.py::test_when_it_falls_silent_all_that_it_told_is_lost_and_the_contactor_opens",)),
        ("cycle_gap", ("H10",), "a computer that was asleep, overloaded or stopped", "two are in command: controller and watchdog", (f"{_CYCLE}::test_a_gap_is_one_beyond_the_watchdogs_time_or_backwards_and_says_how_long",)),
        ("setpoint_ignored", ("H9",), "firmware, a mode of the device's own, write protection", "power goes on that nobody wants", ("devices/test_bms_wrapper.py::test_a_bms_that_does_not_store_the_power_is_found_after_three_tries",)),
        ("export_limit_ignored", ("H8",), "firmware", "more is exported than paid for or permitted", (f"{_CYCLE}::test_an_inverter_that_ignores_its_export_limit_is_logged_and_trips_nothing",)),
        ("pv_switch_ignored", ("H8",), "firmware", "PV stays on or off", (f"{_CYCLE}::test_an_inverter_that_ignores_its_pv_switch_is_logged_and_trips_nothing",)),
        ("setpoint_overwritten", ("H9",), "a device that started anew, another master", "power jumps", (f"{_WRITTEN}::test_another_master_is_overruled_at_once_noted_and_the_third_time_the_site_trips",)),
        ("second_writer", ("H9",), "a cloud, an app, another controller", "two masters fight", (f"{_WRITTEN}::test_another_master_is_overruled_at_once_noted_and_the_third_time_the_site_trips",)),
        ("under_delivery", ("H9",), "a derating of the device's own, a cell limit", "less than planned", (f"{_FOLLOW}::test_each_witness_is_judged_by_its_own_samples_alone",)),
        ("command_held", ("H9",), "a gap between what is permitted and what is written", "the site does nothing, and nobody knows why", ("control/storage/test_held_command.py::test_it_is_found_after_two_seconds",)),
        ("over_delivery", ("H4", "H9"), "an inverter that does not obey", "over-current", (f"{_FOLLOW}::test_three_of_the_last_five_samples_prove_it_and_the_worst_that_three_show_counts",)),
        ("power_unseen", ("H11", "H4"), "inverter and BMS silent at once", "whatever flows, flows on", ("devices/test_unseen_power.py::test_power_that_nobody_sees_trips_after_the_revert_time_and_5_s_at_the_least",)),
        ("wrong_sign", ("H9", "H1", "H2"), "wiring, a table with the wrong sign", "a full battery is charged", (f"{_FOLLOW}::test_a_fault_that_turns_into_another_begins_anew",)),
        ("contactor_stuck", ("H5", "H6"), "coil, supply, spring, feedback", "no opening when it counts", (f"{_PRECHARGE}::test_a_feedback_that_does_not_come_within_five_seconds_trips",)),
        ("contactor_dropped", ("H5",), "coil or supply fails under load", "an arc; closed again under load it welds", (f"{_CYCLE}::test_a_contactor_that_falls_open_under_load_ends_the_run_and_is_not_closed_again",)),
        ("contactor_welded", ("H5", "H6"), "inrush, a break under load", "the pack stays connected though it shows open", (f"{_PRECHARGE}::test_a_link_that_stays_at_the_packs_voltage_shows_a_weld",)),
        ("precharge_failed", ("H5",), "resistor burnt, link shorted or loaded", "inrush into the link: welding", ("hil/test_precharge.py::test_a_real_site_precharges_runs_and_locks_out_when_the_resistor_is_burnt",)),
        ("precharge_waits", ("H5",), "a link that keeps its charge", "a precharge that proves nothing", (f"{_PRECHARGE}::test_while_it_waits_for_the_link_to_discharge_that_is_said",)),
        ("contactor_worn", ("H5", "H13"), "age", "it welds, or does not close", ("devices/contactor/test_life.py::test_what_is_told_of_a_contactor_and_since_when",)),
        ("wear_unknown", ("H13",), "a file that was lost or changed", "nobody knows when to replace it", ("runtime/test_wear_file.py::test_a_corrupt_file_is_a_finding_over_restarts_and_the_site_runs",)),
        ("soc_understated", ("H1",), "a BMS that counts wrongly", "it is fuller than it says", ("safety/test_plausibility.py::test_it_is_off_since_it_began_and_no_longer_once_it_fits",)),
        ("soc_overstated", ("H2",), "a BMS that counts wrongly", "it is emptier than it says", ("safety/test_plausibility.py::test_it_is_off_since_it_began_and_no_longer_once_it_fits",)),
        ("voltage_stuck", ("H1", "H2", "H11"), "a sensor that hangs", "limits of voltage see nothing", ("safety/test_plausibility.py::test_a_voltage_that_does_not_move_with_the_current_is_found",)),
        ("write_budget", ("H13",), "setpoints written too often", "the device's memory wears out", ("devices/test_write_budget.py::test_beyond_the_budget_only_what_takes_power_away_is_written",)),
        ("setpoint_oscillation", ("H9", "H13"), "a loop through the meter, two controllers", "power swings to and fro", ("safety/test_oscillation.py::test_ten_turns_in_half_a_minute_are_an_oscillation_and_nine_are_none",)),
        ("resistance_rising", ("H3", "H13"), "age, a joint that loosens", "heat where nobody measures", ("safety/test_resistance.py",)),
        ("resistance_doubled", ("H3",), "a loose joint, a cell at its end", "heat, fire", ("safety/test_resistance.py::test_what_was_repaired_clears_by_itself",)),
        ("island_contradicted", ("H8", "H12"), "a wrong bit of the inverter", "protections are off that should be on", ("safety/test_assessment.py::test_an_island_that_the_meter_denies_is_none_and_is_told",)),
        ("meter_sign_wrong", ("H8", "H9"), "a transformer put on the wrong way", "positive feedback: full power, one way", ("safety/test_meter_sign.py::test_four_of_five_steps_the_wrong_way_take_the_power_to_zero",)),
        ("import_missed", ("H8",), "a house that uses more than the fuse and the battery give", "the fuse", (f"{_CONNECTION}::test_more_help_than_there_is_is_told_and_not_asked_for",)),
        ("export_missed", ("H8",), "PV beyond what battery and limit take", "more is exported than permitted", (f"{_CONNECTION}::test_whose_limit_is_missed_is_told_of_each_direction",)),
        ("mean_import_missed", ("H8", "H13"), "a quarter of an hour that began too high", "a peak that is paid for a year", (f"{_CONNECTION}::test_what_the_battery_cannot_hold_of_the_mean_is_told_before_the_interval_ends",)),
        ("phases_unseen", ("H8",), "a meter that tells only the sum", "one phase is overloaded while the sum is well", (f"{_CONNECTION}::test_phases_that_cannot_be_read_leave_the_limit_of_their_sum",)),
        ("operator_limits", ("H8",), "the grid operator dims the site", "none: it is on record", (f"{_CONNECTION}::test_what_he_says_holds_and_without_a_word_nothing_does",)),
        ("operator_unheard", ("H8",), "the operator's box is silent", "his limit is not kept", (f"{_CONNECTION}::test_nobody_hears_of_him_any_more",)),
        ("repeated_fault", ("H1", "H2", "H3", "H4"), "a cause that was never mended", "a seesaw that damages a little each time", ("safety/test_assessment.py::test_a_fault_that_keeps_coming_back_trips_while_power_may_flow_and_narrows_at_once",)),
        ("repeated_near_limit", ("H1", "H2", "H3", "H4"), "settings too near to the limit", "damage by and by", ("safety/test_escalation.py::test_an_owner_with_two_counts_has_one_finding_since_the_first_that_names_both",)),
        ("load_silent", ("H14",), "a switch without supply or network", "a load stays as it was", ("hil/test_loads.py::test_a_load_switch_that_fails_on_its_wire_does_not_touch_the_battery",)),
        ("crash_loop", ("H10",), "a defect, a disk that fails", "the site is started and dropped again and again", ("runtime/test_crash_loop.py::test_the_sixth_start_after_five_crashes_is_locked_out",)),
        ("latch_file_corrupt", ("H6", "H10"), "a disk that fails, somebody's hand", "a latched stop is forgotten", (f"{_LATCH}::test_any_changed_byte_is_corrupt_and_means_error", f"{_LATCH}::test_a_site_whose_latches_were_deleted_starts_in_error_until_service_resets_it")),
        ("control_exception", ("H10",), "a defect of Holdfast", "no decision in this cycle", ("runtime/test_latch_keeper.py::test_a_failed_cycle_is_answered_and_recorded_after_its_latch_is_on_disk",)),
    )
)
# fmt: on
