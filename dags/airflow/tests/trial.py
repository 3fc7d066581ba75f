"""Airflow itself, with its scheduler, runs Mixline's pipelines in containers, and `mixline` agrees.

Usage: python trial.py SCRATCH, with MIXLINE (the program), MIXLINE_AIRFLOW_IMAGE and DOCKER_HOST set.
Prints what it saw and the seconds per task; exits with an error at the first thing that is wrong.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

HERE = Path(__file__).parent.parent
NOBODY = 65532
PATIENCE = 600
#: A whole year is the newest interval of a yearly schedule whenever the trial runs.
YEAR = datetime.now(timezone.utc).year - 1
WINDOW = (f"{YEAR}-01-01", f"{YEAR + 1}-01-01")

#: The days, the model that is fitted to them, and a plan; the days again, whose recommendations now know
#: of both, and the report of those. Only the first is fired by the scheduler.
RUNS = [
    ("daily_ingest", WINDOW),
    ("weekly_retrain", None),
    ("weekly_optimize", None),
    ("daily_ingest", WINDOW),
    ("weekly_optimize", None),
]
#: The pipeline that is not read by the package: Airflow gets the file that `mixline export` prints.
EXPORTED = "weekly_optimize"

NOOP = """
name = "{name}"
[tasks.{name}]
step = "step-noop"
retries = {retries}
retry_delay = "1s"
outputs = {{ out = "{name}" }}
config = {{ {config} }}
"""
#: Pipelines that end in every way a step can end.
ENDS = {
    "fails": NOOP.format(name="fails", retries=2, config='fail = "data"'),
    "skips": NOOP.format(name="skips", retries=0, config='fail = "nothing_to_do"'),
    "killed": NOOP.format(name="killed", retries=1, config="sleep_ms = 8000"),
    "late": NOOP.format(name="late", retries=0, config="sleep_ms = 60000")
    + 'timeout = "4s"\ntolerated = true\n',
    "typo": "name = ",
}


def check(condition, message):
    if not condition:
        raise SystemExit(f"trial: {message}")


class Project:
    """A project made by `mixline init`, with a year of a synthetic world in it."""

    def __init__(self, folder: Path, key: Path | None = None):
        self.folder = folder
        folder.mkdir(parents=True)
        self.mixline("init", ".")
        if key:
            # The same key, the same hashes of e-mail addresses.
            shutil.copy(key, self.key)
        days = ["--set", f"start={WINDOW[0]}", "--set", "days=365", "--seed", "3"]
        self.mixline("step", "run", "step-synthesize", "--", *days)
        toml = folder / "mixline.toml"
        toml.write_text(f'openlineage_file = "lineage.ndjson"\n{toml.read_text()}')

    @property
    def key(self) -> Path:
        return self.folder / ".mixline/hash.key"

    def mixline(self, *arguments: str) -> str:
        ended = subprocess.run(
            [os.environ["MIXLINE"], *arguments], cwd=self.folder, capture_output=True, text=True
        )
        check(ended.returncode == 0, f"mixline {arguments} failed\n{ended.stdout}\n{ended.stderr}")
        return ended.stdout

    def open_to_nobody(self) -> None:
        """What containers read and write belongs to whom they run as, unless we are nobody else."""
        self.folder.chmod(0o755)
        if os.getuid() == 0:
            paths = [self.key, self.folder / "store", *(self.folder / "store").rglob("*")]
            for path in paths:
                os.chown(path, NOBODY, NOBODY)

    def history(self) -> dict[str, list[tuple]]:
        """Artifact to version, rows, digest and fingerprint of every commit."""
        found = {}
        for folder in sorted((self.folder / "store").iterdir()):
            if folder.name.startswith("_"):
                continue
            shown = json.loads(self.mixline("artifact", "history", folder.name, "--json"))
            found[folder.name] = [
                (c["version"], c["rows"], c["digest"], c["provenance"]["fingerprint"])
                for c in shown["versions"]
            ]
        return found

    def lineage(self) -> list[dict]:
        return events(self.folder / "lineage.ndjson")


def events(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text().splitlines() if line.strip()]


class Airflow:
    """A running Airflow with an API."""

    def __init__(self, port: int):
        self.url = f"http://127.0.0.1:{port}"
        self.token = None

    def ask(self, method: str, path: str, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method)
        request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def until(self, what: str, found):
        """Asks until something is found."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                if answer := found():
                    return answer
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                pass
            time.sleep(0.5)
        raise SystemExit(f"trial: {what} took longer than {PATIENCE} s")

    def begin(self, dags: list[str]) -> None:
        """Waits until it answers and knows the DAGs."""
        def token():
            self.token = self.ask("GET", "/auth/token")["access_token"]
            return self.token

        def known():
            found = self.ask("GET", "/api/v2/dags?limit=100")["dags"]
            return set(dags) <= {dag["dag_id"] for dag in found}

        self.until("starting", token)
        self.until("reading the DAGs", known)

    def trigger(self, dag: str, window=None) -> str:
        body: dict = {"logical_date": datetime.now(timezone.utc).isoformat()}
        if window:
            start, end = (f"{day}T00:00:00Z" for day in window)
            body |= {"data_interval_start": start, "data_interval_end": end}
        return self.ask("POST", f"/api/v2/dags/{dag}/dagRuns", body)["dag_run_id"]

    def scheduled(self, dag: str) -> str:
        """The run that the scheduler made by itself."""
        def made():
            runs = self.ask("GET", f"/api/v2/dags/{dag}/dagRuns")["dag_runs"]
            return next((r["dag_run_id"] for r in runs if r["run_type"] == "scheduled"), None)

        return self.until(f"scheduling {dag}", made)

    def ended(self, dag: str, run: str) -> tuple[str, dict[str, dict]]:
        """The state of a run that has ended, and its task instances by task."""
        place = f"/api/v2/dags/{dag}/dagRuns/{run}"

        def end():
            state = self.ask("GET", place)["state"]
            return state if state in ("success", "failed") else None

        state = self.until(f"running {dag}", end)
        tasks = self.ask("GET", f"{place}/taskInstances?limit=100")["task_instances"]
        return state, {task["task_id"]: task for task in tasks}

    def result(self, dag: str, run: str, task: str) -> dict:
        """What the step said, as XCom keeps it."""
        place = f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/{task}/xcomEntries/return_value"
        value = self.ask("GET", place)["value"]
        return json.loads(value) if isinstance(value, str) else value

    def interval(self, dag: str, run: str) -> tuple[str, str]:
        found = self.ask("GET", f"/api/v2/dags/{dag}/dagRuns/{run}")
        return found["data_interval_start"][:10], found["data_interval_end"][:10]


@contextmanager
def airflow(home: Path, project: Path):
    """Airflow on SQLite with its own scheduler, in a group of its own that ends with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shutil.copy(HERE / "mixline_dags.py", home / "dags")
    settings = {
        "AIRFLOW_HOME": home,
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": port,
        "AIRFLOW__API__WORKERS": 1,
        "AIRFLOW__API_AUTH__JWT_SECRET": "a secret for one trial on this machine only",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__LOAD_EXAMPLES": False,
        "AIRFLOW__CORE__PARALLELISM": 2,
        "AIRFLOW__CORE__DAGS_FOLDER": home / "dags",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": False,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": True,
        "AIRFLOW__OPENLINEAGE__NAMESPACE": "airflow",
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(
            {"type": "file", "log_file_path": str(home / "openlineage.ndjson"), "append": True}
        ),
        "MIXLINE_AIRFLOW_PROJECT": project,
        "PYTHONPATH": HERE,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    environ = os.environ | {key: str(value) for key, value in settings.items()}
    command = [str(Path(sys.executable).parent / "airflow"), "standalone"]
    with open(home / "airflow.log", "w") as log:
        process = subprocess.Popen(
            command, env=environ, cwd=home, stdout=log, stderr=log, start_new_session=True
        )
        try:
            yield Airflow(port)
        except BaseException:
            tail = (home / "airflow.log").read_text().splitlines()[-60:]
            print("\n".join(tail), file=sys.stderr)
            raise
        finally:
            stop(process)


def stop(process: subprocess.Popen) -> None:
    for number, patience in ((signal.SIGTERM, 20), (signal.SIGKILL, 20)):
        try:
            os.killpg(process.pid, number)
            process.wait(patience)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            pass
    # Workers outlive a parent that was killed.
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout


def without_schedule(text: str) -> str:
    return re.sub(r"(?ms)^\[schedule\].*?(?=^\[)", "", text)


def yearly(text: str) -> str:
    text = re.sub(r'(?m)^cron = "[^"]*"', 'cron = "0 0 1 1 *"', text)
    return re.sub(r'(?m)^zone = "[^"]*"', 'zone = "UTC"', text)


def pipelines(project: Project) -> None:
    """The pipelines of the trial: one that the scheduler fires, others by hand."""
    dags = project.folder / "dags"
    daily = dags / "daily_ingest.toml"
    daily.write_text(yearly(daily.read_text()))
    for name in ("weekly_retrain", "weekly_optimize"):
        weekly = dags / f"{name}.toml"
        weekly.write_text(without_schedule(weekly.read_text()))
    for name, text in ENDS.items():
        (dags / f"{name}.toml").write_text(text)


@contextmanager
def exported(project: Project, home: Path):
    """One pipeline as a file for Airflow; the package does not see it within the block."""
    printed = project.mixline("export", "airflow", EXPORTED, "--image", os.environ["MIXLINE_AIRFLOW_IMAGE"])
    (home / "dags").mkdir(parents=True)
    (home / "dags" / f"{EXPORTED}.py").write_text(printed)
    file = project.folder / "dags" / f"{EXPORTED}.toml"
    text = file.read_text()
    file.unlink()
    yield
    file.write_text(text)


def by_mixline(project: Project) -> dict[str, float]:
    """The same by Mixline's own runner; seconds by task."""
    seconds = {}
    for dag, window in RUNS:
        arguments = [dag, "--window", "..".join(window)] if window else [dag]
        shown = json.loads(project.mixline("run", *arguments, "--json"))
        for task in shown["tasks"]:
            seconds.setdefault(f"{dag}.{task['name']}", task.get("seconds") or 0.0)
    return seconds


def by_airflow(api: Airflow) -> dict[str, dict]:
    """The pipelines by Airflow's scheduler; task instances by pipeline and task."""
    run = api.scheduled("daily_ingest")
    check(api.interval("daily_ingest", run) == WINDOW, "the interval is not the year that ended")
    instances: dict[str, dict] = {}
    for number, (dag, window) in enumerate(RUNS):
        if number > 0:
            run = api.trigger(dag, window)
        state, tasks = api.ended(dag, run)
        states = {name: task["state"] for name, task in tasks.items()}
        check(state == "success", f"{dag} ended {state}: {states}")
        for name, task in tasks.items():
            instances.setdefault(f"{dag}.{name}", task)
    return instances


def reuses(api: Airflow) -> None:
    """The same work once more finds all of it done."""
    for dag, window in RUNS[1:]:
        run = api.trigger(dag, window)
        state, tasks = api.ended(dag, run)
        check(state == "success", f"{dag} ended {state} the second time")
        if dag == EXPORTED:
            continue  # Airflow's own operator keeps the last line said, of whichever stream
        for task in tasks:
            status = api.result(dag, run, task)["status"]
            check(status == "reused", f"{dag}.{task} was {status} the second time")


def ends(api: Airflow, project: Project) -> str:
    """A step that fails, one that skips, one that takes too long, a file that cannot be read, a step
    whose container is killed. OpenLineage's parent that the last one was given."""
    _, tasks = api.ended("fails", api.trigger("fails"))
    check(tasks["fails"]["state"] == "failed", f"wrong data ended {tasks['fails']['state']}")
    check(tasks["fails"]["try_number"] == 1, "wrong data was tried again")
    _, tasks = api.ended("skips", api.trigger("skips"))
    check(tasks["skips"]["state"] == "skipped", f"nothing to do ended {tasks['skips']['state']}")
    _, tasks = api.ended("late", api.trigger("late"))
    check(tasks["late"]["state"] == "skipped", f"a tolerated time-out ended {tasks['late']['state']}")
    late = docker("ps", "--all", "--quiet", "--filter", "label=io.mixline.task=late")
    check(not late.split(), "a container outlives its time-out")
    state, _ = api.ended("typo", api.trigger("typo"))
    check(state == "failed", f"a file that cannot be read ended {state}")
    run = api.trigger("killed")
    label = ["--quiet", "--filter", "label=io.mixline.task=killed"]
    container = api.until("starting a container", lambda: docker("ps", *label).split())[0]
    parent = re.search(r"OPENLINEAGE_PARENT_ID=(\S+?)[\"\]]", docker("inspect", container))
    check(parent, "no OPENLINEAGE_PARENT_ID in the container")
    docker("kill", container)
    state, tasks = api.ended("killed", run)
    check(state == "success", f"the run of a killed container ended {state}")
    check(tasks["killed"]["try_number"] == 2, "a killed container was not tried again")
    shown = json.loads(project.mixline("artifact", "history", "killed", "--json"))["versions"]
    check(len(shown) == 1, f"{len(shown)} commits after one kill")
    check(shown[0]["provenance"]["run"]["attempt"] == 2, "the commit is not the second try's")
    check(not docker("ps", "--all", *label).split(), "containers are left behind")
    return parent[1]


def joins(home: Path, project: Project, parent: str) -> int:
    """Airflow's events and ours are one graph. How many datasets they share."""
    theirs = [e for e in events(home / "openlineage.ndjson") if "run" in e]
    runs = {e["run"]["runId"] for e in theirs}
    ended = [e for e in theirs if e["eventType"] == "COMPLETE" and e["outputs"]]
    check(ended, "Airflow's events name no table of ours")
    for event in ended:
        of = event["run"]["facets"]["parent"]["run"]["runId"]
        check(of in runs, f"{event['job']['name']} has a parent that nobody has heard of")
    check(parent.rsplit("/", 1)[-1] in runs, f"OPENLINEAGE_PARENT_ID {parent} is no run of Airflow's")

    def written(of):
        return {
            (o["namespace"], o["name"], o["facets"]["version"]["datasetVersion"])
            for event in of if event["eventType"] == "COMPLETE" for o in event["outputs"]
        }

    told = [e for e in project.lineage() if not e["job"]["name"].startswith(f"{EXPORTED}.")]
    ours = written(told)
    missing = ours - written(theirs)
    check(ours and not missing, f"not in Airflow's events: {sorted(missing)}")
    return len(ours)


def main(scratch: Path) -> None:
    reference = Project(scratch / "reference")
    project = Project(scratch / "project", reference.key)
    for each in (reference, project):
        pipelines(each)
    project.open_to_nobody()
    own = by_mixline(reference)
    started = time.monotonic()
    home = scratch / "airflow"
    with exported(project, home), airflow(home, project.folder) as api:
        api.begin([*{dag for dag, _ in RUNS}, *ENDS])
        print(f"Airflow answers and knows its DAGs after {time.monotonic() - started:.0f} s")
        instances = by_airflow(api)
        expected, seen = reference.history(), project.history()
        differing = {name: (seen.get(name), expected.get(name)) for name in {*seen, *expected}
                     if seen.get(name) != expected.get(name)}
        check(not differing, f"tables of Airflow's and of Mixline's differ: {differing}")
        print(f"{len(seen)} artifacts: versions, rows, digests and fingerprints are those of `mixline run`")
        reuses(api)
        check(project.history() == expected, "the second run made commits")
        print("a second run reuses everything")
        parent = ends(api, project)
        print("wrong data fails at once, nothing to do and tolerated time-outs skip, a killed container is "
              "tried again, a file that cannot be read stops no other")
    planned = project.mixline("plan", "daily_ingest", "--window", "..".join(WINDOW))
    check("nothing to run" in planned, f"`mixline` would do again what Airflow has done\n{planned}")
    by_mixline(project)
    shared = joins(home, project, parent)
    print(f"`mixline run` reuses what Airflow has done; {shared} dataset versions in one graph")
    print(f"\n{'seconds per task':<28} {'Airflow':>8} {'mixline':>8}")
    for name, task in instances.items():
        print(f"{name:<28} {task['duration']:>8.2f} {own.get(name, 0.0):>8.2f}")
    print(f"trial: all well, {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    main(Path(sys.argv[1]))
