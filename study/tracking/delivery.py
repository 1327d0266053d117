"""From the outbox to MLflow: each event delivered once, whatever died when.

Nothing is marked as delivered before MLflow took it, and `MlflowRuns` logs nothing a second time.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

from study.errors import StudyError, first_line
from study.tracking.mlflow_client import why
from study.tracking.mlflow_runs import MlflowRuns
from study.tracking.outbox import DAMAGED, Event, Outbox

_CHUNK = 200
_REFUSALS = ("INVALID_PARAMETER_VALUE", "BAD_REQUEST", "RESOURCE_ALREADY_EXISTS")
_TOO_LARGE = 413
_IDLE_SECONDS = 0.5
_RETRY_SECONDS = 5.0
# The driver releases the GIL at every database call; while MLflow computes, it waits this long to get it back.
_SWITCH_SECONDS = 0.0005


class TrackingError(StudyError):
    """The tracking server does not answer or refuses."""


def _connected(outbox: Outbox, connect: Callable[[], MlflowRuns], say: Callable[[str], None]) -> MlflowRuns:
    """A connection; where MLflow has lost runs that were delivered, everything is to be delivered again."""
    runs = connect()
    lost = outbox.opened - runs.keys
    if lost:
        some = ", ".join(sorted(lost)[:3]) + (" …" if len(lost) > 3 else "")
        say(
            f"MLflow no longer has {len(lost)} of the study's runs ({some}); the journal is delivered again from its "
            "beginning."
        )
        outbox.deliver_again()
    return runs


def _deliver_next(outbox: Outbox, runs: MlflowRuns, say: Callable[[str], None]) -> int:
    """Deliver the next events; what MLflow rejects for good is set aside, so that it does not block the rest.

    Returns:
        How many events there were.
    """
    lines, position = outbox.undelivered(_CHUNK)
    if not lines:
        return 0
    events = [event for event in lines if event.get("do") != DAMAGED]
    try:
        runs.deliver(events)
    except Exception as error:
        if not _is_refusal(error):
            raise
        for event in events:
            _deliver_or_set_aside(outbox, runs, event, say)
    for line in lines:
        if line.get("do") == DAMAGED:
            outbox.set_aside(line, line["reason"])
            say(f"{line['reason']} and is skipped.")
    outbox.mark_delivered(position)
    return len(lines)


def _deliver_or_set_aside(outbox: Outbox, runs: MlflowRuns, event: Event, say: Callable[[str], None]) -> None:
    try:
        runs.deliver([event])
    except Exception as error:
        if not _is_refusal(error):
            raise
        if not runs.writable(event["run"]):
            raise TrackingError(f"the run {event['run']} was deleted in MLflow") from error
        outbox.set_aside(event, first_line(error))
        say(
            f"MLflow refused a result of {event['run']} ({first_line(error)}); it is kept in {outbox.refused}."
        )


def _is_refusal(error: Exception) -> bool:
    """Whether MLflow has looked at an event and rejected it for good.

    Whatever else fails may go well later: a proxy's own answers, missing permissions, runs that were deleted.
    """
    from mlflow.exceptions import MlflowException, RestException

    if isinstance(error, KeyError):  # the event's run was itself refused
        return True
    response = getattr(error, "response", None)
    if response is not None and response.status_code == _TOO_LARGE:
        return True
    # A proxy's page becomes an MlflowException with the code of its status; only MLflow itself answers in JSON.
    from_mlflow = isinstance(error, RestException) or "Response body" not in str(error)
    return isinstance(error, MlflowException) and from_mlflow and error.error_code in _REFUSALS


def deliver_all(outbox: Outbox, connect: Callable[[], MlflowRuns], say: Callable[[str], None]) -> int:
    """Deliver what waits in the outbox, now.

    Args:
        outbox: What is to be delivered.
        connect: Makes the connection.
        say: Told of what MLflow has lost, and of what it refuses for good.

    Returns:
        How many events were delivered.

    Raises:
        TrackingError: If the server is away; what was delivered until then is marked so.
    """
    total = 0
    try:
        runs = _connected(outbox, connect, say)
        while delivered := _deliver_next(outbox, runs, say):
            total += delivered
    except Exception as error:  # MLflow lets errors of every layer through
        raise TrackingError(f"MLflow did not take the results: {why(error)}.") from error
    return total


class DeliveryThread:
    """Delivers in the background, so that the study never waits for the tracker.

    Args:
        outbox: What is to be delivered.
        connect: Makes the connection; called again after every failure.
        say: Told once when the server goes away and once when it is back.
        connected: Told the number of the study's experiment, once it is known.
    """

    def __init__(
        self,
        outbox: Outbox,
        connect: Callable[[], MlflowRuns],
        say: Callable[[str], None],
        connected: Callable[[str], None] | None = None,
    ) -> None:
        self._outbox = outbox
        self._connect = connect
        self._say = say
        self._connected = connected
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
                runs = runs or _connected(self._outbox, self._connect, self._say)
                if self._connected:
                    self._connected(runs.experiment)
                    self._connected = None
                delivered = _deliver_next(self._outbox, runs, self._say)
                if away:
                    self._say("The MLflow server is back; the results that waited are being delivered.")
                    away = False
                if delivered:
                    continue
            except Exception as error:  # whatever it is, the study goes on and the results stay on disk
                runs = None
                if not away:
                    self._say(f"MLflow is away or refuses ({why(error)}); results wait on disk.")
                    away = True
            if stopping:
                return
            self._stop.wait(_RETRY_SECONDS if away else _IDLE_SECONDS)

    def finish(self, seconds: float) -> bool:
        """Deliver the rest and stop.

        Args:
            seconds: How long to wait without any progress.

        Returns:
            False if something still waits.
        """
        self._stop.set()
        position = -1
        while self._thread.is_alive() and self._outbox.delivered != position:
            position = self._outbox.delivered
            self._thread.join(seconds)
        return self._outbox.empty
