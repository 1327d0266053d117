"""A message when a study ends or stops."""

from __future__ import annotations

import json
import shlex
import subprocess
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

_SECONDS = 20
_WEB = ("http://", "https://")


def notify(target: str, message: str) -> str:
    """Tell someone.

    Args:
        target: An http(s) address, to which `{"text": MESSAGE}` is posted (as Slack, Mattermost and others take it); or
            a command, which gets the message as its last argument.
        message: One sentence.

    Returns:
        Empty, or a sentence that says why nobody was told. Addresses of this kind are secrets: only the host is named.
    """
    try:
        if target.startswith(_WEB):
            body = json.dumps({"text": message}).encode()
            urlopen(Request(target, body, {"Content-Type": "application/json"}), timeout=_SECONDS).close()
        else:
            subprocess.run([*_words(target), message], check=True, timeout=_SECONDS, stdin=subprocess.DEVNULL)
    except subprocess.CalledProcessError as error:
        return f"Nobody was told: the command of --notify ended with exit code {error.returncode}."
    except subprocess.TimeoutExpired:
        return f"Nobody was told: the command of --notify was stopped after {_SECONDS} s."
    except (OSError, ValueError) as error:
        reason = error.reason if isinstance(error, URLError) else error
        where = f" {urlsplit(target).hostname}" if target.startswith(_WEB) else ""
        return f"Nobody was told: --notify{where}: {reason}."
    return ""


def _words(command: str) -> list[str]:
    words = shlex.split(command)
    if not words:
        raise ValueError("it is empty")
    return words
