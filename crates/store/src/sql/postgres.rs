//! The statements in PostgreSQL's dialect.

/// The environment of the database.
pub const MARKER: &str = "SELECT env FROM env_marker WHERE id = 1";

/// Answers when the database does.
pub const PING: &str = "SELECT 1::bigint";

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
RETURNING id, customer, meal_id, quantity, status, version,
    to_char(placed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')";

/// A customer's newest orders.
pub const ORDERS_OF: &str = "
SELECT id, customer, meal_id, quantity, status, version,
    to_char(placed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')
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
