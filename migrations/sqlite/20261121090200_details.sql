-- Grows by one with every change of a meal.
ALTER TABLE meals ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

-- `total_cents` is the price when the order was placed; old rows have none yet.
ALTER TABLE orders ADD COLUMN total_cents INTEGER;
ALTER TABLE orders ADD COLUMN wanted_at TEXT;
ALTER TABLE orders ADD COLUMN paid_at TEXT;
