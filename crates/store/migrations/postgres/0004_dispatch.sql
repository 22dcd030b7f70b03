-- Why a doctor was asked: one row for each offer, written with it. Of the candidates at most 50 are
-- kept, best first; candidate_count says how many there were.

CREATE TABLE dispatch_rankings (
    order_id uuid NOT NULL REFERENCES orders (id),
    version bigint NOT NULL CHECK (version >= 1),
    attempt integer NOT NULL CHECK (attempt >= 1),
    at timestamptz NOT NULL,
    doctor_id uuid NOT NULL,
    complaint text NOT NULL,
    weights json NOT NULL,
    candidates json NOT NULL,
    candidate_count integer NOT NULL CHECK (candidate_count >= 0),
    PRIMARY KEY (order_id, version),
    UNIQUE (order_id, attempt)
);
CREATE INDEX dispatch_rankings_at ON dispatch_rankings (at, order_id, version);

-- It is evidence: what was written here is never changed or deleted.
CREATE TRIGGER dispatch_rankings_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON dispatch_rankings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
