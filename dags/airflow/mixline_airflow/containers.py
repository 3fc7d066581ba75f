"""Tasks on a Docker engine."""

from __future__ import annotations

import functools
from typing import Any

from mixline_airflow import context, outcome
from mixline_airflow.pipeline import Pipeline, Task
from mixline_airflow.settings import Settings


def operator(pipeline: Pipeline, task: Task, settings: Settings, common: dict[str, Any]) -> Any:
    """The task as a container."""
    from docker.types import Mount

    mounts = [
        Mount(target=folder.path, source=folder.path, type="bind", read_only=folder.read_only)
        for folder in settings.folders
    ]
    optional = {"docker_url": settings.docker_url, "network_mode": settings.network_mode}
    return _step_operator()(
        mixline=(settings.store, task),
        image=settings.image_of(task.step.name, task.image),
        command=["run"],
        environment=context.variables(pipeline, task, settings),
        private_environment=dict(settings.env),
        user=settings.numeric_user,
        working_dir=str(settings.project),
        mounts=mounts,
        mount_tmp_dir=False,
        mem_limit=f"{task.memory_mib}m",
        cpus=task.cores,
        auto_remove="force",
        skip_on_exit_code=[outcome.SKIP],
        labels={"io.mixline.dag": pipeline.name, "io.mixline.task": task.name},
        **{key: value for key, value in optional.items() if value},
        **common,
    )


@functools.cache
def _step_operator() -> type:
    """Airflow's DockerOperator with the step contract's ends and Mixline's tables.

    Made when first asked for, so that a cluster needs no Docker provider.
    """
    from airflow.providers.docker.exceptions import DockerContainerFailedException
    from airflow.providers.docker.operators.docker import DockerOperator
    from docker.errors import NotFound

    from mixline_airflow.ends import StepEnds

    class StepOperator(StepEnds, DockerOperator):
        """A step in its container, which has a read-only root and no capabilities."""

        def __init__(self, *, mixline: tuple[str, Task], **kwargs: Any) -> None:
            # All lines are asked for, since the last one may be one of the log: see `outcome.result`.
            super().__init__(xcom_all=True, **kwargs)
            self.mixline = mixline

        def execute(self, context: Any) -> Any:
            self._confine()
            self.result = outcome.result(super().execute(context))
            return self.result

        def exit_code(self, error: BaseException) -> int | None:
            is_end = isinstance(error, DockerContainerFailedException)
            return outcome.exit_code(str(error)) if is_end else None

        def on_kill(self) -> None:
            """Stops the container. After a time-out it is gone by now."""
            try:
                super().on_kill()
            except NotFound:
                self.log.info("The container is gone")

        def _confine(self) -> None:
            """What DockerOperator has no parameters for."""
            _, task = self.mixline
            self.cli.create_host_config = functools.partial(
                self.cli.create_host_config,
                read_only=True,
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                tmpfs={"/tmp": "rw,nosuid,nodev,mode=1777"},
                # As much as memory: no swap, since a fit that swaps never ends.
                memswap_limit=self.mem_limit,
                # The operator's `cpus` is a share of a busy machine and no limit.
                nano_cpus=int(min(task.cores, self.cli.info()["NCPU"]) * 1e9),
            )

    return StepOperator
