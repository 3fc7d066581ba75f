"""What `mixline export` prints is what the other orchestrators understand."""

import json
import os
import subprocess

import pytest

kubernetes_validate = pytest.importorskip("kubernetes_validate")
argo = pytest.importorskip("hera.workflows.models")

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


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    mixline("init", ".", cwd=folder)
    (folder / "dags/odd.toml").write_text(WITH_ODD)
    return folder


def mixline(*arguments, cwd, code=0):
    ended = subprocess.run([os.environ["MIXLINE"], *arguments], cwd=cwd, capture_output=True, text=True)
    assert ended.returncode == code, ended.stderr
    return ended.stdout if code == 0 else ended.stderr


def exported(kind, dag, project):
    return json.loads(mixline("export", kind, dag, *CLUSTER, cwd=project))


@pytest.mark.parametrize("dag", [*DAGS, "odd"])
def test_kubernetes_knows_every_key(project, dag):
    version = kubernetes_validate.latest_version()
    kubernetes_validate.validate(exported("kubernetes", dag, project), version, strict=True)


@pytest.mark.parametrize("dag", [*DAGS, "odd"])
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


def context_of(container):
    (variable,) = [v for v in container["env"] if v["name"] == "MIXLINE_CONTEXT"]
    return variable["value"]


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
