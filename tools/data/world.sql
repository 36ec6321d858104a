-- The small world behind the mock tools: a bank, an employer, a shop and a kitchen. Amounts are in cents.
-- Only receipts, transfers, requests, refunds and cart lines are added later; `python -m tools reset` begins anew.

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

CREATE TABLE accounts (name TEXT PRIMARY KEY, number TEXT NOT NULL, balance INTEGER NOT NULL, CHECK (balance >= 0));
INSERT INTO accounts VALUES
  ('Checking', '•••• 4417', 284210),
  ('Savings', '•••• 9052', 1265000),
  ('Travel fund', '•••• 7730', 61875);

CREATE TABLE transfers (source TEXT NOT NULL, target TEXT NOT NULL, amount INTEGER NOT NULL, CHECK (amount > 0));

CREATE TABLE orders (
  number TEXT PRIMARY KEY, item TEXT NOT NULL, total INTEGER NOT NULL, ordered TEXT NOT NULL, status TEXT NOT NULL,
  carrier TEXT NOT NULL, expected TEXT NOT NULL
);
INSERT INTO orders VALUES
  ('1042', 'Walnut desk lamp', 8990, date('now', '-12 days'), 'delivered', 'Northbound Parcel', date('now', '-6 days')),
  ('1047', 'Wool blanket, moss green', 12450, date('now', '-5 days'), 'on its way', 'Swift Freight', date('now', '+2 days')),
  ('1051', 'Two enamel mugs', 3100, date('now', '-3 days'), 'on its way', 'Northbound Parcel', date('now', '+1 days')),
  ('1055', 'Cast-iron skillet', 5475, date('now', '-1 days'), 'being packed', 'Swift Freight', date('now', '+5 days')),
  ('0968', 'Oak bookshelf', 21900, date('now', '-74 days'), 'delivered', 'Swift Freight', date('now', '-66 days'));

CREATE TABLE menu (name TEXT PRIMARY KEY, kind TEXT NOT NULL, price INTEGER NOT NULL, about TEXT NOT NULL);
INSERT INTO menu VALUES
  ('Margherita pizza', 'pizza', 1290, 'tomato, mozzarella, basil'),
  ('Mushroom pizza', 'pizza', 1450, 'three mushrooms, thyme, fontina'),
  ('Garden salad', 'salad', 890, 'leaves, radish, seeds, lemon'),
  ('Lentil soup', 'soup', 750, 'red lentils, cumin, bread'),
  ('Double cheeseburger', 'burger', 1380, 'two patties, cheddar, pickles'),
  ('Tofu rice bowl', 'bowl', 1190, 'crisp tofu, greens, sesame'),
  ('Apple crumble', 'dessert', 650, 'warm, with cream'),
  ('Ginger lemonade', 'drink', 420, 'made each morning');

CREATE TABLE cart_lines (cart TEXT NOT NULL, item TEXT NOT NULL REFERENCES menu, quantity INTEGER NOT NULL, PRIMARY KEY (cart, item));
