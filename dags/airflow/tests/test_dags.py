"""The DAGs in Airflow's own words; left out where Airflow is not installed."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

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


def pod_task(**given):
    pytest.importorskip("airflow.providers.cncf.kubernetes")
    settings = {"store": "s3://bucket/shop", "executor": "kubernetes", **given}
    ingest = loaded(**settings)["daily_ingest"].get_task("ingest")
    # There is no cluster to ask for labels and events, or to delete pods of.
    ingest.client = ingest.pod_manager = MagicMock()
    ingest.hook = MagicMock(is_in_cluster=False)
    return ingest


def ended(code, tolerated=False, tries=1):
    """A pod's operator after a container that ended with a code; what it raises."""
    from kubernetes.client import models as k8s

    ingest = pod_task()
    store, task = ingest.mixline
    ingest.mixline = (store, replace(task, tolerated=tolerated))
    end = k8s.V1ContainerState(terminated=k8s.V1ContainerStateTerminated(exit_code=code))
    status = k8s.V1ContainerStatus(
        name="base", state=end, image="i", image_id="i", ready=False, restart_count=0
    )
    phase = "Succeeded" if code == 0 else "Failed"
    pod = k8s.V1Pod(
        metadata=k8s.V1ObjectMeta(name="p", namespace="n", labels={}),
        spec=k8s.V1PodSpec(containers=[k8s.V1Container(name="base")]),
        status=k8s.V1PodStatus(phase=phase, container_statuses=[status]),
    )
    ti = SimpleNamespace(try_number=tries, xcom_push=lambda **_: None)
    try:
        ingest.cleanup(pod, pod, None, {"ti": ti})
    except Exception as error:
        return type(error).__name__
    return None


def test_pods_end_as_containers_do():
    assert ended(0) is None
    assert ended(99) == "AirflowSkipException"
    assert ended(65) == "AirflowFailException", "wrong data stays wrong"
    assert ended(75) == "AirflowException", "tried again"
    assert ended(65, tolerated=True) == "AirflowSkipException"
    assert ended(75, tolerated=True) == "AirflowException"
    assert ended(75, tolerated=True, tries=99) == "AirflowSkipException"


def test_pods_work_in_the_folder_of_the_project():
    ingest = pod_task(volume_claim="shop")
    pod = ingest.build_pod_request_obj()
    base = next(container for container in pod.spec.containers if container.name == "base")
    assert base.working_dir == str(ROOT)
    assert base.image == "mixline/step-ingest:latest"
    assert base.args == ["run"]
    mounts = {mount.mount_path: mount.read_only for mount in base.volume_mounts}
    assert mounts[str(ROOT)] is True
    assert base.security_context.read_only_root_filesystem


def test_pods_tell_openlineage_of_their_tables():
    pytest.importorskip("airflow.providers.openlineage")
    ingest = pod_task()
    ingest.result = {"outputs": [{"artifact": "orders", "version": 3, "rows": 7}]}
    told = ingest.get_openlineage_facets_on_complete(None)
    [output] = told.outputs
    assert (output.namespace, output.name) == ("s3://bucket", "shop/orders")
    assert output.facets["version"].datasetVersion == "3"
