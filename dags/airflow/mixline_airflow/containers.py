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

    project = str(settings.project)
    mounts = [Mount(target=project, source=project, type="bind", read_only=True)]
    if settings.local_store:
        mounts.append(Mount(target=settings.store, source=settings.store, type="bind"))
    optional = {"docker_url": settings.docker_url, "network_mode": settings.network}
    return _step_operator()(
        mixline=(settings.store, task),
        image=settings.image_of(task.step.name, task.image),
        command=["run"],
        environment=context.variables(pipeline, task, settings),
        private_environment=dict(settings.env),
        user=settings.user,
        working_dir=project,
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

    from mixline_airflow.ends import StepEnds

    class StepOperator(StepEnds, DockerOperator):
        """A step in its container, which has a read-only root and no capabilities."""

        def __init__(self, *, mixline: tuple[str, Task], **kwargs: Any) -> None:
            # All lines are asked for, since the last one may be one of the log: see `outcome.result`.
            super().__init__(xcom_all=True, **kwargs)
            self.mixline = mixline

        def execute(self, context: Any) -> Any:
            self._confine()
            try:
                said = super().execute(context)
            except DockerContainerFailedException as error:
                self.failed(outcome.exit_code(str(error)), error, context)
            self.result = outcome.result(said)
            return self.result

        def _confine(self) -> None:
            """What DockerOperator has no parameters for."""
            self.cli.create_host_config = functools.partial(
                self.cli.create_host_config,
                read_only=True,
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                tmpfs={"/tmp": "rw,nosuid,nodev,mode=1777"},
            )

    return StepOperator
