-- For a local database of either engine; applied again it changes nothing. `cargo xtask dev` tells:
-- sign-in: customer@example.test, password pancakes-for-all (client)
-- sign-in: staff@example.test, password pancakes-for-all (admin)
insert into accounts (id, email, name, password_hash, role) values
    (
        '5eed0000000000000000000000000001',
        'customer@example.test',
        'Casey Customer',
        '$argon2id$v=19$m=19456,t=2,p=1$Y4VpbuA0qcW+mETdN0t1SA$a7KJ8C/8DbYxTIf9BezU66reEn7sOp6UG5/mCEn3rR8',
        'customer'
    ),
    (
        '5eed0000000000000000000000000002',
        'staff@example.test',
        'Sam Staff',
        '$argon2id$v=19$m=19456,t=2,p=1$X+h5gwjXEPDlfaVb0nQE0w$G2TlirfPcJ1lTXSlxqowO22h+lzll8t1+WAcy/iVL2M',
        'staff'
    )
on conflict do nothing;

insert into meals (name, description, price_cents) values
    ('Dal tadka', 'Yellow lentils, cumin, garlic, rice', 890),
    ('Ramen', 'Wheat noodles, miso broth, egg, spring onion', 1250),
    ('Shakshuka', 'Eggs in tomato and pepper sauce, flatbread', 980)
on conflict (name) do nothing;

-- Unless the customer has ordered anything yet.
insert into orders (customer, meal_id, quantity, total_cents, status, version)
select accounts.id, meals.id, example.quantity, meals.price_cents * example.quantity, example.status, example.version
from (
    select 'Ramen' as meal, 2 as quantity, 'delivered' as status, 4 as version
    union all select 'Dal tadka', 1, 'cooking', 2
    union all select 'Shakshuka', 3, 'placed', 1
) as example
join meals on meals.name = example.meal
join accounts on accounts.email = 'customer@example.test'
where not exists (select 1 from orders where orders.customer = accounts.id);
