"""Signs as they are printed rather than typed."""

from __future__ import annotations

import re

# A minus stands before a number and after no letter or digit, which leaves names and dates alone; or in an exponent.
_MINUS = re.compile(r"(?<![\w.\-/])-(?=\d)|(?<=\de)-(?=\d+\b(?!-))")
_TEXT = re.compile(r"<(script|style|code)\b.*?</\1>|<[^>]*>|[^<]+", re.S)


def with_real_minus(page: str) -> str:
    """A page whose text has − for the hyphen before numbers; code, scripts and attributes stay as they are.

    Example:
        >>> with_real_minus("<td class='n-1'>-0.5 [-1.2, 0.1], 1e-05</td>")
        "<td class='n-1'>−0.5 [−1.2, 0.1], 1e−05</td>"
    """
    return _TEXT.sub(lambda found: found[0] if found[0][0] == "<" else _MINUS.sub("−", found[0]), page)
