"""Pipelines as Airflow DAGs."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from airflow.sdk import DAG, CronDataIntervalTimetable

from mixline_airflow import operators
from mixline_airflow.pipeline import Pipeline, read_catalogue, read_pipeline
from mixline_airflow.settings import Settings

#: Intervals before it are nobody's: catching up never goes back further.
START = datetime(2020, 1, 1, tzinfo=timezone.utc)


def load(settings: Settings, folder: str = "dags") -> dict[str, Any]:
    """Every pipeline file of the project as a DAG, by name."""
    catalogue = read_catalogue(settings.catalogue)
    files = sorted((settings.project / folder).glob("*.toml"))
    pipelines = [read_pipeline(file, catalogue, settings.zone) for file in files]
    return {pipeline.name: build(pipeline, settings) for pipeline in pipelines}


def build(pipeline: Pipeline, settings: Settings) -> Any:
    """One pipeline as a DAG."""
    schedule = pipeline.schedule
    dag = DAG(
        dag_id=pipeline.name,
        description=pipeline.description,
        # A bare cron string gives Airflow 3 empty intervals, which steps refuse.
        schedule=schedule and CronDataIntervalTimetable(schedule.cron, timezone=schedule.zone),
        start_date=START,
        catchup=schedule is not None and schedule.catch_up == "all",
        # Two runs of a pipeline would write the same tables at the same time.
        max_active_runs=1,
        tags=["mixline"],
        render_template_as_native_obj=False,
    )
    with dag:
        made = {
            name: operators.operator(pipeline, task, settings)
            for name, task in pipeline.tasks.items()
        }
        for name, task in pipeline.tasks.items():
            for before in task.deps:
                made[before] >> made[name]
    return dag
