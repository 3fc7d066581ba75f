"""Pipelines as Airflow DAGs."""

from __future__ import annotations

import logging
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, BaseOperator, CronDataIntervalTimetable

from mixline_airflow import operators
from mixline_airflow.pipeline import Pipeline, PipelineError, Step, read_catalogue, read_pipeline
from mixline_airflow.settings import Settings, SettingsError

#: Intervals before it are nobody's: catching up never goes back further.
START = datetime(2020, 1, 1, tzinfo=timezone.utc)
#: Tag of DAGs that stand for files that cannot be used.
BROKEN = "broken"

log = logging.getLogger(__name__)


def load(settings: Settings) -> dict[str, Any]:
    """Every pipeline file of the project as a DAG, by name.

    A file that cannot be used becomes a DAG, too: see `broken`. Raises `SettingsError` without a
    folder of pipelines, and `PipelineError` without a catalogue.
    """
    folder = settings.project / settings.dags
    if not folder.is_dir():
        raise SettingsError(f"there is no folder {folder}; `dags` in mixline.toml names that of the pipelines")
    catalogue = read_catalogue(settings.catalogue)
    dags: dict[str, Any] = {}
    problems: dict[Path, str] = {}
    for file in sorted(folder.glob("*.toml")):
        try:
            dag = _of_file(file, catalogue, settings, dags)
            dags[dag.dag_id] = dag
        except ImportError:
            raise  # a provider is missing, whatever the files say
        except Exception as error:
            problems[file] = _told(file, error)
    for file, problem in problems.items():
        dag = broken(_free_name(file, dags), problem)
        dags[dag.dag_id] = dag
    return dags


def _of_file(file: Path, catalogue: dict[str, Step], settings: Settings, others: dict[str, Any]) -> Any:
    """The DAG of a file, as Airflow will take it."""
    pipeline = read_pipeline(file, catalogue, settings.zone)
    if pipeline.name in others:
        raise PipelineError(f"{file}, name: another file has a pipeline `{pipeline.name}`")
    dag = build(pipeline, settings)
    # What is wrong with a DAG when Airflow looks is wrong with all of the Python file's.
    dag.validate()
    return dag


def _told(file: Path, error: Exception) -> str:
    """What is wrong with a file, with its name."""
    text = str(error) if isinstance(error, PipelineError) else f"{type(error).__name__}: {error}"
    return text if str(file) in text else f"{file}: {text}"


def _free_name(file: Path, dags: dict[str, Any]) -> str:
    """A name that is no other DAG's, and that Airflow takes."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", file.stem)
    while name in dags:
        name += ".toml"
    return name


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
        auto_register=False,
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


def broken(name: str, problem: str) -> Any:
    """A DAG that stands for a file that cannot be used: tagged `broken`, with the problem as its
    description, no schedule, and one task, which fails and says it.

    Airflow keeps one import error for a whole Python file, and schedules no DAG of a file that has
    one. Raising would stop the pipelines that are well.
    """
    log.error("%s", problem)
    dag = DAG(
        dag_id=name,
        description=problem,
        schedule=None,
        start_date=START,
        tags=["mixline", BROKEN],
        auto_register=False,
        doc_md=f"This pipeline cannot be read and does not run:\n\n```text\n{problem}\n```\n",
    )
    with dag:
        _Problem(task_id="read_pipeline", problem=problem, retries=0)
    return dag


class _Problem(BaseOperator):
    """Fails with what is wrong with a file."""

    def __init__(self, *, problem: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.problem = problem

    def execute(self, context: Any) -> None:
        raise PipelineError(self.problem)
