//! The statements in PostgreSQL's dialect.

/// A time as a text, as SQLite keeps it.
macro_rules! moment {
    ($column:literal) => {
        concat!(
            "to_char(",
            $column,
            r#" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"#
        )
    };
}

/// Orders with the names of customer and meal.
macro_rules! orders {
    ($which:literal) => {
        concat!(
            "
SELECT o.id, o.customer, a.name, o.meal_id, m.name, o.quantity, o.total_cents, o.status, o.version, ",
            moment!("o.placed_at"),
            ", ",
            moment!("o.wanted_at"),
            ", ",
            moment!("o.paid_at"),
            "
FROM orders o JOIN accounts a ON a.id = o.customer JOIN meals m ON m.id = o.meal_id
",
            $which
        )
    };
}

/// Meals whole.
macro_rules! meals {
    ($which:literal) => {
        concat!(
            "
SELECT id, name, description, price_cents, available, version FROM meals ",
            $which
        )
    };
}

super::statements! {
/// Answers when the database does.
PING = "SELECT 1::bigint";

/// Begins a change.
BEGIN = "BEGIN";

/// Says what a change has done: actor, action, subject, detail, request id.
RECORD = "
INSERT INTO audit_events (actor, action, subject, detail, request_id)
VALUES ($1, $2, $3, $4, $5) RETURNING id";

/// The newest events before a number.
AUDIT = concat!("
SELECT id, ", moment!("at"), ", actor, action, subject, detail, request_id
FROM audit_events WHERE id < $1 ORDER BY id DESC LIMIT $2");

/// Opens an account: e-mail address in lower case, name, password hash, role.
ADD_ACCOUNT = "
INSERT INTO accounts (email, name, password_hash, role) VALUES ($1, $2, $3, $4)
RETURNING id, email, name, role";

/// An account by its id.
ACCOUNT = "SELECT id, email, name, role FROM accounts WHERE id = $1";

/// An account and its password hash, by e-mail address in lower case. `!` is the hash of no
/// password.
CREDENTIALS = "
SELECT id, email, name, role, password_hash
FROM accounts WHERE email = $1 AND password_hash <> '!'";

/// Opens a session of an account.
OPEN_SESSION = "INSERT INTO sessions (account_id) VALUES ($1) RETURNING id";

/// A row when the session is open.
OPEN_SESSION_EXISTS = "SELECT 1::bigint FROM sessions WHERE id = $1 AND closed_at IS NULL";

/// The account that a session is of.
SESSION_ACCOUNT = "
SELECT a.id, a.email, a.name, a.role
FROM sessions s JOIN accounts a ON a.id = s.account_id WHERE s.id = $1";

/// Closes a session that is open.
CLOSE_SESSION = "
UPDATE sessions SET closed_at = now(), closed_reason = 'signed-out'
WHERE id = $1 AND closed_at IS NULL RETURNING id";

/// Closes the open session of a refresh token that was used before.
REVOKE_SESSION = "
UPDATE sessions SET closed_at = now(), closed_reason = 'token-reused'
WHERE closed_at IS NULL
    AND id = (SELECT session_id FROM refresh_tokens WHERE hash = $1 AND used_at IS NOT NULL)
RETURNING id, account_id";

/// Adds a refresh token: hash, session, seconds until it expires.
ADD_TOKEN = "
INSERT INTO refresh_tokens (hash, session_id, expires_at)
VALUES ($1, $2, now() + $3::bigint * interval '1 second') RETURNING hash";

/// Uses a refresh token up, if it can be used.
USE_TOKEN = "
UPDATE refresh_tokens SET used_at = now()
WHERE hash = $1 AND used_at IS NULL AND expires_at > now()
    AND EXISTS (SELECT 1 FROM sessions s WHERE s.id = session_id AND s.closed_at IS NULL)
RETURNING session_id";

/// The meals that can be ordered, after a number.
MENU = meals!("WHERE available AND id > $1 ORDER BY id LIMIT $2");

/// All meals, after a number.
MEALS = meals!("WHERE id > $1 ORDER BY id LIMIT $2");

/// A meal by its number, for no other change until this one is done. Orders of it may go on.
MEAL_TO_CHANGE = meals!("WHERE id = $1 FOR NO KEY UPDATE");

/// Adds a meal: name, description, price in cents.
ADD_MEAL = "
INSERT INTO meals (name, description, price_cents) VALUES ($1, $2, $3)
RETURNING id, name, description, price_cents, available, version";

/// Changes a meal: number and version, then description, price in cents, availability.
CHANGE_MEAL = "
UPDATE meals SET description = $3, price_cents = $4, available = $5, version = version + 1
WHERE id = $1 AND version = $2
RETURNING id, name, description, price_cents, available, version";

/// Places an order: customer, meal, quantity, when it is wanted, key. No row when the meal is unknown
/// or unavailable, or the customer has an order with the key.
PLACE_ORDER = "
INSERT INTO orders (customer, meal_id, quantity, total_cents, wanted_at, idempotency_key)
SELECT $1, id, $3, price_cents * $3, $4::text::timestamptz, $5 FROM meals WHERE id = $2 AND available
ON CONFLICT (customer, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
RETURNING id";

/// An order by its number.
ORDER = orders!("WHERE o.id = $1");

/// A customer's order by its key.
ORDER_WITH_KEY = orders!("WHERE o.customer = $1 AND o.idempotency_key = $2");

/// A customer's newest orders before a number.
ORDERS_OF = orders!("WHERE o.customer = $1 AND o.id < $2 ORDER BY o.id DESC LIMIT $3");

/// The newest orders of a status before a number.
ORDERS_IN = orders!("WHERE o.status = $1 AND o.id < $2 ORDER BY o.id DESC LIMIT $3");

/// The newest orders before a number.
ORDERS = orders!("WHERE o.id < $1 ORDER BY o.id DESC LIMIT $2");

/// Moves an order on: number and version, status before and after.
MOVE_ORDER = "
UPDATE orders SET status = $4, version = version + 1
WHERE id = $1 AND version = $2 AND status = $3 RETURNING id";

/// Remembers a delivery: provider, id, timestamp. No row when it was seen before.
NOTE_DELIVERY = "
INSERT INTO webhook_deliveries (provider, id, timestamp) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING RETURNING id";

/// A row when the same event was delivered at another time: provider, id, timestamp.
DELIVERED_BEFORE = "
SELECT 1::bigint FROM webhook_deliveries
WHERE provider = $1 AND id = $2 AND timestamp <> $3 LIMIT 1";

/// What an order costs and whether that is to be paid, for no other change until this one is done.
ORDER_TO_PAY = "
SELECT total_cents, paid_at IS NULL AND status <> 'cancelled' FROM orders WHERE id = $1 FOR NO KEY UPDATE";

/// Notes that an order is paid.
PAY_ORDER = "
UPDATE orders SET paid_at = now(), version = version + 1
WHERE id = $1 RETURNING id";

/// Adds a payment: order, provider, the id of its delivery, amount in cents. No row when the provider
/// told of it before.
ADD_PAYMENT = "
INSERT INTO payments (order_id, provider, delivery_id, amount_cents) VALUES ($1, $2, $3, $4)
ON CONFLICT (provider, delivery_id) DO NOTHING RETURNING id";
}
