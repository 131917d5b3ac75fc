INSERT INTO products (sku, price, stock) VALUES ('book', 20, 10), ('lamp', 45, 2);
