"""The two ways a command can fail, each with its exit code and one sentence for the user."""

_LONGEST = 300


class StudyError(Exception):
    """Something failed at run time. The message is one sentence: what, and what to do."""

    exit_code = 1

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback, as in a notebook."""
        return [f"{type(self).__name__}: {self}"]


class UsageError(StudyError):
    """The command line or the configuration is wrong; nothing was started or written."""

    exit_code = 2


def first_line(error: BaseException) -> str:
    """What an exception says, without the paragraphs that databases and Ray add; at most 300 characters."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return (line if len(line) <= _LONGEST else f"{line[:_LONGEST]} …").rstrip(".")
