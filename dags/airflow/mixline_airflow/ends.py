"""What a step's end means to Airflow, whichever operator ran it."""

from __future__ import annotations

from typing import Any, NoReturn

from mixline_airflow import lineage, outcome
from mixline_airflow.pipeline import Task

try:
    from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, AirflowTaskTimeout
except ImportError:  # Airflow 3.0 and 3.1
    from airflow.exceptions import AirflowFailException, AirflowSkipException, AirflowTaskTimeout


class StepEnds:
    """Part of an operator, named before Airflow's: no retry of what cannot help, failures that are
    tolerated, and the tables read and written, for Airflow's OpenLineage provider."""

    #: Store and task.
    mixline: tuple[str, Task]
    #: What the step said at its end.
    result: dict[str, Any] | None = None

    def execute(self, context: Any) -> Any:
        """Airflow's own, whose failures are judged."""
        try:
            return super().execute(context)
        except (AirflowSkipException, AirflowFailException):
            raise
        # A time-out is no Exception, so that nobody takes it for one by mistake.
        except (AirflowTaskTimeout, Exception) as error:
            self.failed(error, context["ti"])

    def exit_code(self, error: BaseException) -> int | None:
        """The exit code of a step that failed, when it got as far as that."""
        raise NotImplementedError

    def failed(self, error: BaseException, ti: Any) -> NoReturn:
        """Ends the task of a step that failed; `ti` knows which try it was."""
        _, task = self.mixline
        code = self.exit_code(error)
        permanent = code in outcome.PERMANENT
        reason = f"exit {code}" if code else str(error) or type(error).__name__
        # `max_tries` grows when a task is cleared, the task's own `retries` do not.
        if task.tolerated and (permanent or ti.try_number > ti.max_tries):
            self.stop_after(error)
            raise AirflowSkipException(f"tolerated: {reason}") from error
        if permanent:
            raise AirflowFailException(f"{reason}: trying again would not help") from error
        raise error

    def stop_after(self, error: BaseException) -> None:
        """Airflow stops what timed out, unless it never hears of it."""
        if isinstance(error, AirflowTaskTimeout):
            self.on_kill()

    def get_openlineage_facets_on_complete(self, _: Any) -> Any:
        store, task = self.mixline
        return lineage.facets(store, task, self.result)
