"""The JSON schema by which editors complete and check a study's file."""

import json

import jsonschema
import pytest
import yaml

from study.launch import main as launch
from study.schema import main
from study.settings.json_schema import SCHEMA_FILE, schema_text
from study.settings.sources import preset_names, preset_or_file


def problems(content) -> list[str]:
    found = jsonschema.Draft202012Validator(json.loads(schema_text())).iter_errors(content)
    return [".".join(map(str, one.absolute_path)) + ": " + one.message for one in found]


def test_the_shipped_schema_is_what_the_code_says():
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), (
        "python -m study.schema --output study/settings/study.schema.json"
    )


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_names_the_schema_and_holds_to_it(name):
    text = preset_or_file(name).read_text(encoding="utf-8")
    first = text.splitlines()[0]
    assert (preset_or_file(name).parent / first.partition("$schema=")[2]).resolve() == SCHEMA_FILE
    assert problems(yaml.safe_load(text)) == []


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ({"budget": {"trails": 3}}, "budget"),
        ({"budget": {"trials": 0}}, "budget.trials"),
        ({"training": {"schedule": "cosin"}}, "training.schedule"),
        ({"datasets": {"a": {"train_limit": "many"}}}, "datasets.a.train_limit"),
    ],
)
def test_a_wrong_key_or_value_is_found(content, key):
    assert [one for one in problems(content) if one.startswith(key)]


def test_samplers_are_suggested():
    assert '"tpe"' in schema_text()


def test_the_command_writes_it(tmp_path, capsys):
    assert main(["--output", str(tmp_path / "s.json")]) == 0
    assert (tmp_path / "s.json").read_text(encoding="utf-8") == schema_text()
    assert main(["--output", str(tmp_path / "none" / "s.json")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_preset_is_shown_with_a_schema_that_an_editor_finds(capsys):
    assert launch(["quick", "--show"]) == 0
    shown = capsys.readouterr().out
    assert shown.splitlines()[0] == f"# yaml-language-server: $schema={SCHEMA_FILE}"
    assert yaml.safe_load(shown)["name"] == "quick"
    assert launch(["nonsense", "--show"]) == 2
