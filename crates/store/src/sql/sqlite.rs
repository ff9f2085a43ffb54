//! The statements in SQLite's dialect.

/// The environment of the database.
pub const MARKER: &str = "SELECT env FROM env_marker WHERE id = 1";

/// Answers when the database does: reads the file, where `SELECT 1` would not.
pub const PING: &str = "SELECT count(*) FROM sqlite_schema";

/// Begins a change, and takes the lock of the one writer.
pub const BEGIN: &str = "BEGIN IMMEDIATE";

/// Says what a change has done: actor, action, subject, detail, request id.
pub const RECORD: &str = "
INSERT INTO audit_events (actor, action, subject, detail, request_id)
VALUES ($1, $2, $3, $4, $5) RETURNING id";

/// The newest events before a number.
pub const AUDIT: &str = "
SELECT id, at, actor, action, subject, detail, request_id
FROM audit_events WHERE id < $1 ORDER BY id DESC LIMIT $2";

/// Opens an account: e-mail address in lower case, name, password hash, role.
pub const ADD_ACCOUNT: &str = "
INSERT INTO accounts (email, name, password_hash, role) VALUES ($1, $2, $3, $4)
RETURNING id, email, name, role";

/// An account by its id.
pub const ACCOUNT: &str = "SELECT id, email, name, role FROM accounts WHERE id = $1";

/// An account and its password hash, by e-mail address in lower case. `!` is the hash of no
/// password.
pub const CREDENTIALS: &str = "
SELECT id, email, name, role, password_hash
FROM accounts WHERE email = $1 AND password_hash <> '!'";

/// Opens a session of an account.
pub const OPEN_SESSION: &str = "INSERT INTO sessions (account_id) VALUES ($1) RETURNING id";

/// A row when the session is open.
pub const OPEN_SESSION_EXISTS: &str = "SELECT 1 FROM sessions WHERE id = $1 AND closed_at IS NULL";

/// The account that a session is of.
pub const SESSION_ACCOUNT: &str = "
SELECT a.id, a.email, a.name, a.role
FROM sessions s JOIN accounts a ON a.id = s.account_id WHERE s.id = $1";

/// Closes a session that is open.
pub const CLOSE_SESSION: &str = "
UPDATE sessions SET closed_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), closed_reason = 'signed-out'
WHERE id = $1 AND closed_at IS NULL RETURNING id";

/// Closes the open session of a refresh token that was used before.
pub const REVOKE_SESSION: &str = "
UPDATE sessions SET closed_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), closed_reason = 'token-reused'
WHERE closed_at IS NULL
    AND id = (SELECT session_id FROM refresh_tokens WHERE hash = $1 AND used_at IS NOT NULL)
RETURNING id, account_id";

/// Adds a refresh token: hash, session, seconds until it expires.
pub const ADD_TOKEN: &str = "
INSERT INTO refresh_tokens (hash, session_id, expires_at)
VALUES ($1, $2, strftime('%Y-%m-%dT%H:%M:%fZ', 'now', $3 || ' seconds')) RETURNING hash";

/// Uses a refresh token up, if it can be used.
pub const USE_TOKEN: &str = "
UPDATE refresh_tokens SET used_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
WHERE hash = $1 AND used_at IS NULL AND expires_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
    AND EXISTS (SELECT 1 FROM sessions s WHERE s.id = session_id AND s.closed_at IS NULL)
RETURNING session_id";

/// The meals that can be ordered, after a number.
pub const MENU: &str = "
SELECT id, name, description, price_cents, available, version
FROM meals WHERE available AND id > $1 ORDER BY id LIMIT $2";

/// All meals, after a number.
pub const MEALS: &str = "
SELECT id, name, description, price_cents, available, version
FROM meals WHERE id > $1 ORDER BY id LIMIT $2";

/// A meal by its number.
pub const MEAL: &str = "
SELECT id, name, description, price_cents, available, version
FROM meals WHERE id = $1";

/// A meal by its number. No other change goes on meanwhile.
pub const MEAL_TO_CHANGE: &str = "
SELECT id, name, description, price_cents, available, version
FROM meals WHERE id = $1";

/// Adds a meal: name, description, price in cents.
pub const ADD_MEAL: &str = "
INSERT INTO meals (name, description, price_cents) VALUES ($1, $2, $3)
RETURNING id, name, description, price_cents, available, version";

/// Changes a meal: number and version, then description, price in cents, availability.
pub const CHANGE_MEAL: &str = "
UPDATE meals SET description = $3, price_cents = $4, available = $5, version = version + 1
WHERE id = $1 AND version = $2
RETURNING id, name, description, price_cents, available, version";

/// Places an order: customer, meal, quantity, when it is wanted, key. No row when the meal is unknown
/// or unavailable, or the customer has an order with the key.
pub const PLACE_ORDER: &str = "
INSERT INTO orders (customer, meal_id, quantity, total_cents, wanted_at, idempotency_key)
SELECT $1, id, $3, price_cents * $3, $4, $5 FROM meals WHERE id = $2 AND available
ON CONFLICT (customer, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
RETURNING id";

/// An order by its number.
pub const ORDER: &str = "
SELECT o.id, o.customer, a.name, o.meal_id, m.name, o.quantity, o.total_cents, o.status, o.version,
    o.placed_at,
    o.wanted_at,
    o.paid_at
FROM orders o JOIN accounts a ON a.id = o.customer JOIN meals m ON m.id = o.meal_id
WHERE o.id = $1";

/// A customer's order by its key.
pub const ORDER_WITH_KEY: &str = "
SELECT o.id, o.customer, a.name, o.meal_id, m.name, o.quantity, o.total_cents, o.status, o.version,
    o.placed_at,
    o.wanted_at,
    o.paid_at
FROM orders o JOIN accounts a ON a.id = o.customer JOIN meals m ON m.id = o.meal_id
WHERE o.customer = $1 AND o.idempotency_key = $2";

/// A customer's newest orders before a number.
pub const ORDERS_OF: &str = "
SELECT o.id, o.customer, a.name, o.meal_id, m.name, o.quantity, o.total_cents, o.status, o.version,
    o.placed_at,
    o.wanted_at,
    o.paid_at
FROM orders o JOIN accounts a ON a.id = o.customer JOIN meals m ON m.id = o.meal_id
WHERE o.customer = $1 AND o.id < $2 ORDER BY o.id DESC LIMIT $3";

/// The newest orders of a status before a number.
pub const ORDERS_IN: &str = "
SELECT o.id, o.customer, a.name, o.meal_id, m.name, o.quantity, o.total_cents, o.status, o.version,
    o.placed_at,
    o.wanted_at,
    o.paid_at
FROM orders o JOIN accounts a ON a.id = o.customer JOIN meals m ON m.id = o.meal_id
WHERE o.status = $1 AND o.id < $2 ORDER BY o.id DESC LIMIT $3";

/// The newest orders before a number.
pub const ORDERS: &str = "
SELECT o.id, o.customer, a.name, o.meal_id, m.name, o.quantity, o.total_cents, o.status, o.version,
    o.placed_at,
    o.wanted_at,
    o.paid_at
FROM orders o JOIN accounts a ON a.id = o.customer JOIN meals m ON m.id = o.meal_id
WHERE o.id < $1 ORDER BY o.id DESC LIMIT $2";

/// Moves an order on: number and version, status before and after.
pub const MOVE_ORDER: &str = "
UPDATE orders SET status = $4, version = version + 1
WHERE id = $1 AND version = $2 AND status = $3 RETURNING id";

/// Remembers a delivery: provider, id, timestamp. No row when it was seen before.
pub const NOTE_DELIVERY: &str = "
INSERT INTO webhook_deliveries (provider, id, timestamp) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING RETURNING id";

/// A row when the same event was delivered at another time: provider, id, timestamp.
pub const DELIVERED_BEFORE: &str = "
SELECT 1 FROM webhook_deliveries
WHERE provider = $1 AND id = $2 AND timestamp <> $3 LIMIT 1";

/// What an order costs and whether that is to be paid. No other change goes on meanwhile.
pub const ORDER_TO_PAY: &str = "
SELECT total_cents, paid_at IS NULL AND status <> 'cancelled' FROM orders WHERE id = $1";

/// Notes that an order is paid.
pub const PAY_ORDER: &str = "
UPDATE orders SET paid_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), version = version + 1
WHERE id = $1 RETURNING id";

/// Adds a payment: order, provider, the id of its delivery, amount in cents. No row when the provider
/// told of it before.
pub const ADD_PAYMENT: &str = "
INSERT INTO payments (order_id, provider, delivery_id, amount_cents) VALUES ($1, $2, $3, $4)
ON CONFLICT (provider, delivery_id) DO NOTHING RETURNING id";

/// Name and text of every statement above.
pub const ALL: &[(&str, &str)] = &[
    ("MARKER", MARKER),
    ("PING", PING),
    ("BEGIN", BEGIN),
    ("RECORD", RECORD),
    ("AUDIT", AUDIT),
    ("ADD_ACCOUNT", ADD_ACCOUNT),
    ("ACCOUNT", ACCOUNT),
    ("CREDENTIALS", CREDENTIALS),
    ("OPEN_SESSION", OPEN_SESSION),
    ("OPEN_SESSION_EXISTS", OPEN_SESSION_EXISTS),
    ("SESSION_ACCOUNT", SESSION_ACCOUNT),
    ("CLOSE_SESSION", CLOSE_SESSION),
    ("REVOKE_SESSION", REVOKE_SESSION),
    ("ADD_TOKEN", ADD_TOKEN),
    ("USE_TOKEN", USE_TOKEN),
    ("MENU", MENU),
    ("MEALS", MEALS),
    ("MEAL", MEAL),
    ("MEAL_TO_CHANGE", MEAL_TO_CHANGE),
    ("ADD_MEAL", ADD_MEAL),
    ("CHANGE_MEAL", CHANGE_MEAL),
    ("PLACE_ORDER", PLACE_ORDER),
    ("ORDER", ORDER),
    ("ORDER_WITH_KEY", ORDER_WITH_KEY),
    ("ORDERS_OF", ORDERS_OF),
    ("ORDERS_IN", ORDERS_IN),
    ("ORDERS", ORDERS),
    ("MOVE_ORDER", MOVE_ORDER),
    ("NOTE_DELIVERY", NOTE_DELIVERY),
    ("DELIVERED_BEFORE", DELIVERED_BEFORE),
    ("ORDER_TO_PAY", ORDER_TO_PAY),
    ("PAY_ORDER", PAY_ORDER),
    ("ADD_PAYMENT", ADD_PAYMENT),
];
