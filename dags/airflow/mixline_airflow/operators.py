"""A task as an operator: the step's image, called by the contract of `steps/README.md`."""

from __future__ import annotations

import functools
from typing import Any

from mixline_airflow import context, lineage, outcome
from mixline_airflow.pipeline import Pipeline, Task
from mixline_airflow.settings import Settings

try:
    from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
except ImportError:  # Airflow 3.0 and 3.1
    from airflow.exceptions import AirflowFailException, AirflowSkipException

#: OpenLineage's name of the Airflow run, for programs that a task starts.
PARENT = "{{ macros.OpenLineageProviderPlugin.lineage_parent_id(task_instance) }}"


def operator(pipeline: Pipeline, task: Task, settings: Settings) -> Any:
    """The operator of a task; call it within a DAG."""
    make = {"docker": docker, "kubernetes": kubernetes}[settings.executor]
    return make(pipeline, task, settings)


def _common(task: Task) -> dict[str, Any]:
    """What every operator takes."""
    common: dict[str, Any] = {
        "task_id": task.name,
        "retries": task.retries,
        "retry_delay": task.retry_delay,
        "retry_exponential_backoff": True,
        "execution_timeout": task.timeout,
        # Nothing to do upstream is no reason to do nothing here: what exists is read.
        "trigger_rule": "none_failed",
        "doc": f"{task.step.name}: " + ", ".join(task.outputs.values()),
    }
    if task.pool:
        common["pool"] = task.pool
    return common


def docker(pipeline: Pipeline, task: Task, settings: Settings) -> Any:
    """The task on a Docker engine."""
    from docker.types import Mount

    project = str(settings.project)
    mounts = [Mount(target=project, source=project, type="bind", read_only=True)]
    if settings.local_store:
        mounts.append(Mount(target=settings.store, source=settings.store, type="bind"))
    optional = {"docker_url": settings.docker_url, "network_mode": settings.network}
    return _docker_operator()(
        mixline=(settings.store, task),
        image=settings.image_of(task.step.name, task.image),
        command=["run"],
        environment={**context.variables(pipeline, task, settings), **_parent()},
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
        **_common(task),
    )


def kubernetes(pipeline: Pipeline, task: Task, settings: Settings) -> Any:
    """The task as a pod."""
    from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
    from kubernetes.client import models as k8s

    user, _, group = settings.user.partition(":")
    scratch = k8s.V1Volume(name="tmp", empty_dir=k8s.V1EmptyDirVolumeSource())
    volumes, mounts = [scratch], [k8s.V1VolumeMount(name="tmp", mount_path="/tmp")]
    if settings.volume_claim:
        claim = k8s.V1PersistentVolumeClaimVolumeSource(claim_name=settings.volume_claim)
        volumes.append(k8s.V1Volume(name="project", persistent_volume_claim=claim))
        mounts.append(
            k8s.V1VolumeMount(name="project", mount_path=str(settings.project), read_only=True)
        )
    limits = {"cpu": str(task.cores), "memory": f"{task.memory_mib}Mi"}
    return KubernetesPodOperator(
        name=f"mixline-{pipeline.name}-{task.name}".replace("_", "-"),
        namespace=settings.namespace,
        image=settings.image_of(task.step.name, task.image),
        arguments=["run"],
        env_vars={**context.variables(pipeline, task, settings), **_parent(), **settings.env},
        container_resources=k8s.V1ResourceRequirements(limits=limits, requests=limits),
        container_security_context=k8s.V1SecurityContext(
            run_as_user=int(user),
            run_as_group=int(group or user),
            run_as_non_root=True,
            read_only_root_filesystem=True,
            allow_privilege_escalation=False,
            capabilities=k8s.V1Capabilities(drop=["ALL"]),
        ),
        volumes=volumes,
        volume_mounts=mounts,
        # The step writes its result where the sidecar looks: /airflow/xcom/return.json.
        do_xcom_push=True,
        skip_on_exit_code=[outcome.SKIP],
        termination_grace_period=10,
        labels={"app.kubernetes.io/part-of": "mixline"},
        **_common(task),
    )


def _parent() -> dict[str, str]:
    """The Airflow run as OpenLineage's parent of what runs in the container."""
    try:
        import airflow.providers.openlineage  # noqa: F401
    except ImportError:
        return {}
    return {"OPENLINEAGE_PARENT_ID": PARENT}


@functools.cache
def _docker_operator() -> type:
    """Airflow's DockerOperator with the step contract's ends and Mixline's tables.

    Made when first asked for, so that a cluster needs no Docker provider.
    """
    from airflow.providers.docker.exceptions import DockerContainerFailedException
    from airflow.providers.docker.operators.docker import DockerOperator

    class StepOperator(DockerOperator):
        """A step in its container: read-only root, no capabilities, no retry of what cannot help."""

        def __init__(self, *, mixline: tuple[str, Task], **kwargs: Any) -> None:
            # All lines are asked for, since the last one may be one of the log: see `outcome.result`.
            super().__init__(xcom_all=True, **kwargs)
            self.mixline = mixline
            self.result: dict[str, Any] | None = None

        def execute(self, context: Any) -> Any:
            self._confine()
            try:
                said = super().execute(context)
            except DockerContainerFailedException as error:
                return self._failed(error, context)
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

        def _failed(self, error: Exception, context: Any) -> None:
            _, task = self.mixline
            code = outcome.exit_code(str(error))
            permanent = code in outcome.PERMANENT
            if task.tolerated and (permanent or context["ti"].try_number > task.retries):
                raise AirflowSkipException(f"tolerated: exit {code}") from error
            if permanent:
                raise AirflowFailException(f"exit {code}: trying again would not help") from error
            raise error

        def get_openlineage_facets_on_complete(self, _: Any) -> Any:
            """The tables read and written, for Airflow's OpenLineage provider."""
            store, task = self.mixline
            return lineage.facets(store, task, self.result)

    return StepOperator
