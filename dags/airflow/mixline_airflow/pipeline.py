"""A pipeline file and what follows from it, without Airflow.

Edges follow from artifact names, as in `mixline plan`: a task that reads what another writes comes
after it, and `after` adds an edge. What a step reads and writes is in the catalogue, which
`mixline export catalogue` prints.
"""

from __future__ import annotations

import json
import re
import tomllib
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
    """The steps that exist, as `mixline export catalogue` printed them."""
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


def read_pipeline(path: Path, catalogue: dict[str, Step], zone: str = "UTC") -> Pipeline:
    """A pipeline file. `zone` is that of schedules that name none."""
    path = Path(path)
    try:
        document = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise PipelineError(f"{path}: {error}") from error
    defaults = document.get("defaults", {})
    drafts = {
        name: _draft(path, name, task, defaults, catalogue)
        for name, task in sorted(document.get("tasks", {}).items())
    }
    deps = _edges(path, drafts, document["tasks"])
    tasks = {name: _with_deps(draft, deps[name]) for name, draft in drafts.items()}
    return Pipeline(
        name=document["name"],
        description=document.get("description", ""),
        schedule=_schedule(document.get("schedule"), zone),
        tasks=tasks,
    )


def duration(text: str) -> timedelta:
    """`500ms`, `10s`, `5m`, `2h`, `1d`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)", text.strip())
    if match is None:
        raise PipelineError(f"`{text}` is not a duration; write for example `10s`, `5m`, `2h`")
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
    return timedelta(seconds=float(match[1]) * units[match[2]])


def _schedule(table: dict[str, Any] | None, zone: str) -> Schedule | None:
    if table is None:
        return None
    return Schedule(
        cron=table["cron"],
        zone=table.get("zone", zone),
        catch_up=table.get("catch_up", "last"),
        overlap=table.get("overlap", "queue"),
    )


def _draft(
    path: Path,
    name: str,
    table: dict[str, Any],
    defaults: dict[str, Any],
    catalogue: dict[str, Step],
) -> Task:
    step = catalogue.get(table["step"])
    if step is None:
        known = ", ".join(catalogue)
        raise PipelineError(
            f"{path}, tasks.{name}.step: there is no step `{table['step']}` in the catalogue ({known}); "
            "`mixline export catalogue` writes it anew"
        )

    def chosen(key: str, otherwise: Any = None) -> Any:
        return table.get(key, defaults.get(key, otherwise))

    timeout = chosen("timeout")
    return Task(
        name=name,
        step=step,
        config=table.get("config", {}),
        inputs=table.get("inputs", {}),
        outputs={**step.outputs, **table.get("outputs", {})},
        deps=[],
        retries=chosen("retries", 0),
        retry_delay=duration(chosen("retry_delay", "10s")),
        timeout=duration(timeout) if timeout else None,
        pool=chosen("pool"),
        tolerated=table.get("tolerated", False),
        image=table.get("image"),
        cores=table.get("cores", step.cores),
        memory_mib=table.get("memory_mib", step.memory_mib),
    )


def _with_deps(task: Task, deps: set[str]) -> Task:
    return Task(**{**task.__dict__, "deps": sorted(deps)})


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
