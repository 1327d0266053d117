"""Settings, names, addresses and tables that are wrong in ways people make."""

from __future__ import annotations

import itertools
from pathlib import Path

from study.export import main as export
from study.report import main as report
from study.sync import main as sync
from tests.support.bad_input.case import Case, Line, existing, flags, going_on, nobody_listens, yaml_file

FRUIT = "datasets: {fruit: {root: 'drawn:fruit'}}\n"
_BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{one}: &{one} [{','.join([f'*{before}'] * 9)}]\n" for before, one in itertools.pairwise("abcdefg")
)


def _damaged_tracker(folder: Path) -> list[str]:
    words = existing("--name", "mine")(folder)
    (folder / "runs" / "mine" / "mlflow.db").write_bytes(b"SQLite format 3\0" + b"x" * 100)
    return words


def _table(content: str, *words: str):
    def make(folder: Path) -> list[str]:
        (folder / "table.csv").write_text(content)
        return ["--from-csv", str(folder / "table.csv"), *words]

    return make


def _home_is_a_file(folder: Path) -> list[str]:
    (folder / "runs").write_text("")
    return ["demo"]


def _link_loop(folder: Path) -> list[str]:
    (folder / "loop").symlink_to(folder / "loop")
    return ["--data", str(folder / "loop")]


LINES = [
    Line(
        "command lines",
        [
            Case("a preset that does not exist", lambda _: ["demmo"], "demmo"),
            Case("a settings file that does not exist", lambda _: ["nowhere.yaml"], "nowhere.yaml"),
            Case("a flag without a value", flags("--budget.trials"), "--budget.trials"),
            Case("a word that stands alone", flags("stray"), "stray"),
        ],
        [
            Case("a flag below a value", flags("--budget", "3", "--budget.trials", "3"), "budget"),
            Case("a flag whose value is no YAML", flags("--architectures", "[unet"), "--architectures"),
        ],
    ),
    Line(
        "settings that cannot be",
        [
            Case("a misspelt setting", flags("--budget.trails", "4"), "did you mean budget.trials"),
            Case("a setting of no section", flags("--colour", "red"), "colour"),
            Case("no trials", flags("--budget.trials", "0"), "budget.trials is 0"),
            Case("trials in words", flags("--budget.trials", "many"), "budget.trials is 'many'"),
            Case("negative epochs", flags("--budget.epochs", "-1"), "budget.epochs"),
            Case("a size that networks cannot halve", flags("--model.image_size", "50"), "model.image_size"),
            Case("an unknown architecture", flags("--architectures", "[unet, pix2pix]"), "pix2pix"),
            Case("an architecture twice", flags("--architectures", "[unet, unet]"), "architectures"),
            Case("no architecture", flags("--architectures", "[]"), "architectures"),
            Case("an unknown sampler", flags("--search.sampler", "grid"), "search.sampler"),
            Case("an unknown pruner", flags("--search.pruner", "asha"), "search.pruner"),
            Case("half a range", flags("--search.space.unet.learning_rate", "[1]"), "unet.learning_rate"),
            Case(
                "a range upside down",
                flags("--search.space.unet.learning_rate", "[1, 0.1]"),
                "learning_rate",
            ),
            Case(
                "a range of an unknown parameter",
                flags("--search.space.unet.momentum", "[0.1, 0.9]"),
                "momentum",
            ),
            Case("a cell that is none", flags("--budget.epochs_for", "{a/b: 3}"), "a/b"),
            Case("a device that is none", flags("--model.device", "tpu"), "tpu"),
            Case("a precision that is none", flags("--model.precision", "float8"), "model.precision"),
            Case("minutes in words", flags("--resources.checkpoint_every", "often"), "checkpoint_every"),
            Case(
                "a share above one", flags("--resources.max_failed_share", "2"), "resources.max_failed_share"
            ),
            Case("a plug-in that is not there", flags("--plugins", "[nowhere.py]"), "nowhere.py"),
            Case("weights that are not there", flags("--model.vgg16", "/nowhere.pth"), "/nowhere.pth"),
        ],
        [
            Case("a seed with a point", flags("--seed", "1.5"), "seed is 1.5"),
            Case("trials without end", flags("--budget.trials", ".inf"), "budget.trials"),
        ],
    ),
    Line(
        "the environment and files of settings",
        [
            Case("a variable that is no setting", flags(), "STUDY_TRIALS", environment={"STUDY_TRIALS": "3"}),
            Case(
                "a list in the environment without brackets",
                flags(),
                "environment variable STUDY_ARCHITECTURES",
                environment={"STUDY_ARCHITECTURES": "unet"},
            ),
            Case(
                "half a mapping in the environment",
                flags(),
                "environment variable STUDY_BUDGET",
                environment={"STUDY_BUDGET": "{"},
            ),
            Case("an empty file", yaml_file(""), "mine.yaml"),
            Case("a file that is no YAML", yaml_file("name: [unclosed"), "mine.yaml"),
            Case("a file that is no text", yaml_file(b"\xff\xfe\x00\x01"), "mine.yaml"),
            Case("a list instead of settings", yaml_file("- name\n- datasets\n"), "mine.yaml"),
            Case("a file without datasets", yaml_file("name: mine\n"), "datasets"),
            Case(
                "a dataset without a folder",
                yaml_file("datasets: {fruit: {train_limit: 3}}\n"),
                "datasets.fruit.root",
            ),
            Case("an empty section", yaml_file(f"{FRUIT}budget:\n"), "budget is empty"),
            Case("a key that is a number", yaml_file(f"{FRUIT}3: 4\n"), "the key 3 is no text"),
            Case("plug-ins that are a number", yaml_file(f"{FRUIT}plugins: 5\n"), "plugins is 5"),
            Case("a date as a seed", flags("--seed", "2024-13-45"), "seed is '2024-13-45'"),
            Case("a plug-in without brackets", flags("--plugins", "a.py"), "plugins is 'a.py'"),
            Case(
                "aliases that explode",
                yaml_file(f"{_BOMB}{FRUIT}budget: {{trials: *g}}\n"),
                "more than 10000 values",
            ),
            Case("a list that is too deep", yaml_file(f"datasets: {'[' * 5000}{']' * 5000}\n"), "too deeply"),
        ],
        [
            Case(
                "a word in the environment where a number belongs",
                flags(),
                "environment variable STUDY_BUDGET__TRIALS",
                environment={"STUDY_BUDGET__TRIALS": "many"},
            ),
            Case(
                "a dataset that is a number", yaml_file("datasets: {12: {root: 'drawn:fruit'}}\n"), "key 12"
            ),
            Case("an alias of itself", yaml_file(f"{FRUIT}budget: &a {{trials: [*a]}}\n"), "too deeply"),
            Case("a section twice", yaml_file(f"{FRUIT}seed: 1\nseed: 2\n"), "'seed' stands twice"),
            Case("a section that is a list", yaml_file(f"{FRUIT}budget: [3]\n"), "budget"),
            Case("YAML of another program", yaml_file("a: !!python/object:os.system x\n"), "mine.yaml"),
        ],
    ),
    Line(
        "names and places",
        [
            Case("a name that is too long", flags("--name", "a" * 256), "name is"),
            Case(
                "a name that is too long to export",
                lambda _: ["--name", "a" * 256],
                "There is no study",
                command=export,
            ),
            Case(
                "a dataset named like a folder", flags("--datasets", "{..: {root: 'drawn:fruit'}}"), "dataset"
            ),
            Case(
                "a dataset of six digits",
                flags("--datasets", "{'201907': {root: 'drawn:fruit'}}"),
                "datasets.201907",
            ),
            Case("a home that is a file", _home_is_a_file, "runs"),
            Case("a link that leads to itself", _link_loop, "loop"),
            Case("no folder of images", lambda _: ["--data", ""], "--data: it is empty"),
            Case(
                "an address with a password",
                lambda _: ["--data", "s3://me:hidden@bucket/images"],
                "s3://bucket/images",
            ),
            Case("an address of no scheme", lambda _: ["--data", "nowhere://images"], "nowhere://images"),
            Case(
                "shards that are not there",
                lambda _: ["--data", "webdataset:/nowhere/x.tar"],
                "/nowhere/x.tar",
            ),
            "tests/study/test_export.py::test_a_table_that_cannot_be_written_is_named",
            "tests/study/test_report.py::test_a_folder_is_no_output_file",
        ],
        [
            Case("a name that leaves the home", flags("--name", "../mine"), "../mine"),
            Case("a name with a slash", flags("--name", "a/b"), "a/b"),
            Case("a name that exists", existing("demo", "--name", "mine"), "mine"),
            Case("a dataset's name with a slash", flags("--datasets", "{a/b: {root: 'drawn:fruit'}}"), "a/b"),
            Case(
                "a name that is too long to deliver",
                lambda _: ["--name", "a" * 256],
                "There is no study",
                command=sync,
            ),
            Case(
                "a name that is too long to report",
                lambda _: ["--name", "a" * 256],
                "There is no study",
                command=report,
            ),
        ],
    ),
    Line(
        "places that forget, and servers that are none",
        [
            Case("a database in memory", flags("--ledger", "sqlite://"), "ledger is sqlite://"),
            Case("a store in memory", flags("--storage", "memory://x"), "storage is memory://x"),
            Case("a folder as MLflow's address", flags("--tracking.uri", "/some/folder"), "tracking.uri"),
            Case("a truncated mlflow.db", _damaged_tracker, "mlflow.db", command=export, code=1),
            Case(
                "a kind of tracker that is none",
                lambda _: ["--name", "mine", "--tracking-uri", "gopher://x"],
                "gopher",
                command=export,
                code=1,
            ),
        ],
        [
            Case("a database that is none", flags("--ledger", "nosql://host/x"), "nosql"),
            Case(
                "a database server that is off",
                flags("--ledger", f"postgresql+psycopg://me@{nobody_listens()}/x"),
                "ledger",
            ),
            Case("a store that is none", flags("--storage", "gopher://bucket/x"), "gopher"),
            Case(
                "an MLflow server that is off",
                flags("--tracking.uri", f"http://{nobody_listens()}"),
                "tracking.uri",
            ),
            Case("MLflow in memory", flags("--tracking.uri", "sqlite:///:memory:"), "tracking.uri"),
        ],
    ),
    Line(
        "a damaged line in the outbox",
        ["tests/study/tracking/test_losses.py::test_a_damaged_line_is_skipped_and_named"],
        [
            "tests/study/tracking/test_outbox.py::test_a_line_cut_by_a_crash_is_dropped_and_the_next_is_whole",
            "tests/study/tracking/test_losses.py::test_a_journal_that_says_more_than_it_holds_is_delivered_whole",
        ],
    ),
    Line(
        "tables",
        [
            Case("a table that is none", _table("a,b\n"), "table.csv", command=export, home=False),
            "tests/study/comparison/test_formats.py::test_cells_of_a_table_run_nothing",
        ],
        [
            Case("an empty table", _table(""), "table.csv", command=export, home=False),
            Case(
                "trials from a table",
                _table("a\n", "--format", "trials"),
                "--name",
                command=export,
                home=False,
            ),
            Case("a study that does not exist", existing("--name", "yours"), "mine", command=export),
            Case("a delivery of what does not exist", existing("--name", "yours"), "mine", command=sync),
        ],
    ),
    Line(
        "going on with other settings",
        [
            Case("a resume without a name", existing("--resume"), "--name"),
            Case("a resume of what does not exist", existing("--resume", "--name", "yours"), "mine"),
            Case("a resume with another seed", going_on("--seed", "3"), "seed is 3"),
            Case("a resume with another model", going_on("--model.width", "8"), "model.width is 8"),
            Case("a resume with fewer epochs", going_on("--budget.epochs", "50"), "only grow"),
            Case("a resume with other images", going_on("--data", "/elsewhere"), "--datasets.NAME.root"),
        ],
        [
            Case("a resume with another sampler", going_on("--search.sampler", "qmc"), "search.sampler"),
            Case(
                "a resume with another dataset",
                going_on("--datasets.more.root", "drawn:scenes"),
                "datasets.more",
            ),
        ],
    ),
]
