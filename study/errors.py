"""The two ways a command can fail, each with its exit code and one sentence for the user."""

import re

_LONGEST = 300
_DATABASES = ("postgresql", "mysql", "mariadb", "mssql", "oracle")
_SECRET = (
    r"[\w.-]*(?:passw|pwd|token|secret|credential|signature|api_?key|access_?key)[\w.-]*|pass|key|sig|auth"
)
_SECRET_OPTION = re.compile(rf"([?&;#](?:{_SECRET})=)[^&;#\s'\"]+", re.IGNORECASE)
_USER_INFO = re.compile(
    r"(?P<scheme>\b[a-z][a-z0-9+.-]*://)?(?P<user>[^\s/@:'\"(]*)(?P<password>:[^\s/]+)?@(?=[\w\[])",
    re.IGNORECASE,
)


class StudyError(Exception):
    """Something failed at run time. The message is one sentence: what, and what to do."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(masked(message))

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback, as in a notebook."""
        return [f"{type(self).__name__}: {self}"]


class UsageError(StudyError):
    """The command line or the configuration is wrong; nothing was started or written."""

    exit_code = 2


def masked(text: str) -> str:
    """A text in which no address shows a password, a token or another secret: `http://me:***@host?token=***`.

    The user of a database is shown, since databases ask for the password apart.
    """

    def user(match: re.Match[str]) -> str:
        scheme, name = match["scheme"] or "", match["user"]
        if match["password"]:
            return f"{scheme}{name}:***@"
        return f"{scheme}***@" if scheme and not is_database(scheme) else match[0]

    return _SECRET_OPTION.sub(r"\1***", _USER_INFO.sub(user, text))


def is_database(address: str) -> bool:
    """Whether an address is that of a database server, which may name its user."""
    return address.partition("://")[0].partition("+")[0].lower() in _DATABASES


def holds_secret(address: str) -> bool:
    """Whether an address carries what `masked` would hide."""
    return masked(address) != address


def first_line(error: BaseException) -> str:
    """What an exception says, without the paragraphs that databases and Ray add; at most 300 characters."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    line = masked(line)
    return (line if len(line) <= _LONGEST else f"{line[:_LONGEST]} …").rstrip(".")
