from pathlib import Path

from study.settings.reference import settings_markdown, settings_reference

PAGE = Path(__file__).parents[3] / "docs" / "settings.md"


def test_the_page_of_settings_is_what_the_code_says():
    assert PAGE.read_text(encoding="utf-8") == settings_markdown(), (
        "python -m study.reference > docs/settings.md"
    )


def test_the_help_fits_a_console_is_no_markdown_and_repeats_no_option():
    lines = settings_reference().splitlines()
    assert all(len(line) <= 80 and "`" not in line for line in lines)
    flags = [line.split()[0] for line in lines if line.startswith("  --")]
    assert len(set(flags)) == len(flags)
    assert "--name" not in flags  # the command's own
