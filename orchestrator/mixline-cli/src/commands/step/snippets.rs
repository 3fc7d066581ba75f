//! How other orchestrators call a step: its container, its context, its exit codes.

use mixline_schema::ExitCode;

/// The snippets for Airflow, Argo and Kubernetes.
pub(super) fn all(step: &str, image: Option<&str>) -> String {
    let image = image.map_or_else(|| format!("mixline/{step}:latest"), str::to_owned);
    [
        airflow(step, &image),
        argo(step, &image),
        kubernetes(step, &image),
    ]
    .join("\n\n")
}

fn id(step: &str) -> String {
    step.trim_start_matches("step-").replace('-', "_")
}

fn airflow(step: &str, image: &str) -> String {
    let (id, skip) = (id(step), ExitCode::NothingToDo.code());
    format!(
        r#"# Airflow. A bare cron string gives Airflow 3 empty intervals: use CronDataIntervalTimetable.
DockerOperator(
    task_id="{id}",
    image="{image}",
    command="run",
    environment={{
        "MIXLINE_STORE": "s3://bucket/mixline",
        "MIXLINE_WINDOW_START": "{{{{ data_interval_start.isoformat() }}}}",
        "MIXLINE_WINDOW_END": "{{{{ data_interval_end.isoformat() }}}}",
    }},
    skip_on_exit_code={skip},          # nothing to do in this window
    retrieve_output=False,         # the last line of stdout is the result as JSON
    do_xcom_push=True,
    retries=2,
)"#
    )
}

fn argo(step: &str, image: &str) -> String {
    let (id, permanent) = (id(step), ExitCode::permanent());
    format!(
        r#"# Argo Workflows
- name: {id}
  inputs: {{parameters: [{{name: start}}, {{name: end}}]}}
  retryStrategy:
    limit: 2
    retryPolicy: Always
    expression: "asInt(lastRetry.exitCode) not in {permanent:?}"   # wrong data or configuration, bugs
  container:
    image: {image}
    env: [{{name: MIXLINE_SKIP_EXIT_CODE, value: "0"}}]   # nothing to do is no failure
    args: [run, --store, s3://bucket/mixline, --window-start, "{{{{inputs.parameters.start}}}}", --window-end, "{{{{inputs.parameters.end}}}}"]"#
    )
}

fn kubernetes(step: &str, image: &str) -> String {
    let name = id(step).replace('_', "-");
    let permanent = ExitCode::permanent();
    format!(
        r#"# Kubernetes
apiVersion: batch/v1
kind: Job
metadata: {{name: mixline-{name}}}
spec:
  backoffLimit: 2
  podFailurePolicy:
    rules:
      - {{action: FailJob, onExitCodes: {{operator: In, values: {permanent:?}}}}}
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 10
      containers:
        - name: step
          image: {image}
          args: [run, --store, s3://bucket/mixline]
          env: [{{name: MIXLINE_SKIP_EXIT_CODE, value: "0"}}]   # nothing to do is no failure
          securityContext: {{runAsNonRoot: true, readOnlyRootFilesystem: true}}
          volumeMounts: [{{name: tmp, mountPath: /tmp}}]
      volumes: [{{name: tmp, emptyDir: {{}}}}]"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snippets_name_the_step_and_its_image_and_keep_the_callers_templates() {
        let text = all("step-measure", None);
        assert!(text.contains("task_id=\"measure\""), "{text}");
        assert!(
            text.contains("image=\"mixline/step-measure:latest\""),
            "{text}"
        );
        assert!(
            text.contains("\"{{ data_interval_start.isoformat() }}\""),
            "{text}"
        );
        assert!(text.contains("\"{{inputs.parameters.start}}\""), "{text}");
        assert!(text.contains("metadata: {name: mixline-measure}"), "{text}");
        for codes in ["not in [2, 65, 70, 77, 78]", "values: [2, 65, 70, 77, 78]"] {
            assert!(text.contains(codes), "{text}");
        }
    }
}
