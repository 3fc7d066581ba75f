"""A task as an operator: the step's image, called by the contract of `steps/README.md`."""

from __future__ import annotations

from typing import Any

from mixline_airflow import containers, pods
from mixline_airflow.pipeline import Pipeline, Task
from mixline_airflow.settings import Settings


def operator(pipeline: Pipeline, task: Task, settings: Settings) -> Any:
    """The operator of a task; call it within a DAG."""
    make = {"docker": containers.operator, "kubernetes": pods.operator}[settings.executor]
    return make(pipeline, task, settings, common(task))


def common(task: Task) -> dict[str, Any]:
    """What every operator takes."""
    common: dict[str, Any] = {
        "task_id": task.name,
        "retries": task.retries,
        "retry_delay": task.retry_delay,
        "retry_exponential_backoff": True,
        "execution_timeout": task.timeout,
        # Nothing to do upstream is no reason to do nothing here: what exists is read.
        "trigger_rule": "none_failed",
        "doc": f"{task.step.name}: " + ", ".join(task.outputs.values()),
    }
    if task.pool:
        common["pool"] = task.pool
    return common
