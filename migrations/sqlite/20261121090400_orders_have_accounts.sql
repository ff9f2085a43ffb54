-- SQLite adds constraints to no table that exists, so a new one takes its place. No table refers to
-- it yet: to drop it breaks no foreign key, and they need not be turned off, which could not be done
-- inside the migration's transaction.
CREATE TABLE orders_new (
    id INTEGER PRIMARY KEY,
    customer TEXT NOT NULL REFERENCES accounts (id),
    meal_id INTEGER NOT NULL REFERENCES meals (id),
    quantity INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 20),
    status TEXT NOT NULL DEFAULT 'placed'
        CHECK (status IN ('placed', 'cooking', 'ready', 'delivered', 'cancelled')),
    version INTEGER NOT NULL DEFAULT 1,
    placed_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    -- The price when the order was placed.
    total_cents INTEGER NOT NULL CHECK (total_cents BETWEEN 1 AND 2147483647),
    wanted_at TEXT,
    paid_at TEXT
);

INSERT INTO orders_new
    (id, customer, meal_id, quantity, status, version, placed_at, total_cents, wanted_at, paid_at)
SELECT id, customer, meal_id, quantity, status, version, placed_at, total_cents, wanted_at, paid_at
FROM orders;

DROP TABLE orders;
ALTER TABLE orders_new RENAME TO orders;

CREATE INDEX orders_customer_id ON orders (customer, id);
CREATE INDEX orders_meal_id ON orders (meal_id);
