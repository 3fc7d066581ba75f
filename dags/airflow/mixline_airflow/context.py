"""What a step is told: the context document, as a template that Airflow fills in."""

from __future__ import annotations

import json
from typing import Any

from mixline_airflow.pipeline import Pipeline, Task
from mixline_airflow.settings import Settings

# Airflow's names of the place in a run. `try_number` is a number in JSON, the others are texts.
_RUN_ID = "{{ run_id }}"
_ATTEMPT = "{{ ti.try_number }}"
# Without a logical date there is no interval, not even an empty name.
_START = "{{ data_interval_start | ts if data_interval_start | default(none) else '' }}"
_END = "{{ data_interval_end | ts if data_interval_end | default(none) else '' }}"
#: OpenLineage's name of the Airflow run, for programs that a task starts.
_PARENT = "{{ macros.OpenLineageProviderPlugin.lineage_parent_id(task_instance) }}"


def variables(pipeline: Pipeline, task: Task, settings: Settings) -> dict[str, str]:
    """The variables of a step's container; values are templates."""
    found = {"MIXLINE_CONTEXT": document(pipeline, task, settings), "MIXLINE_LOG_FORMAT": "json"}
    # A window cannot be in the document: a run that is started by hand may have none.
    if task.step.windowed:
        found |= {"MIXLINE_WINDOW_START": _START, "MIXLINE_WINDOW_END": _END}
    if _has_openlineage():
        found["OPENLINEAGE_PARENT_ID"] = _PARENT
    return found


def _has_openlineage() -> bool:
    try:
        import airflow.providers.openlineage  # noqa: F401
    except ImportError:
        return False
    return True


def document(pipeline: Pipeline, task: Task, settings: Settings) -> str:
    """The context document; a template, since only Airflow knows run and attempt."""
    known = {
        "store": settings.store,
        "inputs": {port: str(reference) for port, reference in task.inputs.items()},
        "outputs": task.outputs,
        "config": task.config,
    }
    place = {"dag": pipeline.name, "task": task.name}
    run = _literal(place)[:-1] + f', "run_id": "{_RUN_ID}", "attempt": {_ATTEMPT}}}'
    return _literal(known)[:-1] + f', "run": {run}}}'


def _literal(value: Any) -> str:
    """JSON that a template leaves as it is, whatever a configuration holds.

    Outside of its texts a brace is followed by a quote or by one that closes, so these pairs are in
    texts, where a character may be escaped.
    """
    text = json.dumps(value, ensure_ascii=False, default=str)
    for mark in ("{{", "{%", "{#"):
        text = text.replace(mark, "\\u007b" + mark[1])
    return text
