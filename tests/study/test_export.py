"""`python -m study.export` where there is little to export, or nowhere to write it."""

import pytest

from study.export import main


@pytest.fixture
def words(store):
    return ["--tracking-uri", store[1], "--name"]


def test_a_study_that_is_not_finished_is_said_to_be_so(words, unfinished, capsys):
    assert main([*words, unfinished.name]) == 0
    shown = capsys.readouterr()
    assert "not finished" in shown.err
    assert "not finished" not in shown.out


@pytest.mark.parametrize("where", ["nowhere/table.csv", "."])
def test_a_table_that_cannot_be_written_is_named(words, lonely, capsys, tmp_path, where):
    assert main([*words, lonely.name, "--output", str(tmp_path / where)]) == 2
    shown = capsys.readouterr().err
    assert f"{tmp_path / where} cannot be written" in shown
    assert "not finished" not in shown


def test_a_file_is_no_home(capsys, tmp_path):
    (tmp_path / "file").touch()
    assert main(["--name", "mine", "--home", str(tmp_path / "file")]) == 2
    assert "is a file; give the folder of all studies" in capsys.readouterr().err
