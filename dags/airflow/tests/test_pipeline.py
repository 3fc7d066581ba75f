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


def test_a_run_without_an_interval_has_no_window(tmp_path):
    read = pipeline("daily_ingest")
    settings = Settings(project=tmp_path, store=STORE)
    # As strict as Airflow's own.
    strict = jinja2.Environment(undefined=jinja2.StrictUndefined)
    strict.filters["ts"] = str
    template = strict.from_string(
        context.variables(read, read.tasks["measure"], settings)["MIXLINE_WINDOW_START"]
    )
    assert template.render(data_interval_start="2026-01-01") == "2026-01-01"
    assert template.render() == template.render(data_interval_start=None) == ""


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
    with pytest.raises(PipelineError, match="soon"):
        duration("soon")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = ", ""),
        ("[tasks.a]\nstep = 'step-noop'", ", name: is missing"),
        ("name = 3", ", name: must be a text"),
        ("name = 'bad'", ", tasks: is missing"),
        ("name = 'bad'\n[tasks]", ", tasks: must be a table that is not empty"),
        ("name = 'bad'\ntasks.a = 1", r", tasks\.a: must be a table"),
        ("name = 'bad'\n[tasks.a]\nretries = 1", r", tasks\.a\.step: is missing"),
        ("name = 'bad'\n[tasks.a]\nstep = 'step-noop'\nretries = 1.5", r", tasks\.a\.retries: `1\.5`"),
        ("name = 'bad'\n[tasks.a]\nstep = 'step-noop'\ncores = 0", r", tasks\.a\.cores: `0`"),
        ("name = 'bad'\n[tasks.a]\nstep = 'step-noop'\ntimeout = 'soon'", r", tasks\.a\.timeout: `soon`"),
        ("name = 'bad'\n[schedule]\nzone = 'UTC'\n[tasks.a]\nstep = 'step-noop'", r", schedule\.cron: is"),
        (
            "name = 'bad'\n[schedule]\ncron = '0 0 * * *'\nzone = 'Mars'\n[tasks.a]\nstep = 'step-noop'",
            r", schedule\.zone: there is no zone `Mars`",
        ),
        (
            "name = 'bad'\n[tasks.a]\nstep = 'step-noop'\nafter = ['b']\n"
            "[tasks.b]\nstep = 'step-noop'\nafter = ['a']\noutputs = { out = 'b' }",
            ", tasks: these wait for each other: ",
        ),
    ],
)
def test_whatever_is_wrong_has_a_file_and_a_key(tmp_path, text, said):
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(PipelineError, match=r"bad\.toml" + said):
        read_pipeline(file, CATALOGUE)


def test_a_file_that_is_no_catalogue_is_named(tmp_path):
    file = tmp_path / "steps.json"
    for text in ("{}", "[", '{"steps": {"step-x": {}}}'):
        file.write_text(text)
        with pytest.raises(PipelineError, match=r"steps\.json.*mixline export catalogue"):
            read_catalogue(file)


def test_settings_come_from_the_project_and_the_environment(tmp_path):
    (tmp_path / "mixline.toml").write_text('store = "./s"\nzone = "Europe/Berlin"\n')
    environ = {
        "MIXLINE_AIRFLOW_PROJECT": str(tmp_path),
        "MIXLINE_AIRFLOW_ENV": " AWS_REGION, ,KEY ",
        "AWS_REGION": "eu-central-1",
        "KEY": "k",
    }
    settings = Settings.from_env(environ)
    assert settings.store == str(tmp_path / "s")
    assert settings.zone == "Europe/Berlin"
    assert settings.env == {"AWS_REGION": "eu-central-1", "KEY": "k"}
    with pytest.raises(SettingsError, match="MIXLINE_AIRFLOW_PROJECT"):
        Settings.from_env({})
    with pytest.raises(SettingsError, match="ENV names ABSENT, OTHER, which"):
        Settings.from_env(environ | {"MIXLINE_AIRFLOW_ENV": "ABSENT,KEY,OTHER"})
    with pytest.raises(SettingsError, match="user is `root`"):
        Settings.from_env(environ | {"MIXLINE_AIRFLOW_USER": "root"})
    (tmp_path / "mixline.toml").write_text("store = ")
    with pytest.raises(SettingsError, match=r"mixline\.toml"):
        Settings.from_env(environ)


def test_pods_need_a_store_of_their_own_and_get_no_variables(tmp_path):
    environ = {"MIXLINE_AIRFLOW_PROJECT": str(tmp_path), "MIXLINE_AIRFLOW_EXECUTOR": "kubernetes", "KEY": "k"}
    with pytest.raises(SettingsError, match="pods share no folder"):
        Settings.from_env(environ)
    environ["MIXLINE_AIRFLOW_STORE"] = STORE
    (tmp_path / "mixline.toml").write_text('[container]\nenv = ["KEY"]\n')
    settings = Settings.from_env(environ)
    assert settings.env == {} and settings.secret == "mixline"
    with pytest.raises(SettingsError, match="put KEY into the Secret `mine`"):
        Settings.from_env(environ | {"MIXLINE_AIRFLOW_ENV": "KEY", "MIXLINE_AIRFLOW_SECRET": "mine"})


CONTAINER = """
dags = "pipelines"
[container]
image = "registry/{step}:1"
user = "1000:1001"
network = "shop"
env = ["KEY", "ABSENT"]
mounts = ["data", "/srv/exports:ro"]
"""


def test_what_mixline_toml_says_of_containers_holds_here_too(tmp_path):
    (tmp_path / "mixline.toml").write_text(CONTAINER)
    environ = {"MIXLINE_AIRFLOW_PROJECT": str(tmp_path), "KEY": "k", "OTHER": "o"}
    settings = Settings.from_env(environ)
    assert settings.dags == "pipelines"
    assert settings.image_of("step-fit", None) == "registry/step-fit:1"
    assert settings.numeric_user == "1000:1001"
    assert settings.network_mode == "shop"
    assert settings.env == {"KEY": "k"}, "as with mixline, what is not there is not passed on"
    folders = {folder.path: folder.read_only for folder in settings.folders}
    assert folders == {
        str(tmp_path): True,
        str(tmp_path / "store"): False,
        str(tmp_path / "data"): False,
        "/srv/exports": True,
    }
    other = {"MIXLINE_AIRFLOW_NETWORK": "host", "MIXLINE_AIRFLOW_ENV": "OTHER", "MIXLINE_AIRFLOW_USER": "7"}
    settings = Settings.from_env(environ | other)
    assert settings.network_mode == "host" and settings.numeric_user == "7"
    assert settings.env == {"OTHER": "o"}


def test_a_folder_needs_no_network(tmp_path):
    assert Settings(project=tmp_path, store="/srv/store").network_mode == "none"
    assert Settings(project=tmp_path, store=STORE).network_mode is None


def test_containers_run_as_the_owner_of_the_store_and_never_as_root(tmp_path):
    owner = f"{tmp_path.stat().st_uid}:{tmp_path.stat().st_gid}"
    expected = "65532:65532" if owner.startswith("0:") else owner
    assert Settings(project=tmp_path, store=str(tmp_path)).numeric_user == expected
    assert Settings(project=tmp_path, store=str(tmp_path / "absent")).numeric_user == "65532:65532"
    assert Settings(project=tmp_path, store=STORE).numeric_user == "65532:65532"


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


def test_azure_names_the_account():
    named = lineage.dataset_of("az://lake/a", "orders", "acme")
    assert named == ("abfss://lake@acme.dfs.core.windows.net", "a/orders")
