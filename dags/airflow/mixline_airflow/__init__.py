"""Mixline's pipelines as Airflow 3 DAGs, read from the same `dags/*.toml`.

>>> from mixline_airflow import Settings, load
>>> globals().update(load(Settings.from_env()))
"""

from mixline_airflow.dag import load
from mixline_airflow.pipeline import Pipeline, PipelineError, Step, Task, read_catalogue, read_pipeline
from mixline_airflow.settings import Settings, SettingsError

__all__ = [
    "Pipeline",
    "PipelineError",
    "Settings",
    "SettingsError",
    "Step",
    "Task",
    "load",
    "read_catalogue",
    "read_pipeline",
]
