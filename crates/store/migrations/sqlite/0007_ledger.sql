-- The ledger by time and by account, and its closed months.

CREATE INDEX ledger_entries_at ON ledger_entries (at, id);
CREATE INDEX ledger_postings_account ON ledger_postings (account, entry_id, line);

-- A month that was closed: its entries are those from begins_at on and before until, in the
-- hospital's zone. entries is how many those were.
CREATE TABLE ledger_closings (
    month TEXT NOT NULL PRIMARY KEY CHECK (month GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]'),
    begins_at TEXT NOT NULL,
    until TEXT NOT NULL UNIQUE,
    entries INTEGER NOT NULL CHECK (entries >= 0),
    closed_at TEXT NOT NULL,
    closed_by BLOB NOT NULL,
    CHECK (begins_at < until AND until <= closed_at)
) STRICT;

-- What accounts had moved in the month, and had at its end. Debits are positive, credits negative in
-- a balance; the two sums are never negative.
CREATE TABLE ledger_closing_balances (
    month TEXT NOT NULL REFERENCES ledger_closings (month),
    account TEXT NOT NULL,
    currency TEXT NOT NULL,
    debits INTEGER NOT NULL CHECK (debits >= 0),
    credits INTEGER NOT NULL CHECK (credits >= 0),
    balance INTEGER NOT NULL,
    PRIMARY KEY (month, account, currency)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER ledger_closings_refuses_update BEFORE UPDATE ON ledger_closings
BEGIN
    SELECT RAISE(ABORT, 'ledger_closings is only ever added to');
END;
CREATE TRIGGER ledger_closings_refuses_delete BEFORE DELETE ON ledger_closings
BEGIN
    SELECT RAISE(ABORT, 'ledger_closings is only ever added to');
END;
CREATE TRIGGER ledger_closing_balances_refuses_update BEFORE UPDATE ON ledger_closing_balances
BEGIN
    SELECT RAISE(ABORT, 'ledger_closing_balances is only ever added to');
END;
CREATE TRIGGER ledger_closing_balances_refuses_delete BEFORE DELETE ON ledger_closing_balances
BEGIN
    SELECT RAISE(ABORT, 'ledger_closing_balances is only ever added to');
END;

-- Nothing is posted into a closed month.
CREATE TRIGGER ledger_entries_refuses_closed_month BEFORE INSERT ON ledger_entries
WHEN NEW.at < (SELECT MAX(until) FROM ledger_closings)
BEGIN
    SELECT RAISE(ABORT, 'the month is closed in the ledger');
END;
