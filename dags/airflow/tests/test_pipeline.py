"""The loader against `mixline` itself: the same edges, the same context, the same limits."""

import json
import os
import subprocess
from datetime import timedelta
from pathlib import Path

import jinja2
import pytest
from mixline_airflow import PipelineError, Settings, SettingsError, read_catalogue, read_pipeline
from mixline_airflow import context, lineage, outcome
from mixline_airflow.pipeline import duration

HERE = Path(__file__).parent.parent
DAGS = ["daily_ingest", "weekly_retrain", "weekly_optimize"]
STORE = "s3://bucket/shop"
CATALOGUE = read_catalogue(HERE / "steps.json")


def pipeline(name):
    return read_pipeline(HERE.parent / f"{name}.toml", CATALOGUE)


def mixline(*arguments, cwd):
    program = os.environ["MIXLINE"]
    return subprocess.run([program, *arguments], cwd=cwd, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    mixline("init", ".", cwd=folder)
    return folder


def test_the_catalogue_is_what_the_steps_say(project):
    printed = json.loads(mixline("export", "catalogue", cwd=project))
    assert printed == json.loads((HERE / "steps.json").read_text()), (
        "write it anew: mixline export catalogue > dags/airflow/steps.json"
    )


@pytest.mark.parametrize("name", DAGS)
def test_tasks_wait_for_those_that_mixline_lets_them_wait_for(project, name):
    exported = json.loads(mixline("export", "argo", name, "--store", STORE, cwd=project))
    nodes = exported["spec"]["workflowSpec"]["templates"][0]["dag"]["tasks"]
    expected = {node["name"]: sorted(node["dependencies"]) for node in nodes}
    assert {t.name: t.deps for t in pipeline(name).tasks.values()} == expected


@pytest.mark.parametrize("name", DAGS)
def test_the_context_is_the_exported_one_with_run_and_attempt(project, name):
    exported = json.loads(mixline("export", "argo", name, "--store", STORE, cwd=project))
    templates = exported["spec"]["workflowSpec"]["templates"][1:]
    read = pipeline(name)
    settings = Settings.from_env({}, project=project, store=STORE)
    for template in templates:
        (variable,) = [v for v in template["container"]["env"] if v["name"] == "MIXLINE_CONTEXT"]
        expected = json.loads(variable["value"])
        task = read.tasks[template["name"]]
        text = jinja2.Template(context.document(read, task, settings)).render(
            run_id="manual__1", ti={"try_number": 2}
        )
        given = json.loads(text)
        assert given.pop("run") == {
            "run_id": "manual__1", "attempt": 2, "dag": name, "task": task.name,
        }
        expected.pop("run")
        assert given == expected


def test_a_configuration_that_looks_like_a_template_stays_what_it_is(tmp_path):
    odd = "{{ secret }} {% raw %} {# x #} \" \\ {"
    file = tmp_path / "odd.toml"
    file.write_text(
        'name = "odd"\n[tasks.a]\nstep = "step-noop"\n[tasks.a.config]\nfail = ' + json.dumps(odd)
    )
    read = read_pipeline(file, CATALOGUE)
    document = context.document(read, read.tasks["a"], Settings(project=tmp_path, store="s3://b"))
    rendered = jinja2.Template(document).render(run_id="r", ti={"try_number": 1})
    assert json.loads(rendered)["config"]["fail"] == odd


def test_only_windowed_steps_get_a_window(tmp_path):
    read = pipeline("daily_ingest")
    settings = Settings(project=tmp_path, store="s3://bucket")
    named = {
        name for name, task in read.tasks.items()
        if "MIXLINE_WINDOW_START" in context.variables(read, task, settings)
    }
    assert named == {name for name, task in read.tasks.items() if task.step.windowed}
    assert "measure" in named and "ingest" not in named


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("10s", 10), ("5m", 300), ("2h", 7200), ("1d", 86400)]
)
def test_durations(text, seconds):
    assert duration(text) == timedelta(seconds=seconds)


def test_what_is_wrong_is_said_with_its_place(tmp_path):
    file = tmp_path / "bad.toml"
    file.write_text('name = "bad"\n[tasks.a]\nstep = "step-nowhere"\n')
    with pytest.raises(PipelineError, match=r"bad\.toml, tasks\.a\.step.*step-nowhere"):
        read_pipeline(file, CATALOGUE)
    file.write_text('name = "bad"\n[tasks.a]\nstep = "step-noop"\nafter = ["z"]\n')
    with pytest.raises(PipelineError, match=r"tasks\.a\.after.*`z`"):
        read_pipeline(file, CATALOGUE)
    file.write_text("name = ")
    with pytest.raises(PipelineError, match=r"bad\.toml"):
        read_pipeline(file, CATALOGUE)
    with pytest.raises(PipelineError, match="soon"):
        duration("soon")


def test_settings_come_from_the_project_and_the_environment(tmp_path):
    (tmp_path / "mixline.toml").write_text('store = "./s"\nzone = "Europe/Berlin"\n')
    environ = {
        "MIXLINE_AIRFLOW_PROJECT": str(tmp_path),
        "MIXLINE_AIRFLOW_ENV": "AWS_REGION,ABSENT",
        "AWS_REGION": "eu-central-1",
    }
    settings = Settings.from_env(environ)
    assert settings.store == str(tmp_path / "s")
    assert settings.zone == "Europe/Berlin"
    assert settings.env == {"AWS_REGION": "eu-central-1"}
    with pytest.raises(SettingsError, match="MIXLINE_AIRFLOW_PROJECT"):
        Settings.from_env({})
    with pytest.raises(SettingsError, match="pods share no folder"):
        Settings.from_env(environ | {"MIXLINE_AIRFLOW_EXECUTOR": "kubernetes"})


def test_exit_codes_and_results_are_read():
    assert outcome.exit_code("Docker container failed: {'StatusCode': 65}") == 65
    assert outcome.exit_code("something else") is None
    line = '{"status": "succeeded", "outputs": []}'
    assert outcome.result(line)["status"] == "succeeded"
    assert outcome.result(["x", line])["status"] == "succeeded"
    assert outcome.result([line, '{"level": "INFO"}'])["status"] == "succeeded", "streams are merged"
    for other in ("not JSON", '"text"', "{}", None, []):
        assert outcome.result(other) is None


@pytest.mark.parametrize(
    ("store", "expected"),
    [
        ("/data/store", ("file", "/data/store/orders")),
        ("file:///data/store/", ("file", "/data/store/orders")),
        ("s3://bucket/a/b", ("s3://bucket", "a/b/orders")),
        ("s3://bucket", ("s3://bucket", "orders")),
    ],
)
def test_datasets_are_named_as_mixline_names_them(store, expected):
    assert lineage.dataset_of(store, "orders") == expected
