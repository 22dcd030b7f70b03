-- What is said in a room is more than words, and who has received and read it is kept.

ALTER TABLE messages ADD COLUMN kind text NOT NULL DEFAULT 'text'
    CHECK (kind IN ('text', 'picture', 'voice', 'file', 'call'));
ALTER TABLE messages ADD COLUMN file_id uuid;

CREATE TABLE room_receipts (
    order_id uuid NOT NULL REFERENCES orders (id),
    role text NOT NULL CHECK (role IN ('patient', 'doctor')),
    delivered bigint NOT NULL CHECK (delivered >= 0),
    read bigint NOT NULL CHECK (read BETWEEN 0 AND delivered),
    PRIMARY KEY (order_id, role)
) WITH (fillfactor = 80);
