"""The DAGs in Airflow's own words; left out where Airflow is not installed."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest

pytest.importorskip("airflow.sdk")

from airflow.sdk.bases.operator import ExecutorSafeguard  # noqa: E402
from mixline_airflow import PipelineError, Settings, SettingsError, load  # noqa: E402
from mixline_airflow.ends import AirflowTaskTimeout  # noqa: E402

HERE = Path(__file__).parent.parent
ROOT = HERE.parent.parent
NOOP = 'name = "{name}"\n[tasks.{name}]\nstep = "step-noop"\n'


@pytest.fixture(autouse=True)
def nobody_minds_that_there_is_no_task_runner(monkeypatch):
    monkeypatch.setattr(ExecutorSafeguard, "test_mode", True)


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
    assert measure.network_mode == "none", "a folder needs no network"
    assert loaded(store="s3://b")["daily_ingest"].get_task("measure").network_mode is None


def test_containers_see_the_folders_of_the_settings():
    dag = loaded(store="s3://b", mounts=("data", "/srv/exports:ro"))["daily_ingest"]
    targets = {mount["Target"]: mount["ReadOnly"] for mount in dag.get_task("measure").mounts}
    assert targets == {str(ROOT): True, str(ROOT / "data"): False, "/srv/exports": True}


def test_airflow_is_told_no_secret():
    serialized = pytest.importorskip("airflow.serialization.serialized_objects")
    dag = loaded(store="s3://b", env={"KEY": "a secret"})["daily_ingest"]
    assert "a secret" not in json.dumps(serialized.DagSerialization.to_dict(dag))


def project(folder, **files):
    """A project with these pipeline files."""
    (folder / "dags").mkdir()
    for name, text in files.items():
        (folder / "dags" / f"{name}.toml").write_text(text)
    return Settings(project=folder, store="s3://b")


def test_a_file_that_cannot_be_read_stops_no_other(tmp_path):
    settings = project(
        tmp_path,
        good=NOOP.format(name="good"),
        nothing="",
        syntax="name = ",
        cron=NOOP.format(name="cron") + '[schedule]\ncron = "99 * * * *"\n',
        twin=NOOP.format(name="good"),
        second=NOOP.format(name="not a name"),
    )
    dags = load(settings)
    assert set(dags) == {"good", "nothing", "syntax", "cron", "twin", "second"}
    assert dags.pop("good").tags == {"mixline"}
    for name, dag in dags.items():
        assert dag.tags == {"mixline", "broken"} and dag.schedule is None
        assert f"{tmp_path}/dags/{name}.toml" in dag.description
        (task,) = dag.tasks
        with pytest.raises(PipelineError, match=f"{name}\\.toml"):
            task.execute({})
    assert "name: is missing" in dags["nothing"].description
    assert "out of range" in dags["cron"].description


def test_a_broken_file_takes_no_name_that_is_taken(tmp_path):
    dags = load(project(tmp_path, a="name = ", b=NOOP.format(name="a")))
    assert dags["a"].tags == {"mixline"} and "broken" in dags["a.toml"].tags


def test_a_project_without_its_folder_of_pipelines_is_an_error(tmp_path):
    with pytest.raises(SettingsError, match="`dags`"):
        load(Settings(project=tmp_path, store="s3://b"))
    settings = replace(project(tmp_path, good=NOOP.format(name="good")), dags="pipelines")
    (tmp_path / "dags").rename(tmp_path / "pipelines")
    assert set(load(settings)) == {"good"}


def test_airflow_takes_every_dag_of_the_file(tmp_path, monkeypatch):
    dagbag = pytest.importorskip("airflow.dag_processing.dagbag")
    project(
        tmp_path,
        good=NOOP.format(name="good"),
        syntax="name = ",
        cron=NOOP.format(name="cron") + '[schedule]\ncron = "99 * * * *"\n',
    )
    folder = tmp_path / "airflow"
    folder.mkdir()
    shutil.copy(HERE / "mixline_dags.py", folder)
    monkeypatch.setenv("MIXLINE_AIRFLOW_PROJECT", str(tmp_path))
    bag = dagbag.DagBag(dag_folder=str(folder))
    assert bag.import_errors == {}, "one would stop the good ones"
    assert set(bag.dags) == {"good", "syntax", "cron"}


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
    (secret,) = fit.env_from
    assert secret.secret_ref.name == "mixline" and secret.secret_ref.optional
    assert '"store": "s3://bucket/shop"' in fit.env_vars["MIXLINE_CONTEXT"]
    with pytest.raises(json.JSONDecodeError):
        json.loads(fit.env_vars["MIXLINE_CONTEXT"])  # a template until Airflow fills it in


def pod_task(**given):
    pytest.importorskip("airflow.providers.cncf.kubernetes")
    settings = {"store": "s3://bucket/shop", "executor": "kubernetes", **given}
    ingest = loaded(**settings)["daily_ingest"].get_task("ingest")
    # There is no cluster to ask for labels and events, or to delete pods of.
    ingest.client = ingest.pod_manager = ingest.pod_request_obj = MagicMock()
    ingest.hook = MagicMock(is_in_cluster=False)
    return ingest


def ended_of(task, tolerated, tries):
    """What the operator raises, when it raises; at the try of three."""
    store, mixline = task.mixline
    task.mixline = (store, replace(mixline, tolerated=tolerated))
    ti = SimpleNamespace(try_number=tries, max_tries=2, xcom_push=lambda *_, **__: None)
    try:
        task.execute({"ti": ti})
    except (AirflowTaskTimeout, Exception) as error:
        return type(error).__name__
    return None


def pod_ended(code, tolerated=False, tries=1):
    """A pod's operator after a container that ended with a code."""
    from kubernetes.client import models as k8s

    ingest = pod_task()
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
    ingest.get_or_create_pod = lambda **_: pod
    ingest.find_pod = lambda *_, **__: pod
    ingest.await_pod_start = lambda **_: None
    ingest.pod_manager.await_pod_completion.return_value = pod
    ingest.pod_manager.extract_xcom.return_value = '{"status": "failed", "outputs": []}'
    return ended_of(ingest, tolerated, tries)


def container_ended(code, tolerated=False, tries=1):
    """A container's operator after it ended with a code, or after an error of the engine."""
    ingest = loaded(store="s3://b")["daily_ingest"].get_task("ingest")
    ingest.hook = hook = MagicMock()
    engine = hook.api_client
    engine.info.return_value = {"NCPU": 2}
    engine.attach.return_value = [b'{"status": "failed", "outputs": []}']
    if isinstance(code, BaseException):
        engine.wait.side_effect = code
    else:
        engine.wait.return_value = {"StatusCode": code}
    return ended_of(ingest, tolerated, tries)


@pytest.mark.parametrize("ended", [pod_ended, container_ended])
def test_pods_end_as_containers_do(ended):
    if ended == pod_ended:
        pytest.importorskip("airflow.providers.cncf.kubernetes")
    again = {"AirflowException", "DockerContainerFailedException"}
    skipped = {"AirflowSkipException", "DockerContainerFailedSkipException"}
    assert ended(0) is None
    assert ended(99) in skipped
    assert ended(65) == "AirflowFailException", "wrong data stays wrong"
    assert ended(75) in again
    assert ended(75, tries=3) in again, "the last time, which Airflow knows"
    assert ended(65, tolerated=True) in skipped
    assert ended(75, tolerated=True) in again
    assert ended(75, tolerated=True, tries=3) in skipped


def timed_out():
    return AirflowTaskTimeout("Timeout, PID: 7")


def test_a_task_that_is_tolerated_may_end_in_any_way():
    from docker.errors import APIError

    assert container_ended(timed_out()) == "AirflowTaskTimeout"
    assert container_ended(timed_out(), tolerated=True) == "AirflowTaskTimeout", "tried again"
    assert container_ended(timed_out(), tolerated=True, tries=3) == "AirflowSkipException"
    assert container_ended(APIError("no space"), tolerated=True) == "APIError"
    assert container_ended(APIError("no space"), tolerated=True, tries=3) == "AirflowSkipException"


def test_a_pod_that_never_came_is_tolerated():
    for error in (RuntimeError("quota"), timed_out()):
        ingest = pod_task()
        ingest.get_or_create_pod = MagicMock(side_effect=error)
        assert ended_of(ingest, tolerated=False, tries=3) == type(error).__name__
        ingest = pod_task()
        ingest.get_or_create_pod = MagicMock(side_effect=error)
        assert ended_of(ingest, tolerated=True, tries=3) == "AirflowSkipException"


def test_containers_are_confined_in_what_the_operator_cannot_say():
    from docker.errors import NotFound

    ingest = loaded(store="s3://b")["daily_ingest"].get_task("ingest")
    ingest.hook = MagicMock()
    engine = ingest.hook.api_client
    host = engine.create_host_config
    engine.info.return_value = {"NCPU": 2}
    engine.attach.return_value = [b'{"status": "reused", "outputs": []}']
    engine.wait.return_value = {"StatusCode": 0}
    ti = SimpleNamespace(try_number=1, max_tries=0)
    assert ingest.execute({"ti": ti})["status"] == "reused"
    said = host.call_args.kwargs
    assert said["read_only"] and said["cap_drop"] == ["ALL"]
    assert said["memswap_limit"] == said["mem_limit"], "no swap"
    _, task = ingest.mixline
    assert said["nano_cpus"] == min(task.cores, 2) * 1e9
    engine.stop.side_effect = NotFound("removed after a time-out")
    ingest.on_kill()


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
