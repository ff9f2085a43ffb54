insert into meals (name, description, price_cents) values
    ('Dal tadka', 'Yellow lentils, cumin, garlic, rice', 890),
    ('Ramen', 'Wheat noodles, miso broth, egg, spring onion', 1250),
    ('Shakshuka', 'Eggs in tomato and pepper sauce, flatbread', 980)
on conflict (name) do nothing;
