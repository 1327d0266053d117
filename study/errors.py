"""The two ways a command can fail, each with its exit code and one sentence for the user."""


class StudyError(Exception):
    """Something failed at run time. The message is one sentence: what, and what to do."""

    exit_code = 1


class UsageError(StudyError):
    """The command line or the configuration is wrong; nothing was started or written."""

    exit_code = 2


def first_line(error: BaseException) -> str:
    """What an exception says, without the paragraphs that databases and Ray add."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
