from pathlib import Path

from study.settings.reference import settings_markdown

PAGE = Path(__file__).parents[3] / "docs" / "settings.md"


def test_the_page_of_settings_is_what_the_code_says():
    assert PAGE.read_text(encoding="utf-8") == settings_markdown(), (
        "python -m study.reference > docs/settings.md"
    )
