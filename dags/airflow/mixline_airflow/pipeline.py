"""A pipeline file and what follows from it, without Airflow.

Edges follow from artifact names, as in `mixline plan`: a task that reads what another writes comes
after it, and `after` adds an edge. What a step reads and writes is in the catalogue, which
`mixline export catalogue` prints.
"""

from __future__ import annotations

import graphlib
import json
import re
import tomllib
import zoneinfo
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any


class PipelineError(ValueError):
    """A pipeline file that cannot be used; the message says where and why."""


@dataclass(frozen=True)
class Step:
    """What the catalogue says of a step."""

    name: str
    inputs: dict[str, str]
    """Port to artifact."""
    outputs: dict[str, str]
    """Port to artifact."""
    windowed: bool
    """Whether the data interval changes the result."""
    cores: float
    memory_mib: int


@dataclass(frozen=True)
class Task:
    """One use of a step."""

    name: str
    step: Step
    config: dict[str, Any]
    inputs: dict[str, str]
    """Port to reference (`name`, `name@3`, `name@alias`), where it is not the newest of the artifact."""
    outputs: dict[str, str]
    """Port to artifact, for every port."""
    deps: list[str]
    retries: int
    retry_delay: timedelta
    timeout: timedelta | None
    pool: str | None
    tolerated: bool
    image: str | None
    cores: float
    memory_mib: int


@dataclass(frozen=True)
class Schedule:
    """When a pipeline runs by itself."""

    cron: str
    zone: str
    catch_up: str = "last"
    overlap: str = "queue"


@dataclass(frozen=True)
class Pipeline:
    """A pipeline file."""

    name: str
    description: str
    schedule: Schedule | None
    tasks: dict[str, Task] = field(default_factory=dict)


def read_catalogue(path: Path) -> dict[str, Step]:
    """The steps that exist, as `mixline export catalogue` printed them.

    Raises `PipelineError` when the file is not that.
    """
    try:
        document = json.loads(Path(path).read_text())
        return {
            name: Step(
                name=name,
                inputs=entry["inputs"],
                outputs=entry["outputs"],
                windowed=entry["windowed"],
                cores=entry["cores"],
                memory_mib=entry["memory_mib"],
            )
            for name, entry in document["steps"].items()
        }
    except KeyError as error:
        raise PipelineError(f"{path}: {error} is missing; `mixline export catalogue` writes it anew") from error
    except (OSError, ValueError) as error:
        raise PipelineError(f"{path}: {error}; `mixline export catalogue` writes it anew") from error


def read_pipeline(path: Path, catalogue: dict[str, Step], zone: str = "UTC") -> Pipeline:
    """A pipeline file. `zone` is that of schedules that name none.

    Raises `PipelineError`, with the file and the key.
    """
    path = Path(path)
    try:
        document = tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise PipelineError(f"{path}: {error}") from error
    name = _required(path, "", document, "name", str)
    tables = _required(path, "", document, "tasks", dict)
    defaults = document.get("defaults", {})
    drafts = {
        task: _draft(path, task, tables, defaults, catalogue)
        for task in sorted(tables)
    }
    deps = _edges(path, drafts, tables)
    _refuse_cycles(path, deps)
    tasks = {task: _with_deps(draft, deps[task]) for task, draft in drafts.items()}
    return Pipeline(
        name=name,
        description=document.get("description", ""),
        schedule=_schedule(path, document, zone),
        tasks=tasks,
    )


def _required(path: Path, place: str, table: dict[str, Any], key: str, kind: type) -> Any:
    """The value of a key that must be there. `place` is that of the table, for messages."""
    kinds = {str: "a text", dict: "a table"}
    where = f"{path}, {place}{key}"
    if key not in table:
        raise PipelineError(f"{where}: is missing")
    if not isinstance(table[key], kind) or not table[key]:
        raise PipelineError(f"{where}: must be {kinds[kind]} that is not empty")
    return table[key]


def duration(text: str) -> timedelta:
    """`500ms`, `10s`, `5m`, `2h`, `1d`. Raises `PipelineError` for anything else."""
    match = re.fullmatch(r"(\d+)(ms|s|m|h|d)", str(text))
    if match is None:
        raise PipelineError(f"`{text}` is not a duration; write for example `10s`, `5m`, `2h`")
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
    return timedelta(seconds=float(match[1]) * units[match[2]])


def _schedule(path: Path, document: dict[str, Any], zone: str) -> Schedule | None:
    if "schedule" not in document:
        return None
    table = _required(path, "", document, "schedule", dict)
    zone = table.get("zone", zone)
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, TypeError) as error:
        raise PipelineError(f"{path}, schedule.zone: there is no zone `{zone}`") from error
    return Schedule(
        cron=_required(path, "schedule.", table, "cron", str),
        zone=zone,
        catch_up=table.get("catch_up", "last"),
        overlap=table.get("overlap", "queue"),
    )


def _draft(
    path: Path,
    name: str,
    tables: dict[str, Any],
    defaults: dict[str, Any],
    catalogue: dict[str, Step],
) -> Task:
    table = _required(path, "tasks.", tables, name, dict)
    place = f"tasks.{name}."
    wanted = _required(path, place, table, "step", str)
    step = catalogue.get(wanted)
    if step is None:
        known = ", ".join(catalogue)
        raise PipelineError(
            f"{path}, {place}step: there is no step `{wanted}` in the catalogue ({known}); "
            "`mixline export catalogue` writes it anew"
        )

    def chosen(key: str, otherwise: Any = None) -> Any:
        return table.get(key, defaults.get(key, otherwise))

    def time(key: str, otherwise: str | None = None) -> timedelta | None:
        text = chosen(key, otherwise)
        try:
            return None if text is None else duration(text)
        except PipelineError as error:
            raise PipelineError(f"{path}, {place}{key}: {error}") from error

    def number(key: str, otherwise: float, least: float) -> Any:
        value = chosen(key, otherwise)
        # Numbers of the same kind: 1.5 processors, but no 1.5 retries.
        if not isinstance(value, (int, type(otherwise))) or value < least:
            raise PipelineError(f"{path}, {place}{key}: `{value}` is no number from {least} on")
        return value

    return Task(
        name=name,
        step=step,
        config=table.get("config", {}),
        inputs=table.get("inputs", {}),
        outputs={**step.outputs, **table.get("outputs", {})},
        deps=[],
        retries=number("retries", 0, 0),
        retry_delay=time("retry_delay", "10s"),
        timeout=time("timeout"),
        pool=chosen("pool"),
        tolerated=table.get("tolerated", False),
        image=table.get("image"),
        cores=number("cores", float(step.cores), 0.01),
        memory_mib=number("memory_mib", step.memory_mib, 16),
    )


def _with_deps(task: Task, deps: set[str]) -> Task:
    return Task(**{**task.__dict__, "deps": sorted(deps)})


def _refuse_cycles(path: Path, deps: dict[str, set[str]]) -> None:
    try:
        graphlib.TopologicalSorter(deps).prepare()
    except graphlib.CycleError as error:
        circle = " → ".join(error.args[1])
        raise PipelineError(f"{path}, tasks: these wait for each other: {circle}") from error


def _edges(path: Path, tasks: dict[str, Task], tables: dict[str, Any]) -> dict[str, set[str]]:
    """Task to the tasks it waits for."""
    writers: dict[str, list[str]] = {}
    for task in tasks.values():
        for artifact in dict.fromkeys(task.outputs.values()):
            writers.setdefault(artifact, []).append(task.name)
    deps: dict[str, set[str]] = {name: set() for name in tasks}
    for names in writers.values():
        for before, after in zip(names, names[1:]):
            deps[after].add(before)
    for task in tasks.values():
        for port, artifact in task.step.inputs.items():
            reference = task.inputs.get(port, artifact)
            # A version or an alias exists already: nobody has to write it first.
            if "@" in reference:
                continue
            deps[task.name].update(n for n in writers.get(reference, []) if n != task.name)
        for name in tables[task.name].get("after", []):
            if name not in tasks:
                raise PipelineError(f"{path}, tasks.{task.name}.after: there is no task `{name}`")
            deps[task.name].add(name)
    return deps
