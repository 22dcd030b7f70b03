-- Files that people put into an order. A pending one is an upload that may never end.

CREATE TABLE files (
    id uuid NOT NULL PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders (id),
    owner_id uuid NOT NULL,
    purpose text NOT NULL CHECK (purpose IN ('room')),
    kind text NOT NULL CHECK (kind IN ('picture', 'voice', 'document')),
    name text NOT NULL,
    content_type text NOT NULL,
    announced_size bigint NOT NULL CHECK (announced_size >= 1),
    size bigint CHECK (size >= 1),
    sha256 bytea CHECK (length(sha256) = 32),
    duration_ms bigint CHECK (duration_ms >= 0),
    status text NOT NULL CHECK (status IN ('pending', 'ready')),
    created_at timestamptz NOT NULL,
    confirmed_at timestamptz,
    CHECK (status = 'pending' OR (size IS NOT NULL AND sha256 IS NOT NULL AND confirmed_at IS NOT NULL))
);
CREATE INDEX files_order ON files (order_id);
CREATE INDEX files_pending ON files (created_at) WHERE status = 'pending';

-- The system speaks in a room too, and a line's file is one that was put into the order.
ALTER TABLE messages DROP CONSTRAINT messages_kind_check;
ALTER TABLE messages ADD CONSTRAINT messages_kind_check
    CHECK (kind IN ('text', 'picture', 'voice', 'file', 'call', 'system'));
ALTER TABLE messages ALTER COLUMN sender_id DROP NOT NULL;
ALTER TABLE messages ADD CONSTRAINT messages_sender_check CHECK ((sender_id IS NULL) = (kind = 'system'));
UPDATE messages SET file_id = NULL WHERE file_id IS NOT NULL;
ALTER TABLE messages ADD CONSTRAINT messages_file_fkey FOREIGN KEY (file_id) REFERENCES files (id);
