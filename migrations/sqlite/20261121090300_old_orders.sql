-- A customer used to be any text. Each gets an account with that text as its id, which nobody can
-- sign in to: no password has this hash. The address is one that can belong to nobody.
INSERT INTO accounts (id, email, name, password_hash, role)
SELECT DISTINCT
    customer,
    lower(hex(customer)) || '@customer.invalid',
    customer,
    '!',
    'customer'
FROM orders
WHERE TRUE
ON CONFLICT (id) DO NOTHING;

-- What an old order cost is not known; it is taken to be what it would cost now. The product may be
-- more than the type of the other engine holds.
UPDATE orders
SET total_cents = min(meals.price_cents * orders.quantity, 2147483647)
FROM meals
WHERE meals.id = orders.meal_id AND orders.total_cents IS NULL;
