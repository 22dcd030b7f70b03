-- What other gateways than the first one need to be asked by, and money taken outside them.

ALTER TABLE payments ADD COLUMN paid_at timestamptz;
ALTER TABLE payments ADD COLUMN client_ip text;
ALTER TABLE payments ADD COLUMN handle text;
ALTER TABLE payments ADD COLUMN proof text;
ALTER TABLE refunds ADD COLUMN refund_id text;
ALTER TABLE refunds ADD COLUMN gone_at timestamptz;
UPDATE payments SET paid_at = updated_at WHERE paid_amount IS NOT NULL;
UPDATE refunds SET gone_at = updated_at WHERE status = 40;

-- What the payer needs now says what it is.
UPDATE payments SET pay_with = json_build_object('kind', 'qr', 'codeUrl', pay_with ->> 'codeUrl')
    WHERE pay_with IS NOT NULL AND method = 'native';
UPDATE payments SET pay_with = json_build_object('kind', 'inApp', 'fields', pay_with)
    WHERE pay_with IS NOT NULL AND method = 'jsapi';
