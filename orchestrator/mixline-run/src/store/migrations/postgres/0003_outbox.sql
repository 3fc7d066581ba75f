-- Which runs somebody outside is still to be told of, and from which event on.

CREATE TABLE outbox (
    consumer TEXT COLLATE "C" NOT NULL, run_id TEXT COLLATE "C" NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    next_seq BIGINT NOT NULL DEFAULT 0, claimant TEXT COLLATE "C" NOT NULL DEFAULT '',
    claimed_until TEXT COLLATE "C" NOT NULL DEFAULT '', error TEXT COLLATE "C", PRIMARY KEY (consumer, run_id));
