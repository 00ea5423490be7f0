"""EN 18031-1, its mechanisms. It is written for radio equipment that reaches the internet."""

from tests.security.requirement import Answer, rows

_MET, _PARTLY, _NO, _ELSEWHERE = Answer
_ROUTES = "api/auth/test_routes.py"

# fmt: off
EN_18031 = rows(
    ("ACM-1", 1, "access to what is worth guarding is controlled", _MET, "as CR 2.1", ("api/test_rights.py::test_the_table_has_every_operation_and_no_other",)),
    ("ACM-2", 1, "nobody gets more than his part", _MET, "roles, and tokens that never exceed their owner", ("api/test_access.py::test_whoever_has_a_role_may_do_what_those_before_it_may", "api/auth/test_tokens.py::test_a_list_of_rights_narrows_and_never_widens")),
    ("AUM-1", 1, "network and user interfaces authenticate", _MET, "all but stops, health and metrics, by decision", (f"{_ROUTES}::test_each_role_may_do_what_the_table_says", "api/test_reads.py::test_health_is_of_the_site_and_needs_no_login")),
    ("AUM-2", 1, "with at least one factor that fits", _MET, "password, with an app or not, passkey, token, single sign-on", (f"{_ROUTES}::test_an_authenticator_app_is_asked_for_once_it_has_shown_a_code",)),
    ("AUM-3", 1, "what is shown is validated whole", _MET, "also against noise", ("api/auth/test_passkeys.py::test_an_answer_that_was_tampered_with_is_refused", "api/auth/test_passwords.py::test_a_hash_that_is_none_lets_nobody_in")),
    ("AUM-4", 1, "authenticators can be changed", _MET, "each of them, by its owner", ("ui/test_settings_page.py::test_a_password_is_changed_with_the_old_one",)),
    ("AUM-5", 1, "no default password, or one of the device's own that has to be changed", _MET, "there is none, and none can be skipped: without an account nobody changes anything", ("api/auth/test_setup_code.py::test_it_makes_the_first_admin_once", "api/test_access.py::test_anybody_may_stop_and_nothing_else")),
    ("AUM-6", 1, "guessing is held up", _MET, "as CR 1.11", ("api/auth/test_attempt_limit.py::test_from_one_address_all_accounts_together_are_limited",)),
    ("SUM-1", 1, "there is a way to update", _MET, "in two slots, and back by itself where a site is not well", ("deployment/update/test_update.py::test_the_next_release_runs_in_the_other_slot_and_the_one_before_is_kept", "deployment/update/test_update.py::test_a_release_that_is_not_well_is_left_and_not_tried_again",)),
    ("SUM-2", 1, "an update is checked for integrity and origin before it is installed", _MET, "by the framework for updates of TUF: signature, digest, age, version", ("deployment/update/test_update.py::test_what_is_not_signed_now_by_who_is_trusted_is_refused", "deployment/update/test_update.py::test_an_older_release_is_never_gone_to", "deployment/update/test_update.py::test_what_was_there_before_is_not_believed_again",)),
    ("SUM-3", 1, "it can be automated, or needs little of a person", _MET, "one command, which a timer may give; it waits for a site that runs", ("deployment/update/test_update.py::test_it_waits_for_a_site_that_runs_and_keeps_what_it_was",)),
    ("SSM-1", 1, "what is worth guarding is stored safely", _MET, "in a folder of its owner's alone, without links", ("site/test_own_folder.py::test_a_link_in_it_is_refused_and_named",)),
    ("SSM-2", 1, "its integrity is guarded", _MET, "check sums, chain of hashes", ("monitoring/audit/test_verify.py::test_any_byte_changed_put_in_or_taken_out_is_found", "api/auth/test_account_store.py::test_a_file_that_cannot_be_trusted_closes_and_stays")),
    ("SSM-3", 1, "its confidentiality is guarded", _PARTLY, "hashes where that will do; the secret of an authenticator app and the key of the certificate are readable by the owner", ("api/auth/test_sessions.py::test_what_lies_on_the_disk_opens_nothing", "api/auth/test_tls.py::test_the_key_is_for_its_owner_alone")),
    ("SCM-1", 1, "communication is secured where it matters", _PARTLY, "TLS is one line of site.yaml and off on this computer itself; devices on the field bus have none", ("api/auth/test_tls.py::test_who_trusts_our_own_certificate_can_use_each_name_of_this_computer",)),
    ("SCM-2", 1, "its integrity and authenticity", _PARTLY, "as SCM-1", ("site/test_api_doubts.py::test_who_lets_the_network_in_without_tls_is_asked_whether_he_means_it",)),
    ("SCM-3", 1, "its confidentiality", _PARTLY, "as SCM-1", ()),
    ("SCM-4", 1, "what is replayed does nothing", _MET, "commands have a nonce, a sequence and an age", ("runtime/test_admission.py::test_whatever_is_sent_no_message_is_admitted_twice", "api/test_freshness.py::test_whatever_is_sent_no_command_is_taken_twice")),
    ("RLM-1", 1, "it withstands a flood and comes back", _MET, "as CR 7.1", ("runtime/test_guests.py::test_one_who_floods_waits_and_nobody_else", "api/test_live.py::test_who_does_not_read_is_cut_and_others_see_all")),
    ("NMM-1", 1, "network devices watch traffic", _ELSEWHERE, "asked of what hands traffic on, which Holdfast does not", ()),
    ("TCM-1", 1, "network devices limit traffic", _ELSEWHERE, "as NMM-1", ()),
    ("CCK-1", 1, "keys are strong", _MET, "P-256, and random secrets of 128 bits and more", ("api/auth/test_tls.py::test_it_lasts_two_years_and_stays_until_its_last_month",)),
    ("CCK-2", 1, "keys are made well", _MET, "by `cryptography` and `secrets`", ("api/auth/test_tls.py::test_a_key_that_is_anothers_is_made_anew", "web/test_web_push.py::test_a_key_is_new_each_time_and_no_other_kind_is_taken")),
    ("CCK-3", 1, "no key is the same on two devices", _MET, "each is made at its site, and nothing is shipped", ("api/auth/test_setup_code.py::test_it_is_the_same_for_who_looks_again_and_another_one_a_day_later",)),
    ("GEC-1", 1, "no known vulnerability that can be exploited", _PARTLY, "the lock is scanned where advisories can be reached, and said to be not scanned where not; a release asks for a scan", ("release/test_vulnerabilities.py::test_without_data_it_says_so_and_is_not_clean", ".ci/vulnerabilities")),
    ("GEC-2", 1, "few services are exposed", _MET, "by default none beyond this computer", ("core/config/test_api.py::test_without_it_nobody_comes_in_from_outside",)),
    ("GEC-3", 1, "optional services can be switched on and off", _MET, "`api` and `gateway` in site.yaml", ("docs/configuration.md",)),
    ("GEC-4", 1, "what is exposed is documented", _MET, "two ports, and what answers there", ("docs/api.md", "docs/emergency.md")),
    ("GEC-5", 1, "no interface that nobody needs", _MET, "sockets are the owner's alone; no debug port", ("runtime/test_control_socket.py::test_only_the_owner_may_open_the_socket",)),
    ("GEC-6", 1, "input is validated", _MET, "as CR 3.5", ("api/test_schema.py::test_every_answer_is_one_that_is_described", "fuzz/table.py")),
    ("CRY-1", 1, "best practice in cryptography", _MET, "as CR 4.3", ("docs/decisions/0030-who-asks.md",)),
)
# fmt: on
