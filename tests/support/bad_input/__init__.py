"""What users get wrong, and what they are told.

`python -m tests.support.bad_input` prints all of it as a table.
"""

from tests.support.bad_input import (
    disk,
    folders,
    messages,
    ownership,
    photographs,
    settings,
    strangers,
    waiting,
)
from tests.support.bad_input.case import Case

PARTS = {
    "A study owns what it writes": ownership.LINES,
    "Nothing hangs": waiting.LINES,
    "Folders of images": folders.LINES,
    "Dry runs and messages": messages.LINES,
    "Whoever may not come in": strangers.LINES,
    "Settings and files": settings.LINES,
    "Photographs": photographs.LINES,
    "Disk": disk.LINES,
}
LINES = [line for lines in PARTS.values() for line in lines]
_ALL = [one for line in LINES for one in (*line.named, *line.unnamed)]
CASES = [one for one in _ALL if isinstance(one, Case)]
TESTS = list(dict.fromkeys(one for one in _ALL if isinstance(one, str)))
