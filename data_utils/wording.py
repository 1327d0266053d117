"""Words that agree with numbers."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun, such as ``1 image`` and ``2 images``.

    Args:
        number: how many.
        noun: its name in the singular, with the adjectives that belong to it.
        plural: where it is not the singular with an s.

    Example:
        >>> counted(1, "file"), counted(3, "category", "categories")
        ('1 file', '3 categories')
    """
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
