-- A customer's key names one order.
CREATE UNIQUE INDEX orders_customer_idempotency_key
    ON orders (customer, idempotency_key) WHERE idempotency_key IS NOT NULL;
