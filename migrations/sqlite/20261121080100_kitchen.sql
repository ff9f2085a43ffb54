-- What the kitchen offers.
CREATE TABLE meals (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL DEFAULT '',
    price_cents INTEGER NOT NULL CHECK (price_cents > 0),
    available BOOLEAN NOT NULL DEFAULT TRUE
);

-- What customers asked for. `version` grows by one with every change of an order.
CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    customer TEXT NOT NULL,
    meal_id INTEGER NOT NULL REFERENCES meals (id),
    quantity INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 20),
    status TEXT NOT NULL DEFAULT 'placed'
        CHECK (status IN ('placed', 'cooking', 'ready', 'delivered', 'cancelled')),
    version INTEGER NOT NULL DEFAULT 1,
    placed_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);

CREATE INDEX orders_customer_id ON orders (customer, id);
CREATE INDEX orders_meal_id ON orders (meal_id);
