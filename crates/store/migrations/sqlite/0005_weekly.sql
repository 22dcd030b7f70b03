-- Sessions that come every week, and which days of them were published.

CREATE TABLE weekly_sessions (
    id BLOB NOT NULL PRIMARY KEY,
    doctor_id BLOB NOT NULL REFERENCES doctors (user_id),
    weekday INTEGER NOT NULL CHECK (weekday BETWEEN 1 AND 7),
    from_minute INTEGER NOT NULL CHECK (from_minute BETWEEN 0 AND 1439),
    to_minute INTEGER NOT NULL CHECK (to_minute BETWEEN 1 AND 1440),
    slot_minutes INTEGER NOT NULL CHECK (slot_minutes >= 1),
    capacity INTEGER NOT NULL CHECK (capacity >= 1),
    consultation_type TEXT NOT NULL,
    price_amount INTEGER NOT NULL CHECK (price_amount >= 1),
    currency TEXT NOT NULL,
    note TEXT,
    created_at TEXT NOT NULL,
    ended_at TEXT,
    CHECK (from_minute < to_minute)
) STRICT;
CREATE INDEX weekly_sessions_going ON weekly_sessions (doctor_id) WHERE ended_at IS NULL;

CREATE TABLE weekly_published (
    weekly_id BLOB NOT NULL REFERENCES weekly_sessions (id),
    day TEXT NOT NULL,
    session_id BLOB NOT NULL UNIQUE REFERENCES sessions (id),
    PRIMARY KEY (weekly_id, day)
) STRICT, WITHOUT ROWID;
