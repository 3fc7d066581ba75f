"""Where things are, and how tasks run. Read from `MIXLINE_AIRFLOW_…` variables or given in code."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Mapping

#: Nobody, on every system.
NOBODY = "65532:65532"
#: What the variables of this package begin with.
PREFIX = "MIXLINE_AIRFLOW_"


class SettingsError(ValueError):
    """A setting that cannot be used; the message says which and what to write."""


@dataclass(frozen=True)
class Folder:
    """A folder that containers see, at the same path as outside."""

    path: str
    read_only: bool


@dataclass(frozen=True)
class Settings:
    """Where things are, and how tasks run."""

    project: Path
    """Folder of `mixline.toml`. Containers see it at the same path, read-only."""
    store: str
    """Store URL, or a folder that containers see at the same path."""
    dags: str = "dags"
    """Folder of the pipeline files; a relative one is below the project."""
    executor: str = "docker"
    """`docker` or `kubernetes`."""
    image: str = "mixline/{step}:latest"
    """Image of a step; `{step}` becomes its name."""
    catalogue: Path = Path(__file__).parent.parent / "steps.json"
    """What the steps read and write."""
    zone: str = "UTC"
    """Zone of schedules that name none."""
    user: str | None = None
    """Numeric user and group, `1000:1000`; by default the owner of a store that is a folder, else nobody."""
    network: str | None = None
    """Network of containers; by default none when the store is a folder, else the engine's own."""
    docker_url: str | None = None
    """Address of the engine; Airflow's default when absent."""
    mounts: tuple[str, ...] = ()
    """Folders that containers see beside project and store: `path`, or `path:ro` to be only read.
    Relative ones are below the project."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables of containers. Values are not logged, and not shown by Airflow."""
    namespace: str = "default"
    """Namespace of pods."""
    volume_claim: str | None = None
    """Claim mounted at the project's folder in pods, when steps read files of the project."""
    secret: str = "mixline"
    """Secret whose keys become variables of pods, when there is one of this name."""

    @property
    def local_store(self) -> bool:
        """Whether the store is a folder."""
        return "://" not in self.store

    @property
    def network_mode(self) -> str | None:
        """The network of containers. A step that reads and writes a folder needs none."""
        return self.network or ("none" if self.local_store else None)

    @property
    def numeric_user(self) -> str:
        """Who containers and pods run as: never root."""
        if self.user:
            return self.user
        owner = os.stat(self.store) if self.local_store and os.path.isdir(self.store) else None
        return f"{owner.st_uid}:{owner.st_gid}" if owner and owner.st_uid else NOBODY

    @property
    def folders(self) -> list[Folder]:
        """What containers see: the project, the store, and what is mounted beside them."""
        found = [Folder(str(self.project), read_only=True)]
        if self.local_store:
            found.append(Folder(self.store, read_only=False))
        for text in self.mounts:
            path = self.project / text.removesuffix(":ro")
            found.append(Folder(str(path), read_only=text.endswith(":ro")))
        return found

    def image_of(self, step: str, own: str | None) -> str:
        """The image of a step, unless the task has its own."""
        return own or self.image.replace("{step}", step)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ, **given: Any) -> Settings:
        """From `MIXLINE_AIRFLOW_PROJECT` and the project's `mixline.toml`; `given` wins.

        `MIXLINE_AIRFLOW_STORE`, `_EXECUTOR`, `_IMAGE`, `_CATALOGUE`, `_USER`, `_NETWORK`,
        `_DOCKER_URL`, `_NAMESPACE`, `_VOLUME_CLAIM` and `_SECRET` say the rest; they win over the
        file. `MIXLINE_AIRFLOW_ENV` names variables, separated by commas, that containers get from
        Airflow's own environment.

        Raises `SettingsError`, with the variable or the file.
        """
        project = given.pop("project", None) or environ.get(PREFIX + "PROJECT")
        if not project:
            raise SettingsError(f"{PREFIX}PROJECT is not set: name the folder of mixline.toml")
        project = Path(project).absolute()
        document = _read(project / "mixline.toml")
        container = document.get("container", {})
        values = {
            "store": "./store",
            **_some(document, "store", "zone", "dags"),
            **_some(container, "image", "user", "network"),
            "mounts": tuple(container.get("mounts", ())),
            **_given(environ),
            **given,
        }
        named = _names(environ.get(PREFIX + "ENV", ""))
        if named:
            values.setdefault("env", _required(named, environ))
        elif values.get("executor", cls.executor) == "docker":
            # As `mixline` does it: what is not there is not passed on.
            values.setdefault("env", _some(environ, *container.get("env", ())))
        return cls(project=project, **values)._checked()

    def _checked(self) -> Settings:
        if self.executor not in ("docker", "kubernetes"):
            raise SettingsError(f"executor is `{self.executor}`; write `docker` or `kubernetes`")
        if self.user is not None and not re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", self.user):
            raise SettingsError(f"user is `{self.user}`; write numbers above 0, for example `1000:1000`")
        if self.executor == "kubernetes" and self.local_store:
            raise SettingsError("pods share no folder: give a store with a URL, for example s3://…")
        if self.executor == "kubernetes" and self.env:
            raise SettingsError(
                f"{PREFIX}ENV is for Docker only, since Airflow shows the variables of pods: put "
                f"{', '.join(self.env)} into the Secret `{self.secret}` ({PREFIX}SECRET names another)"
            )
        if not self.local_store:
            return self
        return replace(self, store=os.path.normpath(self.project / self.store))


def _read(file: Path) -> dict[str, Any]:
    """`mixline.toml`, which may be absent."""
    try:
        return tomllib.loads(file.read_text()) if file.is_file() else {}
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file}: {error}") from error


def _given(environ: Mapping[str, str]) -> dict[str, Any]:
    """The settings that the environment says."""
    keys = (
        "store", "executor", "image", "user", "network", "docker_url", "namespace", "volume_claim", "secret",
    )
    found: dict[str, Any] = {}
    for key in keys:
        if value := environ.get(PREFIX + key.upper()):
            found[key] = value
    if catalogue := environ.get(PREFIX + "CATALOGUE"):
        found["catalogue"] = Path(catalogue)
    return found


def _some(table: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """Those of the keys that are there."""
    return {key: table[key] for key in keys if key in table}


def _names(text: str) -> list[str]:
    return [name for name in map(str.strip, text.split(",")) if name]


def _required(names: list[str], environ: Mapping[str, str]) -> dict[str, str]:
    absent = [name for name in names if name not in environ]
    if absent:
        raise SettingsError(
            f"{PREFIX}ENV names {', '.join(absent)}, which Airflow's environment does not have: "
            "set it wherever DAGs are read and tasks run, or leave the name out"
        )
    return {name: environ[name] for name in names}
