-- Several orchestrators: the leader's lease, and owners on other machines. Times of leases are
-- milliseconds since the epoch on the database's clock.

CREATE TABLE leases (
    name TEXT COLLATE "C" PRIMARY KEY, token TEXT COLLATE "C" NOT NULL, term BIGINT NOT NULL, expires_at BIGINT NOT NULL,
    host TEXT COLLATE "C" NOT NULL, machine BIGINT NOT NULL, pid BIGINT NOT NULL, started BIGINT NOT NULL);

ALTER TABLE runs ADD COLUMN owner_machine BIGINT;

ALTER TABLE runs ADD COLUMN owner_seen BIGINT;

CREATE INDEX runs_by_state ON runs (state);

CREATE UNIQUE INDEX fires_running ON fires (dag) WHERE state = 'running';

CREATE INDEX fires_by_run ON fires (run_id);

CREATE INDEX commits_by_run ON commits (run_id);
