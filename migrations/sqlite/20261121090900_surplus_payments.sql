-- An order may be paid more than once; what is too much is to be given back. An event of a provider
-- still counts once. SQLite drops a constraint of no table that exists, so a new one takes its
-- place. No table refers to it: to drop it breaks no foreign key.
CREATE TABLE payments_new (
    id INTEGER PRIMARY KEY,
    order_id INTEGER NOT NULL REFERENCES orders (id),
    provider TEXT NOT NULL,
    delivery_id TEXT NOT NULL,
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    received_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    UNIQUE (provider, delivery_id)
);

INSERT INTO payments_new (id, order_id, provider, delivery_id, amount_cents, received_at)
SELECT id, order_id, provider, delivery_id, amount_cents, received_at
FROM payments;

DROP TABLE payments;
ALTER TABLE payments_new RENAME TO payments;
