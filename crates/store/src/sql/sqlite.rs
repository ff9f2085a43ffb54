//! The statements in SQLite's dialect.

/// The environment of the database.
pub const MARKER: &str = "SELECT env FROM env_marker WHERE id = 1";

/// Answers when the database does: reads the file, where `SELECT 1` would not.
pub const PING: &str = "SELECT count(*) FROM sqlite_schema";

/// The meals that can be ordered.
pub const MENU: &str = "
SELECT id, name, description, price_cents, available
FROM meals WHERE available ORDER BY id";

/// Adds a meal: name, description, price in cents.
pub const ADD_MEAL: &str = "
INSERT INTO meals (name, description, price_cents) VALUES ($1, $2, $3)
RETURNING id, name, description, price_cents, available";

/// Places an order: customer, meal, quantity. No row when the meal is unknown or unavailable.
pub const PLACE_ORDER: &str = "
INSERT INTO orders (customer, meal_id, quantity)
SELECT $1, id, $3 FROM meals WHERE id = $2 AND available
RETURNING id, customer, meal_id, quantity, status, version, placed_at";

/// A customer's newest orders.
pub const ORDERS_OF: &str = "
SELECT id, customer, meal_id, quantity, status, version, placed_at
FROM orders WHERE customer = $1 ORDER BY id DESC LIMIT 100";

/// Name and text of every statement above.
pub const ALL: &[(&str, &str)] = &[
    ("MARKER", MARKER),
    ("PING", PING),
    ("MENU", MENU),
    ("ADD_MEAL", ADD_MEAL),
    ("PLACE_ORDER", PLACE_ORDER),
    ("ORDERS_OF", ORDERS_OF),
];
