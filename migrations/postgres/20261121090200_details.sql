-- Waiting longer would hold up everybody who wants the tables after this.
SET LOCAL lock_timeout = '3s';

-- Grows by one with every change of a meal.
ALTER TABLE meals ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

-- `total_cents` is the price when the order was placed; old rows have none yet. None of these
-- rewrites the table. The constraints hold for new rows at once, and for old ones once they are
-- validated.
ALTER TABLE orders
    ADD COLUMN total_cents INTEGER,
    ADD COLUMN wanted_at TIMESTAMPTZ,
    ADD COLUMN paid_at TIMESTAMPTZ,
    ADD CONSTRAINT orders_total_cents_check
        CHECK (total_cents IS NOT NULL AND total_cents > 0) NOT VALID,
    ADD CONSTRAINT orders_customer_fkey
        FOREIGN KEY (customer) REFERENCES accounts (id) NOT VALID;
