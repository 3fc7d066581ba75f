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


def result(lines: Any) -> dict[str, Any] | None:
    """The step's result: the last line that it wrote."""
    if isinstance(lines, dict):
        return lines
    text = lines[-1] if isinstance(lines, list) and lines else lines
    if not isinstance(text, str):
        return None
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        return None
    return found if isinstance(found, dict) and "status" in found else None
