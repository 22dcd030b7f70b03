-- Files that people put into an order. A pending one is an upload that may never end.

CREATE TABLE files (
    id BLOB NOT NULL PRIMARY KEY,
    order_id BLOB NOT NULL REFERENCES orders (id),
    owner_id BLOB NOT NULL,
    purpose TEXT NOT NULL CHECK (purpose IN ('room')),
    kind TEXT NOT NULL CHECK (kind IN ('picture', 'voice', 'document')),
    name TEXT NOT NULL,
    content_type TEXT NOT NULL,
    announced_size INTEGER NOT NULL CHECK (announced_size >= 1),
    size INTEGER CHECK (size >= 1),
    sha256 BLOB CHECK (length(sha256) = 32),
    duration_ms INTEGER CHECK (duration_ms >= 0),
    status TEXT NOT NULL CHECK (status IN ('pending', 'ready')),
    created_at TEXT NOT NULL,
    confirmed_at TEXT,
    CHECK (status = 'pending' OR (size IS NOT NULL AND sha256 IS NOT NULL AND confirmed_at IS NOT NULL))
) STRICT;
CREATE INDEX files_order ON files (order_id);
CREATE INDEX files_pending ON files (created_at) WHERE status = 'pending';

-- The system speaks in a room too, and a line's file is one that was put into the order.
CREATE TABLE messages_with_system (
    order_id BLOB NOT NULL REFERENCES orders (id),
    seq INTEGER NOT NULL CHECK (seq >= 1),
    id BLOB NOT NULL UNIQUE,
    sender_id BLOB,
    role TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('text', 'picture', 'voice', 'file', 'call', 'system')),
    body TEXT NOT NULL,
    file_id BLOB REFERENCES files (id),
    at TEXT NOT NULL,
    CHECK ((sender_id IS NULL) = (kind = 'system')),
    PRIMARY KEY (order_id, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO messages_with_system (order_id, seq, id, sender_id, role, kind, body, at)
    SELECT order_id, seq, id, sender_id, role, kind, body, at FROM messages;
DROP TABLE messages;
ALTER TABLE messages_with_system RENAME TO messages;
