-- What is said in a room is more than words, and who has received and read it is kept.

ALTER TABLE messages ADD COLUMN kind TEXT NOT NULL DEFAULT 'text'
    CHECK (kind IN ('text', 'picture', 'voice', 'file', 'call'));
ALTER TABLE messages ADD COLUMN file_id BLOB;

CREATE TABLE room_receipts (
    order_id BLOB NOT NULL REFERENCES orders (id),
    role TEXT NOT NULL CHECK (role IN ('patient', 'doctor')),
    delivered INTEGER NOT NULL CHECK (delivered >= 0),
    read INTEGER NOT NULL CHECK (read BETWEEN 0 AND delivered),
    PRIMARY KEY (order_id, role)
) STRICT, WITHOUT ROWID;
