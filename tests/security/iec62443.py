"""IEC 62443-4-2, all component requirements, and those of applications and host devices."""

from tests.security.requirement import Answer, rows

_MET, _PARTLY, _NO, _ELSEWHERE = Answer
_ROUTES, _PASS, _TOKENS = (
    "api/auth/test_routes.py",
    "api/auth/test_passwords.py",
    "api/auth/test_tokens.py",
)
_SOCKET, _ADMIT, _GUESTS = (
    "runtime/test_control_socket.py",
    "runtime/test_admission.py",
    "runtime/test_guests.py",
)
_FOLDER, _VERIFY = "runtime/audit/test_folder.py", "monitoring/audit/test_verify.py"

# fmt: off
IEC_62443 = rows(
    ("CR 1.1", 1, "people are identified and authenticated, and emergency actions are not held up by it", _MET, "accounts for pages and API; a stop asks for nothing, whoever asks", (f"{_ROUTES}::test_each_role_may_do_what_the_table_says", f"{_ROUTES}::test_whoever_asks_and_whatever_is_wrong_with_him_may_stop", "api/test_access.py::test_anybody_may_stop_and_nothing_else", "hil/test_emergency_interface.py::test_one_press_takes_a_running_site_to_zero_and_says_what_was_seen")),
    ("CR 1.2", 2, "programs and devices are identified and authenticated", _PARTLY, "programs have tokens, and the kernel tells whose process is at the socket; Modbus, CAN and most meters know no identity", (f"{_ROUTES}::test_a_program_comes_in_with_its_token_and_does_what_it_may", f"{_SOCKET}::test_root_or_the_owner_is_who_the_kernel_says")),
    ("CR 1.3", 1, "accounts can be added, changed and removed", _MET, "on the page and by `holdfast users`", (f"{_ROUTES}::test_an_admin_manages_who_has_access", "cli/test_users_command.py::test_an_account_that_is_added_here_counts_at_once_there")),
    ("CR 1.4", 1, "identifiers by user, role or group", _MET, "a name is one account's, and a removed one's sessions do not come back with it", ("api/auth/test_account_store.py::test_two_accounts_of_one_name_are_none", f"{_ROUTES}::test_one_who_comes_back_under_an_old_name_has_not_the_old_sessions")),
    ("CR 1.5", 1, "authenticators: no default that stays, changed, kept from others", _MET, "there is no default password: a set-up code of the site's own makes the first admin, once; hashes and random keys", ("api/auth/test_setup_code.py::test_it_makes_the_first_admin_once", f"{_ROUTES}::test_a_new_password_ends_all_sessions_but_the_one_it_was_given_in", f"{_PASS}::test_it_is_argon2id_and_fit_for_a_small_computer", "api/auth/test_tls.py::test_the_key_is_for_its_owner_alone")),
    ("NDR 1.6", 1, "wireless access is identified", _ELSEWHERE, "Holdfast has no radio; the computer's wireless network is its owner's", ()),
    ("CR 1.7", 1, "passwords have a strength", _MET, "10 to 200 characters, not the name, not easily guessed", (f"{_PASS}::test_a_password_that_is_easily_guessed_is_refused_with_what_would_do",)),
    ("CR 1.8", 2, "certificates of a public key infrastructure can be used", _MET, "a certificate of one's own for the pages", ("api/auth/test_tls.py::test_one_that_somebody_else_made_is_shown_as_it_is",)),
    ("CR 1.9", 2, "public keys are checked whole: signature, chain, revocation", _PARTLY, "single sign-on checks signature, issuer, audience and time; revocation of certificates is not looked up", ("api/auth/test_oidc.py::test_a_signature_of_somebody_else_is_none",)),
    ("CR 1.10", 1, "a login tells nothing that helps to guess", _MET, "wrong name and wrong password are told alike, and cost alike", (f"{_ROUTES}::test_wrong_name_and_wrong_password_are_told_alike", f"{_PASS}::test_who_is_not_known_is_checked_against_a_hash_as_costly")),
    ("CR 1.11", 1, "wrong tries are limited, and that keeps nobody from what is essential", _MET, "the wait doubles; the owner is not locked out, and a stop needs no login", ("api/auth/test_attempt_limit.py::test_the_wait_doubles_with_each_mistake_and_has_an_end", "api/auth/test_attempt_limit.py::test_a_stranger_locks_out_neither_who_is_known_nor_who_comes_for_the_first_time")),
    ("CR 1.12", 1, "a notice of the owner's is shown before a login", _NO, "no such text can be configured", ()),
    ("NDR 1.13", 1, "access from networks that are not trusted is watched", _ELSEWHERE, "asked of network devices; the API listens on this computer alone until site.yaml says otherwise", ("core/config/test_api.py::test_without_it_nobody_comes_in_from_outside",)),
    ("CR 1.14", 2, "symmetric keys are strong and kept from others", _MET, "secrets are random, of 128 bits and more, and kept as hashes", (f"{_TOKENS}::test_it_is_found_by_its_secret_alone_and_kept_as_a_hash",)),
    ("CR 2.1", 1, "what somebody may do is enforced for all who ask", _MET, "one table of rights; each route names one", ("api/test_rights.py::test_the_table_has_every_operation_and_no_other", "api/test_rights.py::test_who_lacks_the_right_is_refused_and_nobody_else")),
    ("CR 2.2", 1, "wireless use is controlled", _ELSEWHERE, "Holdfast has no radio", ()),
    ("CR 2.3", 1, "portable devices", _ELSEWHERE, "the standard asks it of systems, not of components", ()),
    ("SAR 2.4", 1, "mobile code is controlled", _MET, "pages run only what is served with them; rules are a bounded language without access to anything", ("ui/test_built.py::test_the_root_is_the_page_under_a_strict_policy", "api/test_docs.py::test_the_page_shows_every_operation_and_rests_on_nothing_from_elsewhere")),
    ("CR 2.5", 1, "a session is locked or ends without use", _MET, "after 8 hours without use; at logout at once", (f"{_ROUTES}::test_a_session_ends_without_use",)),
    ("CR 2.6", 2, "a remote session can be ended", _MET, "by its owner and by an admin, one by one or all; tokens too", (f"{_ROUTES}::test_sessions_are_listed_and_end_one_by_one_and_all",)),
    ("CR 2.7", 3, "sessions at once are limited", _MET, "so many an account, then the oldest ends; so many connections a process", ("api/auth/test_sessions.py::test_of_too_many_the_one_that_was_not_used_for_longest_ends", f"{_GUESTS}::test_a_process_has_so_many_connections_and_all_together_too")),
    ("CR 2.8", 1, "events are recorded with time, source, category, type, number and result", _MET, "each line of the audit log has number, time and kind; category, source and result follow from it (`holdfast audit show --category`)", ("client/test_audit_category.py::test_all_eight_categories_occur", "client/test_audit_category.py::test_every_kind_of_event_has_category_source_and_result", f"{_ROUTES}::test_who_may_not_is_told_what_it_takes_and_it_is_on_record")),
    ("CR 2.9", 1, "the record has room, and what exceeds it fails softly", _MET, "200 MB; the oldest file goes, which is on record itself", (f"{_FOLDER}::test_the_log_rotates_stays_bounded_and_tells_what_it_deleted",)),
    ("CR 2.10", 1, "a record that fails takes no essential function with it, and is told", _MET, "control goes on; what was lost is counted and told", ("runtime/audit/test_writer.py::test_on_a_full_disk_the_status_says_so_and_lines_come_when_there_is_room", "runtime/audit/test_writer.py::test_an_observer_that_fails_costs_no_cycle")),
    ("CR 2.11", 1, "records have a time", _MET, "UTC and the time since the start, which no clock that is set changes", (f"{_VERIFY}::test_a_line_is_read_as_it_was_written",)),
    ("CR 2.12", 1, "it can be told whether somebody has done something", _PARTLY, "over pages and API by account; a command at the site's own computer is on record, but not by whom", (f"{_SOCKET}::test_what_operators_do_is_put_on_record_and_who_is_refused_all_the_time_is_counted",)),
    ("HDR 2.13", 2, "physical interfaces for diagnosis are guarded", _ELSEWHERE, "the computer's own", ()),
    ("CR 3.1", 1, "what is transmitted is guarded against change", _PARTLY, "TLS where it is switched on (site.yaml without it is doubted aloud), check sums on serial lines; Modbus TCP and CAN have no guard, so each write is read back and the power must follow", ("site/test_api_doubts.py::test_who_lets_the_network_in_without_tls_is_asked_whether_he_means_it", "devices/drivers/test_rtu_frame.py::test_a_changed_answer_is_none")),
    ("SAR 3.2", 1, "it is told how the application stands to protection from malicious code", _PARTLY, "it runs beside any scanner, and needs no exception; the page of installation does not say it yet", ()),
    ("CR 3.3", 1, "security functions can be checked in operation", _MET, "`holdfast check`, `holdfast audit verify`, /health; and all tests come with the source", ("cli/test_audit_command.py", "monitoring/test_health.py")),
    ("CR 3.4", 1, "changes of software and configuration are found", _PARTLY, "the digest of site.yaml and tables binds controller and watchdog, latches and accounts have check sums; a release is signed, but files that are installed are not checked again at the start", ("site/test_digest.py::test_any_edit_makes_it_another", "runtime/test_latch_file.py::test_any_changed_byte_is_corrupt_and_means_error", "release/test_signature.py::test_openssl_and_sha256sum_take_it_and_nothing_that_was_changed")),
    ("CR 3.5", 1, "whatever comes in is checked", _MET, "strict JSON and YAML, plausible readings, and 45 decoders under fuzzing", ("api/test_strict_json.py::test_what_is_no_strict_json_is_refused_with_the_reason", f"{_SOCKET}::test_each_line_has_one_answer_however_it_is_cut_and_noise_lets_no_power_flow", "fuzz/table.py")),
    ("CR 3.6", 1, "outputs go to a known state when operation fails", _MET, "0 W, inverter off, contactor open; the watchdog does it without the controller", ("hil/test_process_faults.py::test_a_killed_controller_is_replaced_by_the_watchdog_and_comes_back_to_idle", "faults/test_faults.py")),
    ("CR 3.7", 1, "errors tell nothing that helps an attacker", _MET, "errors have one shape, without traces and secrets", ("api/test_guard.py::test_a_path_that_leads_nowhere_is_told_in_the_shape_of_errors", "core/config/test_api.py::test_a_secret_that_stands_in_the_file_is_not_repeated")),
    ("CR 3.8", 2, "sessions cannot be taken over", _MET, "random, kept as hashes at the site, ended at logout", (f"{_ROUTES}::test_a_session_that_somebody_brought_along_is_not_the_one_that_logs_in", f"{_ROUTES}::test_a_cookie_that_was_stolen_is_worth_nothing_after_the_logout")),
    ("CR 3.9", 2, "the record is guarded against change and deletion", _PARTLY, "any change is found; whoever has the owner's rights may forge it whole, which only a hash kept elsewhere finds", (f"{_VERIFY}::test_every_alteration_of_every_single_byte_is_found", f"{_VERIFY}::test_a_line_that_was_noted_elsewhere_must_be_in_the_log")),
    ("HDR 3.10", 1, "updates are possible, and checked for where they come from", _MET, "two slots; what is not signed by those who are trusted, older or changed is refused, and what is not well is left again", ("deployment/update/test_update.py::test_what_is_not_signed_now_by_who_is_trusted_is_refused", "deployment/update/test_update.py::test_an_older_release_is_never_gone_to", "deployment/update/test_update.py::test_a_release_that_is_not_well_is_left_and_not_tried_again", "deployment/update/test_killed.py::test_an_updater_that_is_killed_leaves_what_runs_and_goes_on_at_the_next_run",)),
    ("HDR 3.11", 2, "physical tampering is made hard and found", _ELSEWHERE, "the computer's own", ()),
    ("HDR 3.12", 2, "roots of trust of the supplier", _ELSEWHERE, "the computer's own", ()),
    ("HDR 3.13", 2, "roots of trust of the owner", _ELSEWHERE, "the computer's own", ()),
    ("HDR 3.14", 1, "the boot is checked", _ELSEWHERE, "the computer's own: Holdfast begins after it", ()),
    ("CR 4.1", 1, "what is confidential is kept so, stored and sent", _PARTLY, "files for their owner alone, secrets as hashes or in the environment, TLS where it is switched on; the disk is not encrypted by Holdfast", ("site/test_own_folder.py::test_one_that_all_may_write_to_is_refused", "api/test_secrets_hidden.py::test_no_secret_is_left", "api/test_rights.py::test_who_may_not_change_site_yaml_sees_no_secret_in_it")),
    ("CR 4.2", 2, "what is confidential can be erased", _MET, "`holdfast factory-reset`, `holdfast personal-data wipe`; on flash memory the blocks themselves are not overwritten", ("deployment/test_erasing.py::test_a_reset_leaves_what_is_latched_and_what_tells_of_hardware", "site/test_file_kinds.py::test_what_is_about_persons_is_never_kept_at_a_reset")),
    ("CR 4.3", 1, "cryptography by recognised practice", _MET, "argon2id, SHA-256, P-256, TLS of the system's OpenSSL; nothing of our own but the chain of hashes", (f"{_PASS}::test_it_is_argon2id_and_fit_for_a_small_computer", "docs/decisions/0030-who-asks.md")),
    ("CR 5.1", 1, "it can live in networks that are segmented", _MET, "each address is configured; it needs nothing from outside, and prices and weather may be files", ("hil/test_operation.py::test_without_a_plan_the_battery_carries_the_house",)),
    ("NDR 5.2", 1, "zones have boundaries", _ELSEWHERE, "asked of network devices", ()),
    ("NDR 5.3", 1, "messages between persons are kept out", _ELSEWHERE, "asked of network devices", ()),
    ("CR 5.4", 1, "applications are apart", _ELSEWHERE, "the standard asks it of systems, not of components", ()),
    ("CR 6.1", 1, "who may, can read the record", _MET, "on the page, over the API and by `holdfast audit show`", ("api/test_incidents.py::test_the_log_is_told_page_by_page", "cli/test_audit_command.py")),
    ("CR 6.2", 2, "it can be watched all the time", _MET, "/metrics, /health, live streams", ("api/test_live.py::test_a_page_sees_how_it_is_and_each_change_at_once", "monitoring/test_metrics.py")),
    ("CR 7.1", 1, "what is essential goes on under a flood", _MET, "clients have bounds, stops a socket of their own", (f"{_GUESTS}::test_one_who_floods_waits_and_nobody_else", f"{_SOCKET}::test_stops_have_a_socket_of_their_own_that_takes_nothing_else", "ui/emergency_interface/test_seats.py::test_a_flood_turns_out_nobody_else")),
    ("CR 7.2", 1, "security functions do not exhaust the rest", _MET, "one hash at a time, at low priority; logs and history have bounds", (f"{_PASS}::test_one_is_checked_at_a_time_a_few_wait_and_the_rest_is_told_to_come_again", "monitoring/history/test_upkeep.py::test_the_file_stays_below_its_bound_and_the_oldest_seconds_go_first")),
    ("CR 7.3", 1, "the state can be backed up, without holding up operation", _MET, "all of a site in one file while it runs; verified before it is put back", ("deployment/backup/test_backup.py::test_a_running_site_is_backed_up_and_runs_from_what_was_put_back", "deployment/backup/test_backup.py::test_what_cannot_be_trusted_is_refused_and_nothing_is_written",)),
    ("CR 7.4", 1, "it comes back to a known state after a failure", _MET, "through BOOT and its self-test, with what was latched", ("runtime/test_torn_files.py::test_a_file_torn_at_any_byte_leads_to_a_safe_start", "hil/test_process_faults.py::test_sigterm_ends_the_same_way_and_latches_outlive_it")),
    ("CR 7.5", 1, "emergency power", _ELSEWHERE, "the standard asks it of systems, not of components", ()),
    ("CR 7.6", 1, "the settings of network and security can be seen and set", _MET, "site.yaml, checked whole; the page shows and changes it", ("api/test_config_file.py::test_a_check_tells_what_changes_and_what_is_wrong_or_doubtful", "docs/configuration.md")),
    ("CR 7.7", 1, "what is not needed can be switched off", _MET, "API and gateway are off or local by default; a device is only what site.yaml names", ("core/config/test_api.py::test_without_it_nobody_comes_in_from_outside",)),
    ("CR 7.8", 2, "what is installed can be told", _MET, "a bill of materials with each release; `holdfast --version`", ("release/test_sbom.py::test_every_part_is_in_it_with_version_licence_and_address",)),
)
# fmt: on
