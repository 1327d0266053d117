"""From the outbox to MLflow: each event delivered once, whatever died when.

Nothing is marked as delivered before MLflow took it, and `MlflowRuns` logs nothing a second time.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

from study.errors import StudyError, first_line
from study.tracking.mlflow_runs import MlflowRuns
from study.tracking.outbox import Event, Outbox

_CHUNK = 200
_IDLE_SECONDS = 0.5
_RETRY_SECONDS = 5.0
# The driver releases the GIL at every database call; while MLflow computes, it waits this long to get it back.
_SWITCH_SECONDS = 0.0005


class TrackingError(StudyError):
    """The tracking server does not answer or refuses."""


def _deliver_next(outbox: Outbox, runs: MlflowRuns, say: Callable[[str], None]) -> int:
    """Deliver the next events; what MLflow rejects for good is set aside, so that it does not block the rest.

    Returns:
        How many events there were.
    """
    events, position = outbox.undelivered(_CHUNK)
    if not events:
        return 0
    try:
        runs.deliver(events)
    except Exception as error:
        if not _is_refusal(error):
            raise
        for event in events:
            _deliver_or_set_aside(outbox, runs, event, say)
    outbox.mark_delivered(position)
    return len(events)


def _deliver_or_set_aside(outbox: Outbox, runs: MlflowRuns, event: Event, say: Callable[[str], None]) -> None:
    try:
        runs.deliver([event])
    except Exception as error:
        if not _is_refusal(error):
            raise
        outbox.set_aside(event, first_line(error))
        say(
            f"MLflow refused a result of {event['run']} ({first_line(error)}); it is kept in {outbox.refused}."
        )


def _is_refusal(error: Exception) -> bool:
    """Whether MLflow has rejected an event for good; missing permissions can still be granted and do not count."""
    from mlflow.exceptions import MlflowException

    if isinstance(error, KeyError):  # the event's run was itself refused, or deleted by someone
        return True
    return isinstance(error, MlflowException) and error.get_http_status_code() in (400, 404, 409, 413)


def deliver_all(outbox: Outbox, connect: Callable[[], MlflowRuns], say: Callable[[str], None]) -> int:
    """Deliver what waits in the outbox, now.

    Args:
        outbox: What is to be delivered.
        connect: Makes the connection.
        say: Told of what MLflow refuses for good.

    Returns:
        How many events were delivered.

    Raises:
        TrackingError: If the server is away; what was delivered until then is marked so.
    """
    total = 0
    try:
        runs = connect()
        while delivered := _deliver_next(outbox, runs, say):
            total += delivered
    except Exception as error:  # MLflow lets errors of every layer through
        raise TrackingError(f"MLflow did not take the results: {first_line(error)}.") from error
    return total


class DeliveryThread:
    """Delivers in the background, so that the study never waits for the tracker.

    Args:
        outbox: What is to be delivered.
        connect: Makes the connection; called again after every failure.
        say: Told once when the server goes away and once when it is back.
    """

    def __init__(self, outbox: Outbox, connect: Callable[[], MlflowRuns], say: Callable[[str], None]) -> None:
        self._outbox = outbox
        self._connect = connect
        self._say = say
        self._stop = threading.Event()
        sys.setswitchinterval(_SWITCH_SECONDS)
        self._thread = threading.Thread(target=self._run, name="mlflow-delivery", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        runs: MlflowRuns | None = None
        away = False
        while True:
            stopping = self._stop.is_set()
            try:
                runs = runs or self._connect()
                delivered = _deliver_next(self._outbox, runs, self._say)
                if away:
                    self._say("The MLflow server is back; the results that waited are being delivered.")
                    away = False
                if delivered:
                    continue
            except Exception as error:  # whatever it is, the study goes on and the results stay on disk
                runs = None
                if not away:
                    self._say(f"MLflow is away ({first_line(error)}); results wait on disk.")
                    away = True
            if stopping:
                return
            self._stop.wait(_RETRY_SECONDS if away else _IDLE_SECONDS)

    def finish(self, seconds: float) -> bool:
        """Deliver the rest and stop; False if something still waits after `seconds`."""
        self._stop.set()
        self._thread.join(seconds)
        return self._outbox.empty
