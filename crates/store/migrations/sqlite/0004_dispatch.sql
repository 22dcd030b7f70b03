-- Why a doctor was asked: one row for each offer, written with it. Of the candidates at most 50 are
-- kept, best first; candidate_count says how many there were.

CREATE TABLE dispatch_rankings (
    order_id BLOB NOT NULL REFERENCES orders (id),
    version INTEGER NOT NULL CHECK (version >= 1),
    attempt INTEGER NOT NULL CHECK (attempt >= 1),
    at TEXT NOT NULL,
    doctor_id BLOB NOT NULL,
    complaint TEXT NOT NULL,
    weights TEXT NOT NULL,
    candidates TEXT NOT NULL,
    candidate_count INTEGER NOT NULL CHECK (candidate_count >= 0),
    PRIMARY KEY (order_id, version),
    UNIQUE (order_id, attempt)
) STRICT;
CREATE INDEX dispatch_rankings_at ON dispatch_rankings (at, order_id, version);

-- It is evidence: what was written here is never changed or deleted.
CREATE TRIGGER dispatch_rankings_refuses_update BEFORE UPDATE ON dispatch_rankings
BEGIN
    SELECT RAISE(ABORT, 'dispatch_rankings is only ever added to');
END;
CREATE TRIGGER dispatch_rankings_refuses_delete BEFORE DELETE ON dispatch_rankings
BEGIN
    SELECT RAISE(ABORT, 'dispatch_rankings is only ever added to');
END;
