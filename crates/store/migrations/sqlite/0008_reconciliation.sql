-- Gateways' bills held against our own books: a day at a gateway, its bills as they were received,
-- their lines, and what differs with all that was decided about it.

CREATE TABLE reconciliations (
    id BLOB NOT NULL PRIMARY KEY,
    gateway TEXT NOT NULL,
    day TEXT NOT NULL CHECK (length(day) = 10),
    run TEXT NOT NULL CHECK (run IN ('running', 'waiting', 'failed', 'done')),
    runs INTEGER NOT NULL CHECK (runs >= 0),
    lease_owner BLOB,
    lease_until TEXT,
    started_at TEXT NOT NULL,
    finished_at TEXT,
    retry_at TEXT,
    error TEXT,
    bill_sha256 BLOB CHECK (length(bill_sha256) = 32),
    bill_lines INTEGER NOT NULL CHECK (bill_lines >= 0),
    matched_payments INTEGER NOT NULL CHECK (matched_payments >= 0),
    matched_refunds INTEGER NOT NULL CHECK (matched_refunds >= 0),
    differences INTEGER NOT NULL CHECK (differences >= 0),
    unsettled INTEGER NOT NULL CHECK (unsettled BETWEEN 0 AND differences),
    created_at TEXT NOT NULL,
    UNIQUE (gateway, day)
) STRICT;
CREATE INDEX reconciliations_day ON reconciliations (day, gateway);

-- The day's money by currency, in minor units; the fee in hundred-thousandths of a major unit.
-- ledger_moved is what the gateway's clearing account moved on the day, by the time of posting.
CREATE TABLE reconciliation_sums (
    reconciliation_id BLOB NOT NULL REFERENCES reconciliations (id),
    currency TEXT NOT NULL,
    bill_paid INTEGER NOT NULL,
    bill_refunded INTEGER NOT NULL,
    bill_fee INTEGER NOT NULL,
    our_paid INTEGER NOT NULL,
    our_refunded INTEGER NOT NULL,
    ledger_moved INTEGER NOT NULL,
    PRIMARY KEY (reconciliation_id, currency)
) STRICT, WITHOUT ROWID;

-- A bill as it was received, once for each that is not the same as one before.
CREATE TABLE reconciliation_bills (
    id BLOB NOT NULL PRIMARY KEY,
    reconciliation_id BLOB NOT NULL REFERENCES reconciliations (id),
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    bytes BLOB NOT NULL,
    fetched_at TEXT NOT NULL,
    UNIQUE (reconciliation_id, sha256)
) STRICT;

-- The lines of the newest bill of a day, so that other days' know what it had.
CREATE TABLE reconciliation_lines (
    reconciliation_id BLOB NOT NULL REFERENCES reconciliations (id),
    position INTEGER NOT NULL CHECK (position >= 0),
    line INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('payment', 'refund')),
    status TEXT NOT NULL CHECK (status IN ('succeeded', 'processing', 'failed')),
    out_trade_no TEXT,
    transaction_id TEXT,
    out_refund_no TEXT,
    refund_id TEXT,
    amount INTEGER NOT NULL,
    currency TEXT NOT NULL,
    fee INTEGER,
    at TEXT NOT NULL,
    PRIMARY KEY (reconciliation_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX reconciliation_lines_payment ON reconciliation_lines (out_trade_no) WHERE kind = 'payment';
CREATE INDEX reconciliation_lines_transaction ON reconciliation_lines (transaction_id) WHERE kind = 'payment';
CREATE INDEX reconciliation_lines_refund ON reconciliation_lines (out_refund_no) WHERE kind = 'refund';
CREATE INDEX reconciliation_lines_refund_id ON reconciliation_lines (refund_id) WHERE kind = 'refund';

-- What is not the same on both sides. identity is by what a second run knows it again. Amounts here
-- and there are never negative; what moved is signed, and is what counts in the sums of the day.
CREATE TABLE reconciliation_differences (
    id BLOB NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL CHECK (version >= 1),
    reconciliation_id BLOB NOT NULL REFERENCES reconciliations (id),
    identity TEXT NOT NULL,
    kind TEXT NOT NULL,
    about TEXT NOT NULL CHECK (about IN ('payment', 'refund')),
    line INTEGER,
    out_trade_no TEXT,
    transaction_id TEXT,
    out_refund_no TEXT,
    refund_no TEXT,
    order_id BLOB,
    payment_id BLOB,
    refund_id BLOB,
    here_amount INTEGER,
    here_currency TEXT,
    there_amount INTEGER,
    there_currency TEXT,
    moved_here INTEGER NOT NULL,
    moved_there INTEGER NOT NULL,
    at TEXT,
    explained INTEGER NOT NULL CHECK (explained IN (0, 1)),
    note TEXT,
    occurrence INTEGER NOT NULL CHECK (occurrence >= 1),
    status INTEGER NOT NULL CHECK (status IN (10, 20, 30, 40, 50, 60, 70)),
    repair TEXT,
    proposed_by BLOB,
    approved_by BLOB,
    reason TEXT,
    result TEXT,
    found_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (reconciliation_id, identity),
    CHECK ((here_amount IS NULL) = (here_currency IS NULL)),
    CHECK ((there_amount IS NULL) = (there_currency IS NULL)),
    CHECK (status NOT IN (20, 30, 40, 50) OR (repair IS NOT NULL AND proposed_by IS NOT NULL))
) STRICT;
CREATE INDEX reconciliation_differences_unsettled ON reconciliation_differences (status, found_at)
    WHERE status IN (10, 20, 30);
CREATE INDEX reconciliation_differences_order ON reconciliation_differences (order_id)
    WHERE order_id IS NOT NULL;

-- Who decided what and when, of a difference, or of the day as a whole where it names none. seq is the
-- difference's version after it, or of the day as a whole the number of the run.
CREATE TABLE reconciliation_steps (
    id BLOB NOT NULL PRIMARY KEY,
    reconciliation_id BLOB NOT NULL REFERENCES reconciliations (id),
    difference_id BLOB REFERENCES reconciliation_differences (id),
    seq INTEGER NOT NULL CHECK (seq >= 1),
    at TEXT NOT NULL,
    step TEXT NOT NULL,
    from_status INTEGER,
    to_status INTEGER,
    repair TEXT,
    note TEXT,
    actor_role TEXT NOT NULL,
    actor_id BLOB,
    request_id TEXT,
    UNIQUE (difference_id, seq)
) STRICT;
CREATE INDEX reconciliation_steps_reconciliation ON reconciliation_steps (reconciliation_id, seq);

-- What a day's books are looked up by.
CREATE INDEX payments_paid_at ON payments (paid_at) WHERE paid_at IS NOT NULL;
CREATE INDEX payments_transaction ON payments (transaction_id) WHERE transaction_id IS NOT NULL;
CREATE INDEX refunds_gone_at ON refunds (gone_at) WHERE gone_at IS NOT NULL;
CREATE INDEX refunds_refund_id ON refunds (refund_id) WHERE refund_id IS NOT NULL;

-- It is evidence: what was written here is never changed or deleted.
CREATE TRIGGER reconciliation_bills_refuses_update BEFORE UPDATE ON reconciliation_bills
BEGIN
    SELECT RAISE(ABORT, 'reconciliation_bills is only ever added to');
END;
CREATE TRIGGER reconciliation_bills_refuses_delete BEFORE DELETE ON reconciliation_bills
BEGIN
    SELECT RAISE(ABORT, 'reconciliation_bills is only ever added to');
END;
CREATE TRIGGER reconciliation_steps_refuses_update BEFORE UPDATE ON reconciliation_steps
BEGIN
    SELECT RAISE(ABORT, 'reconciliation_steps is only ever added to');
END;
CREATE TRIGGER reconciliation_steps_refuses_delete BEFORE DELETE ON reconciliation_steps
BEGIN
    SELECT RAISE(ABORT, 'reconciliation_steps is only ever added to');
END;
