-- What providers have told, each attempt once: the same attempt again is a replay.
CREATE TABLE webhook_deliveries (
    provider TEXT NOT NULL,
    id TEXT NOT NULL,
    -- Seconds since 1970, as signed by the provider.
    timestamp INTEGER NOT NULL,
    received_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    PRIMARY KEY (provider, id, timestamp)
);

-- Money that arrived: once for each order, once for each event of a provider.
CREATE TABLE payments (
    id INTEGER PRIMARY KEY,
    order_id INTEGER NOT NULL UNIQUE REFERENCES orders (id),
    provider TEXT NOT NULL,
    delivery_id TEXT NOT NULL,
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    received_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    UNIQUE (provider, delivery_id)
);
