-- When a refund was sent, whatever came of it: UnionPay is asked by this time. Of those that have ended,
-- only when they ended is known.

ALTER TABLE refunds ADD COLUMN sent_at TEXT;
UPDATE refunds SET sent_at = updated_at WHERE status IN (30, 40, 50);
