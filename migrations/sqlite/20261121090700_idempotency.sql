-- What the customer calls the order, so as not to place it twice.
ALTER TABLE orders ADD COLUMN idempotency_key TEXT;
