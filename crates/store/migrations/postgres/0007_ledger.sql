-- The ledger by time and by account, and its closed months.

CREATE INDEX ledger_entries_at ON ledger_entries (at, id);
CREATE INDEX ledger_postings_account ON ledger_postings (account, entry_id, line);

-- A month that was closed: its entries are those from begins_at on and before until, in the
-- hospital's zone. entries is how many those were.
CREATE TABLE ledger_closings (
    month text NOT NULL PRIMARY KEY CHECK (month ~ '^[0-9]{4}-[0-9]{2}$'),
    begins_at timestamptz NOT NULL,
    until timestamptz NOT NULL UNIQUE,
    entries bigint NOT NULL CHECK (entries >= 0),
    closed_at timestamptz NOT NULL,
    closed_by uuid NOT NULL,
    CHECK (begins_at < until AND until <= closed_at)
);

-- What accounts had moved in the month, and had at its end. Debits are positive, credits negative in
-- a balance; the two sums are never negative.
CREATE TABLE ledger_closing_balances (
    month text NOT NULL REFERENCES ledger_closings (month),
    account text NOT NULL,
    currency text NOT NULL,
    debits bigint NOT NULL CHECK (debits >= 0),
    credits bigint NOT NULL CHECK (credits >= 0),
    balance bigint NOT NULL,
    PRIMARY KEY (month, account, currency)
);

CREATE TRIGGER ledger_closings_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_closings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_closing_balances_refuses_change
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_closing_balances
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Nothing is posted into a closed month. Looked at once a statement, not once a row.
CREATE FUNCTION refuse_closed_month() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT min(at) FROM written) < (SELECT max(until) FROM ledger_closings) THEN
        RAISE EXCEPTION 'the month is closed in the ledger' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER ledger_entries_refuses_closed_month AFTER INSERT ON ledger_entries
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION refuse_closed_month();
