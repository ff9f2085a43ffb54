-- no-transaction
-- In place of the one that the dropped constraint had. Concurrently, so that payments can be noted
-- meanwhile.
CREATE INDEX CONCURRENTLY IF NOT EXISTS payments_order_id ON payments (order_id);
