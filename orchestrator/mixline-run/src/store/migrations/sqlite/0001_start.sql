-- The event log of runs, its projections, the caches and the schedule.

CREATE TABLE runs (
    run_id TEXT PRIMARY KEY, dag TEXT NOT NULL, state TEXT NOT NULL,
    trigger_kind TEXT NOT NULL, window_start TEXT, window_end TEXT, seed BIGINT NOT NULL,
    tasks BIGINT NOT NULL, created_at TEXT NOT NULL, ended_at TEXT,
    owner_pid BIGINT, owner_start BIGINT, cancel_requested BIGINT NOT NULL DEFAULT 0);

CREATE INDEX runs_by_dag ON runs (dag, created_at);

CREATE INDEX runs_by_time ON runs (created_at);

CREATE TABLE run_events (
    run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE, seq BIGINT NOT NULL,
    at TEXT NOT NULL, task TEXT, body TEXT NOT NULL, PRIMARY KEY (run_id, seq));

CREATE TABLE task_attempts (
    run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE, task TEXT NOT NULL,
    attempt BIGINT NOT NULL, state TEXT NOT NULL, started_at TEXT NOT NULL, ended_at TEXT,
    exit_code BIGINT, error TEXT, PRIMARY KEY (run_id, task, attempt));

CREATE TABLE slots (
    slot TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, document TEXT NOT NULL,
    run_id TEXT NOT NULL, at TEXT NOT NULL);

CREATE TABLE commits (
    artifact TEXT NOT NULL, version BIGINT NOT NULL, slot TEXT, fingerprint TEXT,
    digest TEXT NOT NULL, rows_total BIGINT NOT NULL, run_id TEXT, at TEXT NOT NULL,
    PRIMARY KEY (artifact, version));

CREATE INDEX commits_by_slot ON commits (slot, artifact, version);

CREATE TABLE step_cache (
    path TEXT PRIMARY KEY, size BIGINT NOT NULL, modified BIGINT NOT NULL,
    digest TEXT NOT NULL, descriptor TEXT NOT NULL);

CREATE TABLE file_cache (
    path TEXT PRIMARY KEY, size BIGINT NOT NULL, modified BIGINT NOT NULL,
    digest TEXT NOT NULL);

CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE schedules (
    dag TEXT PRIMARY KEY, cursor_at TEXT NOT NULL, paused BIGINT NOT NULL DEFAULT 0);

CREATE TABLE fires (
    dag TEXT NOT NULL, window_start TEXT NOT NULL, window_end TEXT NOT NULL,
    state TEXT NOT NULL, run_id TEXT, error TEXT, created_at TEXT NOT NULL,
    PRIMARY KEY (dag, window_start, window_end));
