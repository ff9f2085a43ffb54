SET LOCAL lock_timeout = '3s';

-- Reads the table, and locks out nobody who reads or writes.
ALTER TABLE orders VALIDATE CONSTRAINT orders_total_cents_check;
ALTER TABLE orders VALIDATE CONSTRAINT orders_customer_fkey;

-- Reads nothing: the constraint has proved it.
ALTER TABLE orders ALTER COLUMN total_cents SET NOT NULL;
