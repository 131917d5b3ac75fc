CREATE TABLE products (
  sku TEXT PRIMARY KEY,
  price INTEGER NOT NULL,
  stock INTEGER NOT NULL CHECK (stock >= 0)
);

CREATE TABLE orders (
  id TEXT PRIMARY KEY,
  sku TEXT NOT NULL REFERENCES products (sku),
  quantity INTEGER NOT NULL CHECK (quantity > 0),
  card TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'new',
  created INTEGER NOT NULL
);

-- One row an order: a step that is executed once more finds what it did before.
CREATE TABLE reservations (
  order_id TEXT PRIMARY KEY REFERENCES orders (id),
  sku TEXT NOT NULL,
  quantity INTEGER NOT NULL
);

CREATE TABLE payments (
  order_id TEXT PRIMARY KEY REFERENCES orders (id),
  amount INTEGER NOT NULL
);

CREATE TRIGGER reserve AFTER INSERT ON reservations BEGIN
  UPDATE products SET stock = stock - new.quantity WHERE sku = new.sku;
END;

CREATE TRIGGER release AFTER DELETE ON reservations BEGIN
  UPDATE products SET stock = stock + old.quantity WHERE sku = old.sku;
END;
