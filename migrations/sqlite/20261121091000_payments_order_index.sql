-- In place of the one that the dropped constraint had.
CREATE INDEX payments_order_id ON payments (order_id);
