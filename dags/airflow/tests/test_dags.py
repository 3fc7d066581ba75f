"""The DAGs in Airflow's own words; left out where Airflow is not installed."""

import json
from pathlib import Path

import pytest

pytest.importorskip("airflow.sdk")

from mixline_airflow import Settings, load  # noqa: E402

ROOT = Path(__file__).parent.parent.parent.parent


def loaded(**given):
    return load(Settings(project=ROOT, zone="UTC", **given))


def test_docker_tasks_are_confined_and_called_by_the_contract():
    dag = loaded(store="/srv/store", env={"KEY": "secret"})["daily_ingest"]
    measure = dag.get_task("measure")
    assert measure.image == "mixline/step-measure:latest"
    assert measure.command == ["run"]
    assert list(measure.skip_on_exit_code) == [99]
    assert measure.upstream_task_ids >= {"attribute"}
    assert measure.trigger_rule == "none_failed"
    assert measure.retries == 2
    assert "KEY" not in measure.environment, "secrets are private"
    assert measure.user.split(":")[0] != "0"
    targets = {mount["Target"]: mount["ReadOnly"] for mount in measure.mounts}
    assert targets == {str(ROOT): True, "/srv/store": False}


def test_intervals_are_not_empty():
    timetable = loaded(store="s3://b")["daily_ingest"].timetable
    assert type(timetable).__name__ == "CronDataIntervalTimetable"
    assert "Berlin" in str(timetable.timezone)


def test_pods_are_confined_and_push_their_result():
    pytest.importorskip("airflow.providers.cncf.kubernetes")
    dag = loaded(store="s3://bucket/shop", executor="kubernetes")["weekly_retrain"]
    fit = dag.get_task("fit")
    assert fit.arguments == ["run"]
    assert fit.do_xcom_push
    assert list(fit.skip_on_exit_code) == [99]
    security = fit.container_security_context
    assert security.run_as_non_root and security.read_only_root_filesystem
    assert fit.upstream_task_ids == {"explore", "prepare"}
    assert '"store": "s3://bucket/shop"' in fit.env_vars["MIXLINE_CONTEXT"]
    with pytest.raises(json.JSONDecodeError):
        json.loads(fit.env_vars["MIXLINE_CONTEXT"])  # a template until Airflow fills it in
