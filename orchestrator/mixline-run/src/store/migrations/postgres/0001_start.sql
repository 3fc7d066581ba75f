-- As for SQLite. Text is compared byte by byte, as SQLite does: instants are text of fixed width.

CREATE TABLE runs (
    run_id TEXT COLLATE "C" PRIMARY KEY, dag TEXT COLLATE "C" NOT NULL, state TEXT COLLATE "C" NOT NULL,
    trigger_kind TEXT COLLATE "C" NOT NULL, window_start TEXT COLLATE "C", window_end TEXT COLLATE "C", seed BIGINT NOT NULL,
    tasks BIGINT NOT NULL, created_at TEXT COLLATE "C" NOT NULL, ended_at TEXT COLLATE "C",
    owner_pid BIGINT, owner_start BIGINT, cancel_requested BIGINT NOT NULL DEFAULT 0);

CREATE INDEX runs_by_dag ON runs (dag, created_at);

CREATE INDEX runs_by_time ON runs (created_at);

CREATE TABLE run_events (
    run_id TEXT COLLATE "C" NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE, seq BIGINT NOT NULL,
    at TEXT COLLATE "C" NOT NULL, task TEXT COLLATE "C", body TEXT COLLATE "C" NOT NULL, PRIMARY KEY (run_id, seq));

CREATE TABLE task_attempts (
    run_id TEXT COLLATE "C" NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE, task TEXT COLLATE "C" NOT NULL,
    attempt BIGINT NOT NULL, state TEXT COLLATE "C" NOT NULL, started_at TEXT COLLATE "C" NOT NULL, ended_at TEXT COLLATE "C",
    exit_code BIGINT, error TEXT COLLATE "C", PRIMARY KEY (run_id, task, attempt));

CREATE TABLE slots (
    slot TEXT COLLATE "C" PRIMARY KEY, fingerprint TEXT COLLATE "C" NOT NULL, document TEXT COLLATE "C" NOT NULL,
    run_id TEXT COLLATE "C" NOT NULL, at TEXT COLLATE "C" NOT NULL);

CREATE TABLE commits (
    artifact TEXT COLLATE "C" NOT NULL, version BIGINT NOT NULL, slot TEXT COLLATE "C", fingerprint TEXT COLLATE "C",
    digest TEXT COLLATE "C" NOT NULL, rows_total BIGINT NOT NULL, run_id TEXT COLLATE "C", at TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (artifact, version));

CREATE INDEX commits_by_slot ON commits (slot, artifact, version);

CREATE TABLE step_cache (
    path TEXT COLLATE "C" PRIMARY KEY, size BIGINT NOT NULL, modified BIGINT NOT NULL,
    digest TEXT COLLATE "C" NOT NULL, descriptor TEXT COLLATE "C" NOT NULL);

CREATE TABLE file_cache (
    path TEXT COLLATE "C" PRIMARY KEY, size BIGINT NOT NULL, modified BIGINT NOT NULL,
    digest TEXT COLLATE "C" NOT NULL);

CREATE TABLE settings (name TEXT COLLATE "C" PRIMARY KEY, value TEXT COLLATE "C" NOT NULL);

CREATE TABLE schedules (
    dag TEXT COLLATE "C" PRIMARY KEY, cursor_at TEXT COLLATE "C" NOT NULL, paused BIGINT NOT NULL DEFAULT 0);

CREATE TABLE fires (
    dag TEXT COLLATE "C" NOT NULL, window_start TEXT COLLATE "C" NOT NULL, window_end TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL, run_id TEXT COLLATE "C", error TEXT COLLATE "C", created_at TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (dag, window_start, window_end));
