"""Where things are, and how tasks run. Read from `MIXLINE_AIRFLOW_…` variables or given in code."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping

#: Nobody, on every system.
NOBODY = "65532:65532"


class SettingsError(ValueError):
    """A setting that cannot be used; the message says which and what to write."""


@dataclass(frozen=True)
class Settings:
    """Where things are, and how tasks run."""

    project: Path
    """Folder of `mixline.toml`. Containers see it at the same path, read-only."""
    store: str
    """Store URL, or a folder that containers see at the same path."""
    executor: str = "docker"
    """`docker` or `kubernetes`."""
    image: str = "mixline/{step}:latest"
    """Image of a step; `{step}` becomes its name."""
    catalogue: Path = Path(__file__).parent.parent / "steps.json"
    """What the steps read and write."""
    zone: str = "UTC"
    """Zone of schedules that name none."""
    user: str = NOBODY
    """Numeric user and group of the containers."""
    network: str | None = None
    """Network of the containers; the engine's own when absent."""
    docker_url: str | None = None
    """Address of the engine; Airflow's default when absent."""
    namespace: str = "default"
    """Namespace of pods."""
    volume_claim: str | None = None
    """Claim mounted at the project's folder in pods, when steps read files of the project."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables of the containers. Values are not logged."""

    @property
    def local_store(self) -> bool:
        """Whether the store is a folder."""
        return "://" not in self.store

    def image_of(self, step: str, own: str | None) -> str:
        """The image of a step, unless the task has its own."""
        return own or self.image.replace("{step}", step)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ, **given: Any) -> Settings:
        """From `MIXLINE_AIRFLOW_PROJECT` and the project's `mixline.toml`; `given` wins.

        `MIXLINE_AIRFLOW_STORE`, `_EXECUTOR`, `_IMAGE`, `_CATALOGUE`, `_USER`, `_NETWORK`,
        `_DOCKER_URL`, `_NAMESPACE` and `_VOLUME_CLAIM` say the rest; `MIXLINE_AIRFLOW_ENV` names
        variables, separated by commas, that containers get from Airflow's own environment.
        """
        prefix = "MIXLINE_AIRFLOW_"
        project = given.pop("project", None) or environ.get(prefix + "PROJECT")
        if not project:
            raise SettingsError("MIXLINE_AIRFLOW_PROJECT is not set: name the folder of mixline.toml")
        project = Path(project).absolute()
        file = project / "mixline.toml"
        document = tomllib.loads(file.read_text()) if file.is_file() else {}
        values: dict[str, Any] = {
            "store": environ.get(prefix + "STORE", document.get("store", "./store")),
            "zone": document.get("zone", "UTC"),
            "image": document.get("container", {}).get("image", cls.image),
            "user": document.get("container", {}).get("user", cls.user),
        }
        for key in ("executor", "image", "user", "network", "docker_url", "namespace", "volume_claim"):
            if value := environ.get(prefix + key.upper()):
                values[key] = value
        if catalogue := environ.get(prefix + "CATALOGUE"):
            values["catalogue"] = Path(catalogue)
        names = [name for name in environ.get(prefix + "ENV", "").split(",") if name]
        values["env"] = {name: environ[name] for name in names if name in environ}
        values.update(given)
        settings = cls(project=project, **values)
        return settings._checked()

    def _checked(self) -> Settings:
        if self.executor not in ("docker", "kubernetes"):
            raise SettingsError(f"executor is `{self.executor}`; write `docker` or `kubernetes`")
        if self.executor == "kubernetes" and self.local_store:
            raise SettingsError("pods share no folder: give a store with a URL, for example s3://…")
        if not self.local_store:
            return self
        store = str(self.project / self.store)
        return Settings(**{**self.__dict__, "store": os.path.normpath(store)})
