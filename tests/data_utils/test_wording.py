"""Words that agree with numbers."""

from data_utils.wording import counted


def test_one_is_singular_and_all_else_plural():
    assert [counted(number, "image") for number in (0, 1, 2)] == ["0 images", "1 image", "2 images"]
    assert counted(2, "category", "categories") == "2 categories"
