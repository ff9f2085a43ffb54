-- Waiting longer would hold up everybody who wants the table after this.
SET LOCAL lock_timeout = '3s';

-- What the customer calls the order, so as not to place it twice.
ALTER TABLE orders ADD COLUMN idempotency_key TEXT;
