"""The command's answers to wrong usage; `reporting/test_page.py` has the page itself."""

from __future__ import annotations

from study.report import main


def test_an_unknown_study_is_one_sentence(tmp_path, capsys):
    assert main(["--name", "nobody", "--home", str(tmp_path)]) == 2
    complaint = capsys.readouterr().err
    assert "no study nobody" in complaint
    assert "Traceback" not in complaint


def test_a_folder_is_no_output_file(tmp_path, capsys):
    assert main(["--name", "any", "--home", str(tmp_path), "--output", str(tmp_path)]) == 2
    assert "is a folder" in capsys.readouterr().err


def test_a_name_is_needed(capsys):
    assert main([]) == 2
    assert capsys.readouterr().err == (
        "The following arguments are required: --name; see `python -m study.report --help`.\n"
    )
