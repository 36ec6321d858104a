-- The data behind the mock tools: a bank, an employer, a shop and a kitchen. Amounts are in cents.
-- Only receipts, transfers, requests, refunds and cart lines are added later; `python -m tools reset` resets it.

CREATE TABLE receipts (key TEXT PRIMARY KEY, tool TEXT NOT NULL, result TEXT NOT NULL, at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);

CREATE TABLE employees (email TEXT PRIMARY KEY, name TEXT NOT NULL, days_left INTEGER NOT NULL, CHECK (days_left >= 0));
INSERT INTO employees VALUES
  ('alex.rivera@example.com', 'Alex Rivera', 18),
  ('sam.okafor@example.com', 'Sam Okafor', 7),
  ('mei.tanaka@example.com', 'Mei Tanaka', 25),
  ('jordan.lee@example.com', 'Jordan Lee', 2);

CREATE TABLE requests (
  request TEXT PRIMARY KEY, email TEXT NOT NULL REFERENCES employees, first TEXT NOT NULL, last TEXT NOT NULL,
  days INTEGER NOT NULL, status TEXT NOT NULL
);

CREATE TABLE accounts (
  email TEXT NOT NULL, name TEXT NOT NULL, number TEXT NOT NULL, balance INTEGER NOT NULL CHECK (balance >= 0),
  PRIMARY KEY (email, name)
);
INSERT INTO accounts VALUES
  ('alex.rivera@example.com', 'Checking', '•••• 4417', 284210),
  ('alex.rivera@example.com', 'Savings', '•••• 9052', 1265000),
  ('alex.rivera@example.com', 'Travel fund', '•••• 7730', 61875),
  ('mei.tanaka@example.com', 'Checking', '•••• 1186', 90540),
  ('mei.tanaka@example.com', 'Savings', '•••• 3308', 2200000);

CREATE TABLE transfers (
  email TEXT NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL, amount INTEGER NOT NULL CHECK (amount > 0)
);

CREATE TABLE orders (
  number TEXT PRIMARY KEY, email TEXT NOT NULL, item TEXT NOT NULL, total INTEGER NOT NULL, ordered TEXT NOT NULL, status TEXT NOT NULL,
  carrier TEXT NOT NULL, expected TEXT NOT NULL
);
INSERT INTO orders VALUES
  ('1042', 'alex.rivera@example.com', 'Walnut desk lamp', 8990, date('now', '-12 days'), 'delivered', 'Northbound Parcel', date('now', '-6 days')),
  ('1047', 'alex.rivera@example.com', 'Wool blanket, moss green', 12450, date('now', '-5 days'), 'on its way', 'Swift Freight', date('now', '+2 days')),
  ('1051', 'alex.rivera@example.com', 'Two enamel mugs', 3100, date('now', '-3 days'), 'on its way', 'Northbound Parcel', date('now', '+1 days')),
  ('1055', 'alex.rivera@example.com', 'Cast-iron skillet', 5475, date('now', '-1 days'), 'being packed', 'Swift Freight', date('now', '+5 days')),
  ('0968', 'alex.rivera@example.com', 'Oak bookshelf', 21900, date('now', '-74 days'), 'delivered', 'Swift Freight', date('now', '-66 days')),
  ('1053', 'sam.okafor@example.com', 'Field notebook, five of them', 2450, date('now', '-2 days'), 'on its way', 'Northbound Parcel', date('now', '+1 days'));

CREATE TABLE menu (name TEXT PRIMARY KEY, kitchen TEXT NOT NULL, price INTEGER NOT NULL, about TEXT NOT NULL);
INSERT INTO menu VALUES
  ('Margherita pizza', 'Pizzeria', 1290, 'tomato, mozzarella, basil'),
  ('Mushroom pizza', 'Pizzeria', 1450, 'three mushrooms, thyme, fontina'),
  ('Four cheese pizza', 'Pizzeria', 1520, 'mozzarella, gorgonzola, fontina, pecorino'),
  ('Garden salad', 'Pizzeria', 890, 'leaves, radish, seeds, lemon'),
  ('Double cheeseburger', 'Grill', 1380, 'two patties, cheddar, pickles'),
  ('Grilled corn', 'Grill', 620, 'lime, chili, crumbled cheese'),
  ('Sweet potato fries', 'Grill', 580, 'with smoked paprika'),
  ('Lentil soup', 'Noodle bar', 750, 'red lentils, cumin, bread'),
  ('Tofu rice bowl', 'Noodle bar', 1190, 'crisp tofu, greens, sesame'),
  ('Beef noodles', 'Noodle bar', 1420, 'slow-cooked beef, star anise');

CREATE TABLE cart_lines (cart TEXT NOT NULL, item TEXT NOT NULL REFERENCES menu, quantity INTEGER NOT NULL, PRIMARY KEY (cart, item));
