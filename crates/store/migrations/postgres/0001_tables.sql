-- All tables of version 1. An applied file is never edited: the next change is the next file.

CREATE TABLE users (
    id uuid NOT NULL PRIMARY KEY,
    login text NOT NULL UNIQUE CHECK (login = lower(login)),
    password_hash text NOT NULL,
    role text NOT NULL CHECK (role IN ('patient', 'doctor', 'operator', 'admin')),
    name text NOT NULL,
    openid text,
    status text NOT NULL CHECK (status IN ('active', 'pending', 'locked')),
    failed_sign_ins integer NOT NULL CHECK (failed_sign_ins >= 0),
    locked_until timestamptz,
    created_at timestamptz NOT NULL
);

CREATE TABLE refresh_tokens (
    hash bytea NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    family uuid NOT NULL,
    user_id uuid NOT NULL REFERENCES users (id),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    revoked_at timestamptz,
    created_at timestamptz NOT NULL
);
CREATE INDEX refresh_tokens_family ON refresh_tokens (family);

CREATE TABLE departments (
    id uuid NOT NULL PRIMARY KEY,
    code text NOT NULL UNIQUE,
    name_zh text NOT NULL,
    name_en text NOT NULL
);

-- accepted and offered are in hundredths and shrink as days go by, up to decayed_at.
CREATE TABLE doctors (
    user_id uuid NOT NULL PRIMARY KEY REFERENCES users (id),
    department_id uuid NOT NULL REFERENCES departments (id),
    name text NOT NULL,
    title text NOT NULL,
    specialities json NOT NULL,
    types json NOT NULL,
    parallel_limit integer NOT NULL CHECK (parallel_limit >= 0),
    active integer NOT NULL CHECK (active >= 0),
    online boolean NOT NULL,
    accepted integer NOT NULL CHECK (accepted >= 0),
    offered integer NOT NULL CHECK (offered >= 0),
    decayed_at timestamptz NOT NULL,
    stars integer NOT NULL CHECK (stars >= 0),
    ratings integer NOT NULL CHECK (ratings >= 0),
    last_order_at timestamptz,
    price_amount bigint NOT NULL CHECK (price_amount >= 0),
    currency text NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX doctors_department ON doctors (department_id);

CREATE TABLE presence (
    user_id uuid NOT NULL PRIMARY KEY,
    online boolean NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz
);

CREATE TABLE sessions (
    id uuid NOT NULL PRIMARY KEY,
    version bigint NOT NULL CHECK (version >= 1),
    doctor_id uuid NOT NULL REFERENCES doctors (user_id),
    department_id uuid NOT NULL REFERENCES departments (id),
    status integer NOT NULL CHECK (status IN (10, 20, 30, 40, 50, 60)),
    begins_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    opened_at timestamptz,
    ended_at timestamptz,
    last_number integer NOT NULL CHECK (last_number >= 0),
    price_amount bigint NOT NULL CHECK (price_amount >= 0),
    currency text NOT NULL,
    consultation_type text NOT NULL CHECK (consultation_type IN ('text', 'phone', 'video')),
    note text,
    created_at timestamptz NOT NULL,
    CHECK (begins_at < ends_at)
) WITH (fillfactor = 80);
CREATE INDEX sessions_doctor ON sessions (doctor_id, begins_at);
CREATE INDEX sessions_begin ON sessions (begins_at);
CREATE INDEX sessions_unended ON sessions (ends_at) WHERE status IN (10, 20, 30);

CREATE TABLE slots (
    id uuid NOT NULL PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES sessions (id),
    slot_index integer NOT NULL CHECK (slot_index >= 0),
    begins_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    capacity integer NOT NULL CHECK (capacity >= 0),
    taken integer NOT NULL CHECK (taken BETWEEN 0 AND capacity),
    UNIQUE (session_id, slot_index)
) WITH (fillfactor = 80);

-- What all kinds of orders share. Amounts are in minor units of the currency.
CREATE TABLE orders (
    id uuid NOT NULL PRIMARY KEY,
    kind text NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    status integer NOT NULL CHECK (status BETWEEN 100 AND 999),
    status_since timestamptz NOT NULL,
    patient_id uuid NOT NULL,
    price_amount bigint NOT NULL CHECK (price_amount >= 0),
    currency text NOT NULL CHECK (currency IN ('CNY', 'NZD')),
    paid_amount bigint NOT NULL CHECK (paid_amount >= 0),
    refunded_amount bigint NOT NULL CHECK (refunded_amount BETWEEN 0 AND paid_amount),
    earned_amount bigint NOT NULL CHECK (earned_amount >= 0),
    rules_version bigint NOT NULL,
    suspended_status integer,
    suspended json,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX orders_patient ON orders (patient_id, created_at);
-- What is under way: terminal orders leave it, so that it stays small.
CREATE INDEX orders_under_way ON orders (status) WHERE status < 900;

CREATE TABLE consultations (
    order_id uuid NOT NULL PRIMARY KEY REFERENCES orders (id),
    mode text NOT NULL CHECK (mode IN ('dispatch', 'clinic')),
    consultation_type text NOT NULL CHECK (consultation_type IN ('text', 'phone', 'video')),
    department_id uuid NOT NULL,
    doctor_id uuid,
    holds_doctor boolean NOT NULL,
    waiting_since timestamptz,
    session_id uuid,
    slot_id uuid,
    slot_index integer NOT NULL,
    holds_place boolean NOT NULL,
    number integer CHECK (number >= 1),
    queue_rank bigint,
    calls integer NOT NULL,
    checked_in boolean NOT NULL,
    patient_seen boolean NOT NULL,
    connection_failures integer NOT NULL,
    started_at timestamptz,
    ended_at timestamptz,
    being_checked boolean NOT NULL,
    complaint text NOT NULL,
    rest json NOT NULL,
    CHECK (doctor_id IS NOT NULL OR NOT holds_doctor),
    CHECK (slot_id IS NOT NULL OR NOT holds_place)
) WITH (fillfactor = 80);
-- Orders without a number yet don't count against each other.
CREATE UNIQUE INDEX consultations_number ON consultations (session_id, number) WHERE session_id IS NOT NULL;
CREATE INDEX consultations_doctor ON consultations (doctor_id, ended_at) WHERE doctor_id IS NOT NULL;

CREATE TABLE payments (
    order_id uuid NOT NULL REFERENCES orders (id),
    id uuid NOT NULL,
    position integer NOT NULL,
    gateway text NOT NULL,
    method text NOT NULL,
    payer text,
    out_trade_no text NOT NULL UNIQUE,
    status integer NOT NULL CHECK (status IN (10, 20, 30, 31, 32, 40, 41)),
    amount bigint NOT NULL CHECK (amount >= 0),
    paid_amount bigint CHECK (paid_amount >= 0),
    currency text NOT NULL,
    transaction_id text,
    pay_with json,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (order_id, id)
);
CREATE UNIQUE INDEX payments_one_open ON payments (order_id) WHERE status IN (10, 20);

CREATE TABLE refunds (
    id uuid NOT NULL PRIMARY KEY,
    order_id uuid NOT NULL,
    position integer NOT NULL,
    payment_id uuid NOT NULL,
    out_refund_no text NOT NULL UNIQUE,
    status integer NOT NULL CHECK (status IN (10, 20, 30, 40, 50, 60)),
    purpose text NOT NULL,
    cause text NOT NULL,
    share integer NOT NULL CHECK (share BETWEEN 0 AND 100),
    amount bigint NOT NULL CHECK (amount >= 0),
    currency text NOT NULL,
    rule text NOT NULL,
    reason text,
    due_on text CHECK (length(due_on) = 10),
    retries integer NOT NULL CHECK (retries >= 0),
    last_error text,
    proof text,
    requested_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    FOREIGN KEY (order_id, payment_id) REFERENCES payments (order_id, id)
);
CREATE INDEX refunds_order ON refunds (order_id);
CREATE INDEX refunds_waiting ON refunds (requested_at) WHERE status IN (20, 50);

CREATE TABLE journal (
    order_id uuid NOT NULL,
    version bigint NOT NULL,
    seq integer NOT NULL,
    id uuid NOT NULL,
    from_status integer,
    to_status integer NOT NULL,
    at timestamptz NOT NULL,
    reason text NOT NULL,
    note text,
    actor_role text NOT NULL,
    actor_id uuid,
    request_id text,
    PRIMARY KEY (order_id, version, seq)
);

CREATE TABLE snapshots (
    order_id uuid NOT NULL,
    version bigint NOT NULL,
    at timestamptz NOT NULL,
    body json NOT NULL,
    PRIMARY KEY (order_id, version)
);

-- refund_id is all zeros where a deadline belongs to the order's status and not to a refund.
-- wake_at is when the row may be claimed: when it is due, or when its lease has run out.
CREATE TABLE timers (
    order_id uuid NOT NULL,
    name text NOT NULL,
    refund_id uuid NOT NULL,
    position bigint NOT NULL,
    due_at timestamptz NOT NULL,
    wake_at timestamptz NOT NULL,
    lease_owner uuid,
    lease_until timestamptz,
    PRIMARY KEY (order_id, name, refund_id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX timers_wake ON timers (wake_at);

CREATE TABLE outbox (
    id uuid NOT NULL PRIMARY KEY,
    order_id uuid,
    kind text NOT NULL,
    effect json NOT NULL,
    due_at timestamptz NOT NULL,
    wake_at timestamptz NOT NULL,
    attempts integer NOT NULL CHECK (attempts >= 0),
    lease_owner uuid,
    lease_until timestamptz,
    last_error text,
    request_id text,
    created_at timestamptz NOT NULL,
    dead_at timestamptz
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX outbox_wake ON outbox (wake_at) WHERE dead_at IS NULL;
CREATE INDEX outbox_dead ON outbox (dead_at) WHERE dead_at IS NOT NULL;

CREATE TABLE idempotency_keys (
    user_id uuid NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL CHECK (length(request_hash) = 32),
    status integer NOT NULL CHECK (status BETWEEN 100 AND 599),
    answer json NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (user_id, key)
);

CREATE TABLE ledger_entries (
    id uuid NOT NULL PRIMARY KEY,
    order_id uuid NOT NULL,
    kind text NOT NULL,
    at timestamptz NOT NULL
);

-- Debits are positive, credits negative; those of an entry sum to zero.
CREATE TABLE ledger_postings (
    entry_id uuid NOT NULL,
    line integer NOT NULL,
    account text NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    PRIMARY KEY (entry_id, line)
);

-- An account's balance is the sum over its shards: each committer has its own.
CREATE TABLE ledger_balances (
    account text NOT NULL,
    currency text NOT NULL,
    shard integer NOT NULL,
    balance bigint NOT NULL,
    PRIMARY KEY (account, currency, shard)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE messages (
    order_id uuid NOT NULL REFERENCES orders (id),
    seq bigint NOT NULL CHECK (seq >= 1),
    id uuid NOT NULL UNIQUE,
    sender_id uuid NOT NULL,
    role text NOT NULL,
    body text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (order_id, seq)
);

CREATE TABLE system_configs (
    name text NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    value json NOT NULL,
    set_by uuid,
    at timestamptz NOT NULL,
    PRIMARY KEY (name, version)
);

-- What was written here is never changed or deleted (spec 00, rule 3).
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is only ever added to', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER journal_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_entries_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_postings_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_postings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
