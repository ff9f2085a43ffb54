-- What providers have told, each attempt once: the same attempt again is a replay.
CREATE TABLE webhook_deliveries (
    provider TEXT NOT NULL,
    id TEXT NOT NULL,
    -- Seconds since 1970, as signed by the provider.
    timestamp BIGINT NOT NULL,
    received_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (provider, id, timestamp)
);

-- Money that arrived: once for each order, once for each event of a provider.
CREATE TABLE payments (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id BIGINT NOT NULL UNIQUE REFERENCES orders (id),
    provider TEXT NOT NULL,
    delivery_id TEXT NOT NULL,
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    received_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    UNIQUE (provider, delivery_id)
);
