-- Sessions that come every week, and which days of them were published.

CREATE TABLE weekly_sessions (
    id uuid NOT NULL PRIMARY KEY,
    doctor_id uuid NOT NULL REFERENCES doctors (user_id),
    weekday bigint NOT NULL CHECK (weekday BETWEEN 1 AND 7),
    from_minute bigint NOT NULL CHECK (from_minute BETWEEN 0 AND 1439),
    to_minute bigint NOT NULL CHECK (to_minute BETWEEN 1 AND 1440),
    slot_minutes bigint NOT NULL CHECK (slot_minutes >= 1),
    capacity bigint NOT NULL CHECK (capacity >= 1),
    consultation_type text NOT NULL,
    price_amount bigint NOT NULL CHECK (price_amount >= 1),
    currency text NOT NULL,
    note text,
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    CHECK (from_minute < to_minute)
);
CREATE INDEX weekly_sessions_going ON weekly_sessions (doctor_id) WHERE ended_at IS NULL;

CREATE TABLE weekly_published (
    weekly_id uuid NOT NULL REFERENCES weekly_sessions (id),
    day text NOT NULL,
    session_id uuid NOT NULL UNIQUE REFERENCES sessions (id),
    PRIMARY KEY (weekly_id, day)
);
