"""Dry runs and messages."""

from __future__ import annotations

from study.export_onnx import main as export_onnx
from study.launch import main as launch
from tests.support.bad_input.case import Case, Line, flags, images, nobody_listens, picture

_TABLE = "tests/study/driver/test_live_table.py"
_PREFLIGHT = "tests/study/driver/test_preflight.py"
_DEAD = f"http://{nobody_listens()}"
_NO_PROXIES = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy", "no_proxy", "NO_PROXY"), "")

LINES = [
    Line(
        "--dry-run checks what the run checks",
        [
            Case("too few images in a plan", images({}, "--dry-run", good=3), "photos"),
            Case(
                "half a JPEG in a plan",
                images({"half.jpg": picture("JPEG", (200, 200))[:400]}, "--dry-run"),
                "half.jpg",
            ),
            Case(
                "one value for batch normalisation",
                images({}, "--model.batch_size", "1", "--dry-run"),
                "batch_size 1",
            ),
            Case(
                "a name of six digits in a plan",
                flags("--datasets", "{'201907': {root: 'drawn:fruit'}}", "--dry-run"),
                "datasets.201907",
            ),
            "tests/study/test_launch.py::test_a_dry_run_prints_the_plan_and_writes_nothing",
        ],
        [
            Case("a store that is none, in a plan", flags("--storage", "gopher://x", "--dry-run"), "gopher"),
            Case(
                "weights that are not there, in a plan",
                flags("--model.vgg16", "/nowhere.pth", "--dry-run"),
                "/nowhere.pth",
            ),
        ],
    ),
    Line(
        "quick --data keeps the preset's limits",
        [
            "tests/study/settings/test_recipe.py"
            "::test_folders_given_instead_of_a_presets_datasets_keep_its_limits"
        ],
        [
            "tests/study/settings/test_sources.py"
            "::test_data_of_ones_own_takes_as_many_images_as_the_presets_would",
            "tests/study/settings/test_recipe.py::test_epochs_follow_from_the_images_that_a_trial_is_to_see",
        ],
    ),
    Line(
        "progress: own values, epochs, what is waited for, time left, MLflow's address",
        [
            f"{_TABLE}::test_lines_give_the_trials_own_value_the_cells_best_and_how_far_the_study_is",
            f"{_TABLE}::test_the_table_shows_epochs_and_what_a_cell_waits_for",
            f"{_TABLE}::test_the_time_left_is_told_from_the_start_and_follows_what_trials_take",
            "tests/study/driver/test_closing_summary.py::test_the_address_of_a_server_opens_the_studys_runs",
        ],
        [
            f"{_TABLE}::test_no_heading_or_name_is_cut_in_80_columns",
            "tests/browser/test_mlflow_ui.py"
            "::test_the_printed_address_shows_the_studys_runs_to_who_comes_for_the_first_time",
        ],
    ),
    Line(
        "RAY_ADDRESS, proxies",
        [
            f"{_PREFLIGHT}::test_a_dashboards_address_is_told_from_the_clusters",
            f"{_PREFLIGHT}::test_a_stale_ray_address_is_named_with_what_it_should_be",
            Case(
                "a dead proxy before MLflow",
                flags("--tracking.uri", "http://mlflow.example:5000"),
                "(http_proxy)",
                environment={**_NO_PROXIES, "http_proxy": _DEAD},
            ),
        ],
        [
            Case(
                "a dead proxy for everything",
                flags("--tracking.uri", "https://mlflow.example"),
                "(all_proxy)",
                environment={**_NO_PROXIES, "all_proxy": _DEAD},
            ),
            Case(
                "a proxy with a password",
                flags("--tracking.uri", "http://mlflow.example"),
                "me:***@",
                environment={**_NO_PROXIES, "http_proxy": _DEAD.replace("//", "//me:secret@")},
            ),
            "tests/models/test_vgg_download.py::test_a_dead_proxy_is_named",
        ],
    ),
    Line(
        "--version, homes, unfinished exports, hints",
        [
            Case("--version", lambda _: ["--version"], "colorization-study", code=0, home=False),
            "tests/study/test_export.py::test_a_study_that_is_not_finished_is_said_to_be_so",
            "tests/study/settings/test_reference.py"
            "::test_the_help_fits_a_console_is_no_markdown_and_repeats_no_option",
        ],
        [
            Case(
                "--version of another command",
                lambda _: ["--version"],
                "colorization-study",
                command=export_onnx,
                code=0,
                home=False,
            ),
            Case("an abbreviated option", lambda _: ["--ski"], "--ski", command=launch),
        ],
    ),
]
