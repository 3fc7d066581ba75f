"""Tasks as pods of a cluster."""

from __future__ import annotations

import functools
from typing import Any

from mixline_airflow import context, outcome
from mixline_airflow.pipeline import Pipeline, Task
from mixline_airflow.settings import Settings


def operator(pipeline: Pipeline, task: Task, settings: Settings, common: dict[str, Any]) -> Any:
    """The task as a pod."""
    from kubernetes.client import models as k8s

    user, _, group = settings.numeric_user.partition(":")
    scratch = k8s.V1Volume(name="tmp", empty_dir=k8s.V1EmptyDirVolumeSource())
    volumes, mounts = [scratch], [k8s.V1VolumeMount(name="tmp", mount_path="/tmp")]
    folder = None
    if settings.volume_claim:
        folder = str(settings.project)
        claim = k8s.V1PersistentVolumeClaimVolumeSource(claim_name=settings.volume_claim, read_only=True)
        volumes.append(k8s.V1Volume(name="project", persistent_volume_claim=claim))
        mounts.append(k8s.V1VolumeMount(name="project", mount_path=folder, read_only=True))
    # What the operator has no parameter for. Settings name files by paths below the project.
    base = k8s.V1Container(name="base", working_dir=folder)
    limits = {"cpu": str(task.cores), "memory": f"{task.memory_mib}Mi"}
    secret = k8s.V1SecretEnvSource(name=settings.secret, optional=True)
    return _step_operator()(
        mixline=(settings.store, task),
        name=f"mixline-{pipeline.name}-{task.name}".replace("_", "-"),
        namespace=settings.namespace,
        image=settings.image_of(task.step.name, task.image),
        arguments=["run"],
        # Airflow shows these to everybody: no secrets here.
        env_vars=context.variables(pipeline, task, settings),
        env_from=[k8s.V1EnvFromSource(secret_ref=secret)],
        container_resources=k8s.V1ResourceRequirements(limits=limits, requests=limits),
        container_security_context=k8s.V1SecurityContext(
            run_as_user=int(user),
            run_as_group=int(group or user),
            run_as_non_root=True,
            read_only_root_filesystem=True,
            allow_privilege_escalation=False,
            capabilities=k8s.V1Capabilities(drop=["ALL"]),
        ),
        full_pod_spec=k8s.V1Pod(spec=k8s.V1PodSpec(containers=[base])),
        volumes=volumes,
        volume_mounts=mounts,
        # The step writes its result where the sidecar looks: /airflow/xcom/return.json.
        do_xcom_push=True,
        skip_on_exit_code=[outcome.SKIP],
        termination_grace_period=10,
        labels={"app.kubernetes.io/part-of": "mixline"},
        **common,
    )


@functools.cache
def _step_operator() -> type:
    """Airflow's KubernetesPodOperator with the step contract's ends and Mixline's tables.

    Made when first asked for, so that a Docker engine needs no Kubernetes provider.
    """
    from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator

    from mixline_airflow.ends import StepEnds

    class StepPodOperator(StepEnds, KubernetesPodOperator):
        """A step in its pod."""

        def __init__(self, *, mixline: tuple[str, Task], **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.mixline = mixline

        def execute(self, context: Any) -> Any:
            # Airflow's own sidecar reads the result from the file that the step has written.
            self.result = super().execute(context)
            return self.result

        def exit_code(self, error: BaseException) -> int | None:
            return outcome.exit_code_of(self.remote_pod, self.base_container_name)

    return StepPodOperator
