-- A customer used to be any text. Each gets an account with that text as its id, which nobody can
-- sign in to: no password has this hash. The address is one that can belong to nobody.
INSERT INTO accounts (id, email, name, password_hash, role)
SELECT DISTINCT
    customer,
    encode(convert_to(customer, 'UTF8'), 'hex') || '@customer.invalid',
    customer,
    '!',
    'customer'
FROM orders
ON CONFLICT (id) DO NOTHING;

-- What an old order cost is not known; it is taken to be what it would cost now. The product may be
-- more than the type holds.
UPDATE orders
SET total_cents = LEAST(meals.price_cents::bigint * orders.quantity, 2147483647)
FROM meals
WHERE meals.id = orders.meal_id AND orders.total_cents IS NULL;
