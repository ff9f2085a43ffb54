-- no-transaction
-- For the kitchen's list. Concurrently, so that orders can be placed meanwhile, which takes a
-- migration without a transaction and with no other statement.
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_status_id ON orders (status, id);
