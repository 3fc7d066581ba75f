"""How a step ended, in Airflow's words: which exit codes are tried again, and which are not."""

from __future__ import annotations

import json
import re
from typing import Any

#: Nothing to do in this window.
SKIP = 99
#: Wrong data, wrong configuration, bugs: the same again gives the same again.
PERMANENT = frozenset({2, 65, 70, 77, 78})


def exit_code(message: str) -> int | None:
    """The exit code in what Airflow's DockerOperator says of a failed container."""
    match = re.search(r"'StatusCode': (\d+)", message)
    return int(match[1]) if match else None


def exit_code_of(pod: Any, container: str) -> int | None:
    """The exit code of a pod's container, when there is a pod and it has ended."""
    statuses = (pod and pod.status and pod.status.container_statuses) or []
    ended = [s.state.terminated for s in statuses if s.name == container and s.state]
    return next((end.exit_code for end in ended if end), None)


def result(lines: Any) -> dict[str, Any] | None:
    """The step's result, from everything that it said.

    It is the last line of standard output. An engine reads both streams of a container side by side,
    so that a line of the log may come after it where they are merged: the last line that is a result
    counts.
    """
    if isinstance(lines, str):
        lines = lines.splitlines()
    for line in reversed(lines or []):
        try:
            found = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(found, dict) and "status" in found and "outputs" in found:
            return found
    return None
