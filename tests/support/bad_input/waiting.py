"""Nothing hangs, and everything says what it waits for."""

from __future__ import annotations

from tests.support.bad_input.case import Case, Line, flags

_RAY = "tests/study/backend/test_local_ray.py"
_WATCH = "tests/study/backend/test_watch.py"

LINES = [
    Line(
        "resources that are nowhere",
        [
            Case(
                "more CPUs than there are",
                flags("--resources.cpus_per_trial", "100000", "--dry-run"),
                "this machine has",
            ),
            Case(
                "half a GPU where there is none",
                flags("--resources.gpus_per_trial", "0.5", "--dry-run"),
                "no GPU",
                environment={"CUDA_VISIBLE_DEVICES": ""},
            ),
            f"{_WATCH}::test_a_trial_without_room_is_explained_after_a_minute_and_when_the_cluster_changes",
        ],
        [
            Case("no CPU", flags("--resources.cpus_per_trial", "0"), "resources.cpus_per_trial"),
            Case(
                "two GPUs for a trial where there is none",
                flags("--resources.gpus_per_trial", "2", "--dry-run"),
                "no GPU",
                environment={"CUDA_VISIBLE_DEVICES": ""},
            ),
            Case(
                "one and a half GPUs for a trial",
                flags("--resources.gpus_per_trial", "1.5", "--dry-run"),
                "a whole number",
            ),
            Case("no trial at a time", flags("--resources.max_concurrent_trials", "0"), "max_concurrent"),
        ],
    ),
    Line(
        "Ray that does not start",
        [
            f"{_RAY}::test_a_temporary_folder_that_is_too_long_is_named",
            f"{_RAY}::test_a_temporary_folder_that_is_none_is_named",
            f"{_RAY}::test_a_start_that_times_out_is_tried_once_more",
        ],
        [
            Case("a cluster's address without a port", flags("--ray-address", "localhost"), "--ray-address"),
            Case("a port that is none", flags("--ray-address", "localhost:99999"), "--ray-address"),
        ],
    ),
    Line(
        "a full disk",
        [
            "tests/study/driver/test_faults.py"
            "::test_a_full_disk_ends_the_driver_with_a_sentence_and_the_study_goes_on_when_there_is_room",
            "tests/study/storage/test_storage.py"
            "::test_files_are_staged_where_they_are_going_and_nothing_of_a_killed_writer_stays",
        ],
        [
            "tests/data_utils/test_array_cache.py::test_a_full_disk_is_named_and_leaves_nothing",
            "tests/data_utils/test_interrupted_preparation.py"
            "::test_a_disk_with_too_little_room_is_told_before_anything_is_decoded",
        ],
    ),
    Line(
        "a line or a bar while one waits",
        ["tests/study/driver/test_live_table.py::test_the_table_shows_epochs_and_what_a_cell_waits_for"],
        [
            "tests/study/driver/test_live_table.py"
            "::test_the_time_left_is_told_from_the_start_and_follows_what_trials_take",
            f"{_WATCH}::test_a_worker_that_stops_is_told_then_ended_and_watched_anew",
        ],
    ),
]
