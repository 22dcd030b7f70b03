-- What other gateways than the first one need to be asked by, and money taken outside them.

ALTER TABLE payments ADD COLUMN paid_at TEXT;
ALTER TABLE payments ADD COLUMN client_ip TEXT;
ALTER TABLE payments ADD COLUMN handle TEXT;
ALTER TABLE payments ADD COLUMN proof TEXT;
ALTER TABLE refunds ADD COLUMN refund_id TEXT;
ALTER TABLE refunds ADD COLUMN gone_at TEXT;
UPDATE payments SET paid_at = updated_at WHERE paid_amount IS NOT NULL;
UPDATE refunds SET gone_at = updated_at WHERE status = 40;

-- What the payer needs now says what it is.
UPDATE payments SET pay_with = json_object('kind', 'qr', 'codeUrl', json_extract(pay_with, '$.codeUrl'))
    WHERE pay_with IS NOT NULL AND method = 'native';
UPDATE payments SET pay_with = json_object('kind', 'inApp', 'fields', json(pay_with))
    WHERE pay_with IS NOT NULL AND method = 'jsapi';
