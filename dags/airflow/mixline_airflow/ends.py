"""What a step's end means to Airflow, whichever operator ran it."""

from __future__ import annotations

from typing import Any, NoReturn

from mixline_airflow import lineage, outcome
from mixline_airflow.pipeline import Task

try:
    from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
except ImportError:  # Airflow 3.0 and 3.1
    from airflow.exceptions import AirflowFailException, AirflowSkipException


class StepEnds:
    """Part of an operator: no retry of what cannot help, failures that are tolerated, and the tables
    read and written, for Airflow's OpenLineage provider."""

    #: Store and task.
    mixline: tuple[str, Task]
    #: What the step said at its end.
    result: dict[str, Any] | None = None

    def failed(self, code: int | None, error: Exception, context: Any) -> NoReturn:
        """Ends the task of a step that failed with an exit code, when one is known."""
        _, task = self.mixline
        permanent = code in outcome.PERMANENT
        if task.tolerated and (permanent or context["ti"].try_number > task.retries):
            raise AirflowSkipException(f"tolerated: exit {code}") from error
        if permanent:
            raise AirflowFailException(f"exit {code}: trying again would not help") from error
        raise error

    def get_openlineage_facets_on_complete(self, _: Any) -> Any:
        store, task = self.mixline
        return lineage.facets(store, task, self.result)
