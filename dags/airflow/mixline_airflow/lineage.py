"""The tables a task has read and written, for Airflow's OpenLineage provider.

Datasets are named as Mixline's own events name them (store and artifact, the version in a facet), so
that runs of Airflow and runs of `mixline` meet in one graph.
"""

from __future__ import annotations

import os
from typing import Any

from mixline_airflow.pipeline import Task


#: The account of a store on Azure, as the steps read it.
ACCOUNT = "AZURE_STORAGE_ACCOUNT_NAME"


def dataset_of(store: str, artifact: str, account: str | None = None) -> tuple[str, str]:
    """OpenLineage's namespace and name of an artifact. A container on Azure is named by its account,
    where that is known."""
    scheme, separator, rest = store.partition("://")
    if not separator:
        namespace, prefix = "file", store
    elif scheme == "file":
        namespace, prefix = "file", rest
    else:
        bucket, _, prefix = rest.partition("/")
        namespace = f"{scheme}://{bucket}"
        if scheme == "az" and account:
            namespace = f"abfss://{bucket}@{account}.dfs.core.windows.net"
    prefix = prefix.rstrip("/")
    return namespace, f"{prefix}/{artifact}" if prefix else artifact


def facets(store: str, task: Task, result: dict[str, Any] | None) -> Any:
    """What OpenLineage's provider asks an operator for."""
    from airflow.providers.openlineage.extractors import OperatorLineage
    from openlineage.client.event_v2 import InputDataset, OutputDataset
    from openlineage.client.facet_v2 import dataset_version_dataset, output_statistics_output_dataset

    account = os.environ.get(ACCOUNT)

    def read(reference: str) -> Any:
        namespace, name = dataset_of(store, reference.partition("@")[0], account)
        return InputDataset(namespace=namespace, name=name)

    def written(output: dict[str, Any]) -> Any:
        namespace, name = dataset_of(store, output["artifact"], account)
        version = str(output["version"])
        return OutputDataset(
            namespace=namespace,
            name=name,
            facets={"version": dataset_version_dataset.DatasetVersionDatasetFacet(version)},
            outputFacets={
                "outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
                    rowCount=output["rows"]
                )
            },
        )

    references = [task.inputs.get(port, artifact) for port, artifact in task.step.inputs.items()]
    return OperatorLineage(
        inputs=[read(reference) for reference in references],
        outputs=[written(output) for output in (result or {}).get("outputs", [])],
    )
