"""What `mixline export` prints is what the other orchestrators understand."""

import json
import os
import subprocess

import pytest

kubernetes_validate = pytest.importorskip("kubernetes_validate")
argo = pytest.importorskip("hera.workflows.models")

from mixline_airflow import outcome  # noqa: E402

DAGS = ["daily_ingest", "weekly_retrain", "weekly_optimize"]
CLUSTER = ["--store", "s3://bucket/shop", "--claim", "shop"]
#: A configuration in the words of every templating language on the way.
ODD = "{{ workflow.uid }} {{= 1 }} $(MIXLINE_POD) $$(x) {% if %} {# note #}"
WITH_ODD = f"""
name = "odd"
[tasks.odd]
step = "step-noop"
config = {{ fail = {json.dumps(ODD)} }}
"""


LIMITED = """
name = "limited"
[defaults]
timeout = "1500ms"
[tasks.first_one]
step = "step-noop"
retries = 2
tolerated = true
outputs = { out = "first" }
[tasks.last_one]
step = "step-noop"
after = ["first_one"]
outputs = { out = "last" }
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    mixline("init", ".", cwd=folder)
    (folder / "dags/odd.toml").write_text(WITH_ODD)
    (folder / "dags/limited.toml").write_text(LIMITED)
    return folder


def mixline(*arguments, cwd, code=0):
    ended = subprocess.run([os.environ["MIXLINE"], *arguments], cwd=cwd, capture_output=True, text=True)
    assert ended.returncode == code, ended.stderr
    return ended.stdout if code == 0 else ended.stderr


def exported(kind, dag, project):
    return json.loads(mixline("export", kind, dag, *CLUSTER, cwd=project))


@pytest.mark.parametrize("dag", [*DAGS, "odd", "limited"])
def test_kubernetes_knows_every_key(project, dag):
    version = kubernetes_validate.latest_version()
    kubernetes_validate.validate(exported("kubernetes", dag, project), version, strict=True)


@pytest.mark.parametrize("dag", [*DAGS, "odd", "limited"])
def test_argo_knows_every_key(project, dag):
    document = exported("argo", dag, project)
    model = getattr(argo, document["kind"]).model_validate(document)
    # What a model does not know it drops.
    assert json.loads(model.model_dump_json(by_alias=True, exclude_unset=True)) == document


@pytest.mark.parametrize("dag", DAGS)
def test_pods_may_do_no_more_than_a_step_needs(project, dag):
    job = exported("kubernetes", dag, project)["spec"]["jobTemplate"]["spec"]
    pod = job["template"]["spec"]
    for container in [*pod["initContainers"], *pod["containers"]]:
        security = container["securityContext"]
        assert security["runAsNonRoot"] and security["readOnlyRootFilesystem"]
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert container["workingDir"] == str(project)
        writable = [m["mountPath"] for m in container["volumeMounts"] if not m.get("readOnly")]
        assert writable == ["/tmp"]


def variable_of(container, name):
    (variable,) = [v for v in container["env"] if v["name"] == name]
    return variable["value"]


def context_of(container):
    return variable_of(container, "MIXLINE_CONTEXT")


def test_nothing_to_do_is_no_failure_of_a_cluster(project):
    pod = exported("kubernetes", "limited", project)["spec"]["template"]["spec"]
    _, *templates = exported("argo", "limited", project)["spec"]["templates"]
    containers = [*pod["initContainers"], *pod["containers"], *(each["container"] for each in templates)]
    assert [variable_of(each, "MIXLINE_SKIP_EXIT_CODE") for each in containers] == ["0"] * 4


def test_everybody_agrees_on_what_is_not_tried_again(project):
    job = exported("kubernetes", "limited", project)["spec"]
    (rule,) = job["podFailurePolicy"]["rules"]
    assert rule["onExitCodes"]["values"] == sorted(outcome.PERMANENT)
    _, template, _ = exported("argo", "limited", project)["spec"]["templates"]
    codes = str(sorted(outcome.PERMANENT))
    assert template["retryStrategy"]["expression"] == f"asInt(lastRetry.exitCode) not in {codes}"
    file = mixline("export", "airflow", "limited", cwd=project)
    assert f'"skip_on_exit_code": [{outcome.SKIP}]' in file


def test_a_workflow_goes_on_after_a_task_that_is_tolerated(project):
    pipeline, *_ = exported("argo", "limited", project)["spec"]["templates"]
    on = {task["name"]: task.get("continueOn") for task in pipeline["dag"]["tasks"]}
    assert on == {"first-one": {"failed": True, "error": True}, "last-one": None}


def test_limits_are_whole_seconds_and_never_shorter(project):
    job = exported("kubernetes", "limited", project)["spec"]
    assert job["activeDeadlineSeconds"] == 2 * 3 + 2
    _, template, _ = exported("argo", "limited", project)["spec"]["templates"]
    assert template["activeDeadlineSeconds"] == 2
    assert "activeDeadlineSeconds" not in exported("kubernetes", "odd", project)["spec"]


CONTAINER = """
[container]
mounts = ["data", "/srv/exports:ro"]
"""


def test_a_file_for_airflow_knows_the_folders_and_the_network(project, tmp_path):
    mixline("init", ".", cwd=tmp_path)
    toml = tmp_path / "mixline.toml"
    toml.write_text(toml.read_text() + CONTAINER)
    file = mixline("export", "airflow", "daily_ingest", cwd=tmp_path)
    for path, read_only in [
        (tmp_path, True), (tmp_path / "store", False), (tmp_path / "data", False), ("/srv/exports", True),
    ]:
        assert f'Mount(target="{path}", source="{path}", type="bind", read_only={read_only})' in file
    assert '"network_mode": "none"' in file
    assert "{{ data_interval_end | ts if data_interval_end | default(none) else '' }}" in file
    toml.write_text(toml.read_text() + 'network = "shop"\n')
    assert '"network_mode": "shop"' in mixline("export", "airflow", "daily_ingest", cwd=tmp_path)
    file = mixline("export", "airflow", "daily_ingest", "--store", "s3://b", cwd=project)
    assert "network_mode" not in file


def test_a_configuration_is_nobodys_template(project):
    pod = exported("kubernetes", "odd", project)["spec"]["template"]["spec"]
    # Kubernetes: `$$(` is a literal `$(`, and `$(NAME)` a variable.
    text = context_of(pod["containers"][0])
    text = text.replace("$$(", "\0").replace("$(MIXLINE_POD)", "pod-1").replace("\0", "$(")
    context = json.loads(text)
    assert context["config"]["fail"] == ODD
    assert context["run"]["run_id"] == "pod-1"
    template = exported("argo", "odd", project)["spec"]["templates"][1]
    text = context_of(template["container"])
    assert text.count("{{") == 1, "Argo fills in the run and nothing else"


def test_a_folder_is_no_store_for_pods(project):
    said = mixline("export", "argo", "daily_ingest", cwd=project, code=2)
    assert "pods cannot reach the folder" in said and "--store" in said
