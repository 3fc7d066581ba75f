-- Which runs somebody outside is still to be told of, and from which event on.

CREATE TABLE outbox (
    consumer TEXT NOT NULL, run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    next_seq BIGINT NOT NULL DEFAULT 0, claimant TEXT NOT NULL DEFAULT '',
    claimed_until TEXT NOT NULL DEFAULT '', error TEXT, PRIMARY KEY (consumer, run_id));
