"""The two ways a command can fail, each with its exit code and one sentence for the user."""


class StudyError(Exception):
    """Something failed at run time. The message is one sentence: what, and what to do."""

    exit_code = 1


class UsageError(StudyError):
    """The command line or the configuration is wrong; nothing was started or written."""

    exit_code = 2
