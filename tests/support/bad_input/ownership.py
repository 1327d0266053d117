"""A study owns what it writes: nothing of another one is adopted, nothing is lost unsaid."""

from __future__ import annotations

from pathlib import Path

import optuna

from study.settings.study_folder import sqlite_url
from tests.support.bad_input.case import Case, Line, existing, flags, going_on, nobody_listens

_LOSSES = "tests/study/tracking/test_losses.py"
_OWNERSHIP = "tests/study/driver/test_ownership.py"
_LOCK = "tests/study/driver/test_driver_lock.py"
_MOVED = "tests/study/driver/test_moved_folder.py"
_SMALL = ("--architectures", "[unet]")


def _foreign_ledger(folder: Path) -> list[str]:
    """A database in which Optuna has a study that is called like the first cell."""
    url = sqlite_url(folder / "optuna.db")
    optuna.create_study(study_name="mine/scenes/unet", storage=url)
    return ["demo", "--name", "mine", *_SMALL, "--ledger", url]


def _foreign_storage(folder: Path) -> list[str]:
    """A folder with a trial of an earlier version, which carried no identity."""
    trial = folder / "shared" / "demo" / "trials" / "fruit" / "unet" / "0"
    trial.mkdir(parents=True)
    (trial / "weights.safetensors").write_text("x")
    return ["demo", *_SMALL, "--storage", str(folder / "shared")]


def _empty_ledger(folder: Path) -> list[str]:
    words = going_on()(folder)
    (folder / "runs" / "mine" / "ledger.db").write_bytes(b"")
    return words


def _one_database(folder: Path) -> list[str]:
    url = sqlite_url(folder / "all.db")
    return ["demo", "--ledger", url, "--tracking.uri", url]


def _one_database_by_two_names(folder: Path) -> list[str]:
    return [
        "demo",
        "--ledger",
        sqlite_url(folder / "all.db"),
        "--tracking.uri",
        f"sqlite:///{folder}/x/../all.db",
    ]


LINES = [
    Line(
        "another study's results are published as this one's",
        [
            "tests/study/driver/test_two_studies.py::test_the_results_of_one_are_never_the_others",
            f"{_OWNERSHIP}::test_a_second_study_of_the_name_is_refused_before_anything_is_written",
            f"{_OWNERSHIP}::test_resume_refuses_what_belongs_to_another_study",
        ],
        [
            Case("a ledger in which another program has a study of the name", _foreign_ledger, "belongs to"),
            Case("a storage with trials of nobody", _foreign_storage, "holds files that belong to another"),
            f"{_OWNERSHIP}::test_a_registered_model_of_another_study_is_refused",
            f"{_OWNERSHIP}::test_delivery_and_reading_refuse_another_studys_experiment",
        ],
    ),
    Line(
        "what MLflow or the outbox lost",
        [
            f"{_LOSSES}::test_results_for_a_deleted_experiment_wait_and_arrive_when_it_is_restored",
            f"{_LOSSES}::test_a_new_database_receives_the_whole_journal",
            f"{_LOSSES}::test_a_deleted_run_is_told_and_delivered_again",
            f"{_LOSSES}::test_a_removed_journal_is_told_at_the_next_event",
            "tests/study/driver/test_lost_events.py::test_what_the_ledger_holds_is_recorded_again_and_nothing_twice",
        ],
        [
            f"{_LOSSES}::test_an_experiment_deleted_while_results_arrive_sets_nothing_aside",
            "tests/study/tracking/test_delivery.py::test_another_destination_gets_everything",
            "tests/study/driver/test_lost_events.py::test_sync_says_so_when_the_outbox_is_gone",
        ],
    ),
    Line(
        "a moved or copied study",
        [
            f"{_MOVED}::test_a_copied_study_is_read_where_it_lies",
            f"{_MOVED}::test_a_copied_study_goes_on_where_it_lies",
            f"{_MOVED}::test_a_copied_champion_is_loaded_by_its_address_alone",
        ],
        [
            f"{_MOVED}::test_a_link_to_the_folder_is_no_other_folder",
            f"{_OWNERSHIP}::test_a_removed_folder_leaves_its_shared_storage_to_whom_it_belongs",
        ],
    ),
    Line(
        "a lost ledger and --resume",
        [
            Case("the ledger was removed", going_on(), "does not hold"),
            f"{_OWNERSHIP}::test_a_lost_ledger_is_refused",
            "tests/study/training/test_origin.py::test_a_checkpoint_of_another_study_configuration_or_seed_is_refused",
        ],
        [
            Case("the ledger is empty", _empty_ledger, "does not hold"),
            Case("another ledger", going_on("--ledger", "sqlite:////nowhere/x.db"), "does not hold"),
            "tests/study/training/test_origin.py::test_pretrained_weights_and_evaluations_of_another_study_are_refused",
        ],
    ),
    Line(
        "two drivers on one ledger",
        [
            f"{_LOCK}::test_a_second_driver_is_refused_until_the_first_is_dead",
            f"{_LOCK}::test_numbers_are_given_by_the_database",
        ],
        [
            f"{_LOCK}::test_one_of_two_drivers_that_start_at_once_is_refused",
            f"{_LOCK}::test_a_lease_that_ran_out_is_taken_over_and_the_first_holder_writes_no_more",
        ],
    ),
    Line(
        "addresses that are relative, and nodes that do not see the storage",
        [
            "tests/study/settings/test_addresses.py::test_relative_addresses_are_absolute_before_a_study_begins",
            "tests/cluster/test_blind_node.py::test_a_node_that_does_not_see_the_storage_gets_no_trial",
        ],
        [
            "tests/study/backend/test_ready_nodes.py::test_a_node_that_joins_gets_trials_once_it_has_answered",
            "tests/study/backend/test_ready_nodes.py::test_a_node_that_sees_nothing_is_told_once_and_left_out",
        ],
    ),
    Line(
        "a proxy's answer, an artifact that is too large, a torn line",
        [
            f"{_LOSSES}::test_a_proxys_own_page_is_no_refusal",
            f"{_LOSSES}::test_an_artifact_that_is_too_large_is_set_aside_alone",
            f"{_LOSSES}::test_a_damaged_line_is_skipped_and_named",
            "tests/study/driver/test_two_studies.py"
            "::test_a_study_whose_tracker_is_gone_ends_with_table_report_and_exit_code_1",
        ],
        [
            f"{_LOSSES}::test_what_counts_as_a_refusal",
            f"{_LOSSES}::test_a_dead_proxy_is_named",
        ],
    ),
    Line(
        "failed trials, finals and continuations are tried again",
        [
            "tests/study/driver/test_retry.py"
            "::test_a_cell_that_stopped_goes_on_with_the_same_configurations_and_seeds",
            "tests/study/driver/test_retry.py::test_failed_finals_and_continuations_are_tried_again",
        ],
        [
            "tests/study/driver/test_retry.py::test_a_diverged_trial_stays_failed",
            Case("failed trials of a study that begins", flags("--retry-failed"), "--resume"),
        ],
    ),
    Line(
        "longer budgets, opening configurations, epochs that shrink, a U-Net that is not there",
        [
            "tests/study/search/test_pruners.py"
            "::test_by_default_the_better_half_passes_a_quarter_and_a_half_of_the_epochs",
            "tests/study/search/test_search_space.py::test_what_a_search_begins_with_is_what_lies_in_the_space",
            Case(
                "fewer epochs for a cell",
                going_on("--budget.epochs_for", "{fruit/unet: 1}"),
                "only grow",
            ),
            "tests/study/settings/test_space.py"
            "::test_without_a_pretrained_network_its_option_is_left_out_even_if_it_was_the_only_one",
            Case(
                "a cluster that is off leaves no study",
                flags("--ray-address", nobody_listens()),
                "--ray-address",
            ),
        ],
        [
            "tests/study/driver/test_resume.py"
            "::test_epochs_may_not_grow_under_a_schedule_that_ends_with_them",
            Case(
                "fewer replicates", existing("--resume", "--name", "mine", "--replicates", "1"), "only grow"
            ),
        ],
    ),
    Line(
        "GPUs that join, workers that hang",
        [
            "tests/study/backend/test_capacity.py::test_a_node_that_joins_is_noticed",
            "tests/study/backend/test_hung_worker.py::test_a_stopped_process_is_replaced",
        ],
        [
            "tests/study/backend/test_watch.py::test_short_epochs_and_unknown_ones_get_time",
            "tests/study/backend/test_watch.py"
            "::test_a_slow_worker_that_reports_again_is_told_and_becomes_the_measure",
        ],
    ),
    Line(
        "a database that fails at a trial's end; a killed publishing",
        [
            "tests/study/tracking/test_told_last.py::test_what_is_told_last_wins_in_both",
            "tests/study/deployment/test_registry.py"
            "::test_a_model_whose_upload_was_killed_is_removed_so_that_it_is_uploaded_again",
        ],
        [
            "tests/study/search/test_kills.py"
            "::test_a_study_killed_at_any_write_and_continued_ends_with_the_same_trials",
            "tests/study/driver/test_ownership.py"
            "::test_a_study_that_was_stopped_in_the_middle_of_beginning_begins_again",
        ],
    ),
    Line(
        "ledger and MLflow in one database; paths in addresses",
        [
            Case("one database for both", _one_database, "one database"),
            f"{_MOVED}::test_a_home_that_a_database_address_cannot_hold_is_refused",
        ],
        [
            Case("one database by two paths", _one_database_by_two_names, "one database"),
            Case(
                "one PostgreSQL database for both",
                flags("--ledger", "postgresql+psycopg://me@db/x", "--tracking.uri", "postgresql://db:5432/x"),
                "one database",
            ),
        ],
    ),
    Line(
        "a finished study is extended",
        ["tests/study/driver/test_resume.py::test_a_study_interrupted_finished_repeated_and_extended"],
        [
            f"{_OWNERSHIP}::test_a_study_goes_on_with_more_replicates_than_its_ledger_holds",
            "tests/study/driver/test_resume.py::test_a_second_driver_of_the_same_study_is_refused_by_name_of_the_first",
        ],
    ),
]
