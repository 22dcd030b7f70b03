-- Gateways' bills held against our own books: a day at a gateway, its bills as they were received,
-- their lines, and what differs with all that was decided about it.

CREATE TABLE reconciliations (
    id uuid NOT NULL PRIMARY KEY,
    gateway text NOT NULL,
    day text NOT NULL CHECK (length(day) = 10),
    run text NOT NULL CHECK (run IN ('running', 'waiting', 'failed', 'done')),
    runs bigint NOT NULL CHECK (runs >= 0),
    lease_owner uuid,
    lease_until timestamptz,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    retry_at timestamptz,
    error text,
    bill_sha256 bytea CHECK (length(bill_sha256) = 32),
    bill_lines bigint NOT NULL CHECK (bill_lines >= 0),
    matched_payments bigint NOT NULL CHECK (matched_payments >= 0),
    matched_refunds bigint NOT NULL CHECK (matched_refunds >= 0),
    differences bigint NOT NULL CHECK (differences >= 0),
    unsettled bigint NOT NULL CHECK (unsettled BETWEEN 0 AND differences),
    created_at timestamptz NOT NULL,
    UNIQUE (gateway, day)
);
CREATE INDEX reconciliations_day ON reconciliations (day, gateway);

-- The day's money by currency, in minor units; the fee in hundred-thousandths of a major unit.
-- ledger_moved is what the gateway's clearing account moved on the day, by the time of posting.
CREATE TABLE reconciliation_sums (
    reconciliation_id uuid NOT NULL REFERENCES reconciliations (id),
    currency text NOT NULL,
    bill_paid bigint NOT NULL,
    bill_refunded bigint NOT NULL,
    bill_fee bigint NOT NULL,
    our_paid bigint NOT NULL,
    our_refunded bigint NOT NULL,
    ledger_moved bigint NOT NULL,
    PRIMARY KEY (reconciliation_id, currency)
);

-- A bill as it was received, once for each that is not the same as one before.
CREATE TABLE reconciliation_bills (
    id uuid NOT NULL PRIMARY KEY,
    reconciliation_id uuid NOT NULL REFERENCES reconciliations (id),
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    bytes bytea NOT NULL,
    fetched_at timestamptz NOT NULL,
    UNIQUE (reconciliation_id, sha256)
);

-- The lines of the newest bill of a day, so that other days' know what it had.
CREATE TABLE reconciliation_lines (
    reconciliation_id uuid NOT NULL REFERENCES reconciliations (id),
    position bigint NOT NULL CHECK (position >= 0),
    line bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('payment', 'refund')),
    status text NOT NULL CHECK (status IN ('succeeded', 'processing', 'failed')),
    out_trade_no text,
    transaction_id text,
    out_refund_no text,
    refund_id text,
    amount bigint NOT NULL,
    currency text NOT NULL,
    fee bigint,
    at timestamptz NOT NULL,
    PRIMARY KEY (reconciliation_id, position)
);
CREATE INDEX reconciliation_lines_payment ON reconciliation_lines (out_trade_no) WHERE kind = 'payment';
CREATE INDEX reconciliation_lines_transaction ON reconciliation_lines (transaction_id) WHERE kind = 'payment';
CREATE INDEX reconciliation_lines_refund ON reconciliation_lines (out_refund_no) WHERE kind = 'refund';
CREATE INDEX reconciliation_lines_refund_id ON reconciliation_lines (refund_id) WHERE kind = 'refund';

-- What is not the same on both sides. identity is by what a second run knows it again. Amounts here
-- and there are never negative; what moved is signed, and is what counts in the sums of the day.
CREATE TABLE reconciliation_differences (
    id uuid NOT NULL PRIMARY KEY,
    version bigint NOT NULL CHECK (version >= 1),
    reconciliation_id uuid NOT NULL REFERENCES reconciliations (id),
    identity text NOT NULL,
    kind text NOT NULL,
    about text NOT NULL CHECK (about IN ('payment', 'refund')),
    line bigint,
    out_trade_no text,
    transaction_id text,
    out_refund_no text,
    refund_no text,
    order_id uuid,
    payment_id uuid,
    refund_id uuid,
    here_amount bigint,
    here_currency text,
    there_amount bigint,
    there_currency text,
    moved_here bigint NOT NULL,
    moved_there bigint NOT NULL,
    at timestamptz,
    explained boolean NOT NULL,
    note text,
    occurrence bigint NOT NULL CHECK (occurrence >= 1),
    status bigint NOT NULL CHECK (status IN (10, 20, 30, 40, 50, 60, 70)),
    repair text,
    proposed_by uuid,
    approved_by uuid,
    reason text,
    result text,
    found_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (reconciliation_id, identity),
    CHECK ((here_amount IS NULL) = (here_currency IS NULL)),
    CHECK ((there_amount IS NULL) = (there_currency IS NULL)),
    CHECK (status NOT IN (20, 30, 40, 50) OR (repair IS NOT NULL AND proposed_by IS NOT NULL))
);
CREATE INDEX reconciliation_differences_unsettled ON reconciliation_differences (status, found_at)
    WHERE status IN (10, 20, 30);
CREATE INDEX reconciliation_differences_order ON reconciliation_differences (order_id)
    WHERE order_id IS NOT NULL;

-- Who decided what and when, of a difference, or of the day as a whole where it names none. seq is the
-- difference's version after it, or of the day as a whole the number of the run.
CREATE TABLE reconciliation_steps (
    id uuid NOT NULL PRIMARY KEY,
    reconciliation_id uuid NOT NULL REFERENCES reconciliations (id),
    difference_id uuid REFERENCES reconciliation_differences (id),
    seq bigint NOT NULL CHECK (seq >= 1),
    at timestamptz NOT NULL,
    step text NOT NULL,
    from_status bigint,
    to_status bigint,
    repair text,
    note text,
    actor_role text NOT NULL,
    actor_id uuid,
    request_id text,
    UNIQUE (difference_id, seq)
);
CREATE INDEX reconciliation_steps_reconciliation ON reconciliation_steps (reconciliation_id, seq);

-- What a day's books are looked up by.
CREATE INDEX payments_paid_at ON payments (paid_at) WHERE paid_at IS NOT NULL;
CREATE INDEX payments_transaction ON payments (transaction_id) WHERE transaction_id IS NOT NULL;
CREATE INDEX refunds_gone_at ON refunds (gone_at) WHERE gone_at IS NOT NULL;
CREATE INDEX refunds_refund_id ON refunds (refund_id) WHERE refund_id IS NOT NULL;

-- It is evidence: what was written here is never changed or deleted.
CREATE TRIGGER reconciliation_bills_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON reconciliation_bills
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER reconciliation_steps_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON reconciliation_steps
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
