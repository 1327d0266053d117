"""`python -m study.serve`: colour photographs over HTTP, on a page and for programs."""

from __future__ import annotations

import argparse
import socket
import sys
from collections.abc import Sequence

from rich.console import Console

from study.cli.command import Parser, run_command, say
from study.cli.interruption import leave
from study.cli.options import add_model_options
from study.errors import UsageError
from study.serve.limits import Limits

_PORT = 8000
_PATIENCE = 5  # seconds that requests have to end after Ctrl+C


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; 0 done, 1 failed, 2 wrong usage, 130 ended with Ctrl+C."""
    return run_command(_serve, list(sys.argv[1:] if arguments is None else arguments))


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m study.serve",
        description="Colour photographs over HTTP: on a page to drop them on, and for programs. The colours are "
        "plausible, not historical.",
    )
    add_model_options(parser)
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen at (default: 127.0.0.1, this machine alone)"
    )
    parser.add_argument("--port", type=int, default=_PORT, help=f"(default: {_PORT}; 0 takes a free one)")
    usual = Limits()
    for option, value, of in (
        ("--max-files", usual.files, "photographs in a request"),
        ("--max-megapixels", usual.megapixels, "of a photograph"),
        ("--max-megabytes", usual.megabytes, "of a request"),
    ):
        parser.add_argument(option, type=_count, default=value, metavar="N", help=f"{of} (default: {value})")
    return parser


def _count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return number


def _serve(arguments: list[str], console: Console) -> int:
    options = _parser().parse_args(arguments)
    listening = _listen(options.host, options.port)
    with listening:
        import uvicorn

        from study.deployment.model_source import model_from_options
        from study.serve.app import make_app
        from study.serve.guard import is_loopback

        colorizer = model_from_options(options)
        if warning := colorizer.config.origin.get("warning"):
            console.print(str(warning), style="bold red", highlight=False, markup=False, soft_wrap=True)
        limits = Limits(options.max_files, options.max_megapixels, options.max_megabytes)
        port = listening.getsockname()[1]
        shown = f"[{options.host}]" if ":" in options.host else options.host
        say(console, f"Colouring photographs at http://{shown}:{port} until Ctrl+C.")
        if not is_loopback(options.host):
            say(
                console,
                f"Whoever reaches port {port} of this machine can use it: no password, no encryption.",
            )
        config = uvicorn.Config(
            make_app(colorizer, options.host, limits),
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=_PATIENCE,
        )
        uvicorn.Server(config).run(sockets=[listening])
    raise KeyboardInterrupt  # nothing else ends it, and uvicorn may have swallowed that one


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket, before a model is loaded in vain.

    Raises:
        UsageError: The address cannot be had.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"{host}:{port} cannot be listened at: {reason}; choose another --host or --port."
        ) from error


if __name__ == "__main__":
    leave(main())
