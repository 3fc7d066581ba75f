"""Airflow looks for DAGs here: copy or link this file into its folder, with `mixline_airflow`
installed and MIXLINE_AIRFLOW_PROJECT set."""

from mixline_airflow import Settings, load

globals().update(load(Settings.from_env()))
