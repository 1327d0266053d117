"""`python -m study.sync`: deliver the results that MLflow missed while its server was away."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from functools import partial

from rich.console import Console

from data_utils.wording import counted
from study.cli.command import FAILED, Parser, program, run_command, say
from study.cli.options import add_study_options


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    return run_command(_sync, list(sys.argv[1:] if arguments is None else arguments))


def _sync(arguments: list[str], console: Console) -> int:
    parser = Parser(
        prog="python -m study.sync",
        description="Deliver the results that MLflow missed while its server was away.",
    )
    add_study_options(parser)
    options = parser.parse_args(arguments)

    from study.deployment.publish import publish_models
    from study.errors import StudyError
    from study.settings.sources import changed_settings
    from study.settings.study_folder import existing_home, only_driver
    from study.tracking.delivery import deliver_all
    from study.tracking.mlflow_runs import connect_tracker
    from study.tracking.outbox import Outbox

    home = existing_home(options.home, options.name)
    settings = changed_settings(home.settings_file, {})

    tell = partial(say, console)
    with only_driver(home.root):
        outbox = Outbox(home.outbox, settings.tracking.uri or "")
        if not outbox.opened and not outbox.undelivered(1)[0]:
            raise StudyError(
                f"The outbox {home.outbox} is empty; what the ledger holds is recorded again by:\n"
                f"  {program('python')} -m study.launch --name {options.name} "
                f"--home {shlex.quote(str(options.home))} --resume"
            )
        if outbox.set_aside_events:
            outbox.deliver_again()
        delivered = deliver_all(outbox, partial(connect_tracker, settings, home), tell)
        refused = len(outbox.set_aside_events)
        outbox.close()
        tell(f"Delivered to {home.tracking_uri(settings)}: {counted(delivered - refused, 'result')}.")
        publish_models(settings, home, tell)
    return FAILED if refused else 0


if __name__ == "__main__":
    sys.exit(main())
