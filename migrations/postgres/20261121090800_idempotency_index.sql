-- no-transaction
-- A customer's key names one order. Concurrently, so that orders can be placed meanwhile.
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS orders_customer_idempotency_key
    ON orders (customer, idempotency_key) WHERE idempotency_key IS NOT NULL;
