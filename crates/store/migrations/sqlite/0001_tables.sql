-- All tables of version 1. An applied file is never edited: the next change is the next file.
-- Times are RFC 3339 text in UTC with six decimals, ids are the 16 bytes of a UUID.

CREATE TABLE users (
    id BLOB NOT NULL PRIMARY KEY,
    login TEXT NOT NULL UNIQUE CHECK (login = lower(login)),
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('patient', 'doctor', 'operator', 'admin')),
    name TEXT NOT NULL,
    openid TEXT,
    status TEXT NOT NULL CHECK (status IN ('active', 'pending', 'locked')),
    failed_sign_ins INTEGER NOT NULL CHECK (failed_sign_ins >= 0),
    locked_until TEXT,
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE refresh_tokens (
    hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    family BLOB NOT NULL,
    user_id BLOB NOT NULL REFERENCES users (id),
    expires_at TEXT NOT NULL,
    used_at TEXT,
    revoked_at TEXT,
    created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_tokens_family ON refresh_tokens (family);

CREATE TABLE departments (
    id BLOB NOT NULL PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL
) STRICT;

-- accepted and offered are in hundredths and shrink as days go by, up to decayed_at.
CREATE TABLE doctors (
    user_id BLOB NOT NULL PRIMARY KEY REFERENCES users (id),
    department_id BLOB NOT NULL REFERENCES departments (id),
    name TEXT NOT NULL,
    title TEXT NOT NULL,
    specialities TEXT NOT NULL,
    types TEXT NOT NULL,
    parallel_limit INTEGER NOT NULL CHECK (parallel_limit >= 0),
    active INTEGER NOT NULL CHECK (active >= 0),
    online INTEGER NOT NULL CHECK (online IN (0, 1)),
    accepted INTEGER NOT NULL CHECK (accepted >= 0),
    offered INTEGER NOT NULL CHECK (offered >= 0),
    decayed_at TEXT NOT NULL,
    stars INTEGER NOT NULL CHECK (stars >= 0),
    ratings INTEGER NOT NULL CHECK (ratings >= 0),
    last_order_at TEXT,
    price_amount INTEGER NOT NULL CHECK (price_amount >= 0),
    currency TEXT NOT NULL
) STRICT;
CREATE INDEX doctors_department ON doctors (department_id);

CREATE TABLE presence (
    user_id BLOB NOT NULL PRIMARY KEY,
    online INTEGER NOT NULL CHECK (online IN (0, 1)),
    since TEXT NOT NULL,
    until TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    id BLOB NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL CHECK (version >= 1),
    doctor_id BLOB NOT NULL REFERENCES doctors (user_id),
    department_id BLOB NOT NULL REFERENCES departments (id),
    status INTEGER NOT NULL CHECK (status IN (10, 20, 30, 40, 50, 60)),
    begins_at TEXT NOT NULL,
    ends_at TEXT NOT NULL,
    opened_at TEXT,
    ended_at TEXT,
    last_number INTEGER NOT NULL CHECK (last_number >= 0),
    price_amount INTEGER NOT NULL CHECK (price_amount >= 0),
    currency TEXT NOT NULL,
    consultation_type TEXT NOT NULL CHECK (consultation_type IN ('text', 'phone', 'video')),
    note TEXT,
    created_at TEXT NOT NULL,
    CHECK (begins_at < ends_at)
) STRICT;
CREATE INDEX sessions_doctor ON sessions (doctor_id, begins_at);
CREATE INDEX sessions_begin ON sessions (begins_at);
CREATE INDEX sessions_unended ON sessions (ends_at) WHERE status IN (10, 20, 30);

CREATE TABLE slots (
    id BLOB NOT NULL PRIMARY KEY,
    session_id BLOB NOT NULL REFERENCES sessions (id),
    slot_index INTEGER NOT NULL CHECK (slot_index >= 0),
    begins_at TEXT NOT NULL,
    ends_at TEXT NOT NULL,
    capacity INTEGER NOT NULL CHECK (capacity >= 0),
    taken INTEGER NOT NULL CHECK (taken BETWEEN 0 AND capacity),
    UNIQUE (session_id, slot_index)
) STRICT;

-- What all kinds of orders share. Amounts are in minor units of the currency.
CREATE TABLE orders (
    id BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    status INTEGER NOT NULL CHECK (status BETWEEN 100 AND 999),
    status_since TEXT NOT NULL,
    patient_id BLOB NOT NULL,
    price_amount INTEGER NOT NULL CHECK (price_amount >= 0),
    currency TEXT NOT NULL CHECK (currency IN ('CNY', 'NZD')),
    paid_amount INTEGER NOT NULL CHECK (paid_amount >= 0),
    refunded_amount INTEGER NOT NULL CHECK (refunded_amount BETWEEN 0 AND paid_amount),
    earned_amount INTEGER NOT NULL CHECK (earned_amount >= 0),
    rules_version INTEGER NOT NULL,
    suspended_status INTEGER,
    suspended TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE INDEX orders_patient ON orders (patient_id, created_at);
-- What is under way: terminal orders leave it, so that it stays small.
CREATE INDEX orders_under_way ON orders (status) WHERE status < 900;

CREATE TABLE consultations (
    order_id BLOB NOT NULL PRIMARY KEY REFERENCES orders (id),
    mode TEXT NOT NULL CHECK (mode IN ('dispatch', 'clinic')),
    consultation_type TEXT NOT NULL CHECK (consultation_type IN ('text', 'phone', 'video')),
    department_id BLOB NOT NULL,
    doctor_id BLOB,
    holds_doctor INTEGER NOT NULL CHECK (holds_doctor IN (0, 1)),
    waiting_since TEXT,
    session_id BLOB,
    slot_id BLOB,
    slot_index INTEGER NOT NULL,
    holds_place INTEGER NOT NULL CHECK (holds_place IN (0, 1)),
    number INTEGER CHECK (number >= 1),
    queue_rank INTEGER,
    calls INTEGER NOT NULL,
    checked_in INTEGER NOT NULL CHECK (checked_in IN (0, 1)),
    patient_seen INTEGER NOT NULL CHECK (patient_seen IN (0, 1)),
    connection_failures INTEGER NOT NULL,
    started_at TEXT,
    ended_at TEXT,
    being_checked INTEGER NOT NULL CHECK (being_checked IN (0, 1)),
    complaint TEXT NOT NULL,
    rest TEXT NOT NULL,
    CHECK (doctor_id IS NOT NULL OR NOT holds_doctor),
    CHECK (slot_id IS NOT NULL OR NOT holds_place)
) STRICT;
-- Orders without a number yet don't count against each other.
CREATE UNIQUE INDEX consultations_number ON consultations (session_id, number) WHERE session_id IS NOT NULL;
CREATE INDEX consultations_doctor ON consultations (doctor_id, ended_at) WHERE doctor_id IS NOT NULL;

CREATE TABLE payments (
    order_id BLOB NOT NULL REFERENCES orders (id),
    id BLOB NOT NULL,
    position INTEGER NOT NULL,
    gateway TEXT NOT NULL,
    method TEXT NOT NULL,
    payer TEXT,
    out_trade_no TEXT NOT NULL UNIQUE,
    status INTEGER NOT NULL CHECK (status IN (10, 20, 30, 31, 32, 40, 41)),
    amount INTEGER NOT NULL CHECK (amount >= 0),
    paid_amount INTEGER CHECK (paid_amount >= 0),
    currency TEXT NOT NULL,
    transaction_id TEXT,
    pay_with TEXT,
    expires_at TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (order_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX payments_one_open ON payments (order_id) WHERE status IN (10, 20);

CREATE TABLE refunds (
    id BLOB NOT NULL PRIMARY KEY,
    order_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    payment_id BLOB NOT NULL,
    out_refund_no TEXT NOT NULL UNIQUE,
    status INTEGER NOT NULL CHECK (status IN (10, 20, 30, 40, 50, 60)),
    purpose TEXT NOT NULL,
    cause TEXT NOT NULL,
    share INTEGER NOT NULL CHECK (share BETWEEN 0 AND 100),
    amount INTEGER NOT NULL CHECK (amount >= 0),
    currency TEXT NOT NULL,
    rule TEXT NOT NULL,
    reason TEXT,
    due_on TEXT CHECK (length(due_on) = 10),
    retries INTEGER NOT NULL CHECK (retries >= 0),
    last_error TEXT,
    proof TEXT,
    requested_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    FOREIGN KEY (order_id, payment_id) REFERENCES payments (order_id, id)
) STRICT;
CREATE INDEX refunds_order ON refunds (order_id);
CREATE INDEX refunds_waiting ON refunds (requested_at) WHERE status IN (20, 50);

CREATE TABLE journal (
    order_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    id BLOB NOT NULL,
    from_status INTEGER,
    to_status INTEGER NOT NULL,
    at TEXT NOT NULL,
    reason TEXT NOT NULL,
    note TEXT,
    actor_role TEXT NOT NULL,
    actor_id BLOB,
    request_id TEXT,
    PRIMARY KEY (order_id, version, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshots (
    order_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    at TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (order_id, version)
) STRICT;

-- refund_id is all zeros where a deadline belongs to the order's status and not to a refund.
-- wake_at is when the row may be claimed: when it is due, or when its lease has run out.
CREATE TABLE timers (
    order_id BLOB NOT NULL,
    name TEXT NOT NULL,
    refund_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    due_at TEXT NOT NULL,
    wake_at TEXT NOT NULL,
    lease_owner BLOB,
    lease_until TEXT,
    PRIMARY KEY (order_id, name, refund_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX timers_wake ON timers (wake_at);

CREATE TABLE outbox (
    id BLOB NOT NULL PRIMARY KEY,
    order_id BLOB,
    kind TEXT NOT NULL,
    effect TEXT NOT NULL,
    due_at TEXT NOT NULL,
    wake_at TEXT NOT NULL,
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    lease_owner BLOB,
    lease_until TEXT,
    last_error TEXT,
    request_id TEXT,
    created_at TEXT NOT NULL,
    dead_at TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_wake ON outbox (wake_at) WHERE dead_at IS NULL;
CREATE INDEX outbox_dead ON outbox (dead_at) WHERE dead_at IS NOT NULL;

CREATE TABLE idempotency_keys (
    user_id BLOB NOT NULL,
    key TEXT NOT NULL,
    request_hash BLOB NOT NULL CHECK (length(request_hash) = 32),
    status INTEGER NOT NULL CHECK (status BETWEEN 100 AND 599),
    answer TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (user_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger_entries (
    id BLOB NOT NULL PRIMARY KEY,
    order_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Debits are positive, credits negative; those of an entry sum to zero.
CREATE TABLE ledger_postings (
    entry_id BLOB NOT NULL,
    line INTEGER NOT NULL,
    account TEXT NOT NULL,
    amount INTEGER NOT NULL,
    currency TEXT NOT NULL,
    PRIMARY KEY (entry_id, line)
) STRICT, WITHOUT ROWID;

-- An account's balance is the sum over its shards: each committer has its own.
CREATE TABLE ledger_balances (
    account TEXT NOT NULL,
    currency TEXT NOT NULL,
    shard INTEGER NOT NULL,
    balance INTEGER NOT NULL,
    PRIMARY KEY (account, currency, shard)
) STRICT, WITHOUT ROWID;

CREATE TABLE messages (
    order_id BLOB NOT NULL REFERENCES orders (id),
    seq INTEGER NOT NULL CHECK (seq >= 1),
    id BLOB NOT NULL UNIQUE,
    sender_id BLOB NOT NULL,
    role TEXT NOT NULL,
    body TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (order_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE system_configs (
    name TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    value TEXT NOT NULL,
    set_by BLOB,
    at TEXT NOT NULL,
    PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;

-- What was written here is never changed or deleted (spec 00, rule 3).
CREATE TRIGGER journal_refuses_update BEFORE UPDATE ON journal
BEGIN
    SELECT RAISE(ABORT, 'journal is only ever added to');
END;
CREATE TRIGGER journal_refuses_delete BEFORE DELETE ON journal
BEGIN
    SELECT RAISE(ABORT, 'journal is only ever added to');
END;
CREATE TRIGGER ledger_entries_refuses_update BEFORE UPDATE ON ledger_entries
BEGIN
    SELECT RAISE(ABORT, 'ledger_entries is only ever added to');
END;
CREATE TRIGGER ledger_entries_refuses_delete BEFORE DELETE ON ledger_entries
BEGIN
    SELECT RAISE(ABORT, 'ledger_entries is only ever added to');
END;
CREATE TRIGGER ledger_postings_refuses_update BEFORE UPDATE ON ledger_postings
BEGIN
    SELECT RAISE(ABORT, 'ledger_postings is only ever added to');
END;
CREATE TRIGGER ledger_postings_refuses_delete BEFORE DELETE ON ledger_postings
BEGIN
    SELECT RAISE(ABORT, 'ledger_postings is only ever added to');
END;
