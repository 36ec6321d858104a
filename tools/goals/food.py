"""Food: choose from the menu, fill the cart, get the invoice."""

from tools import Goal

goal = Goal(
    name="food",
    title="Order food",
    icon=":material/local_pizza:",
    summary="Choose from the menu, fill the cart, pay",
    welcome="Hello! What would you like to eat? There are a pizzeria, a grill and a noodle bar.",
    examples=["Two margheritas, please", "What is on the menu of the grill?", "A burger and fries"],
    description=(
        "Help a hungry person order food. Ask from which kitchen, and show its menu with ShowMenu. Put each dish they choose "
        "into the cart with AddToCart, as many of it as they say, and ask whether they want anything else. When they "
        "have all they want, create the invoice for the cart's total and currency with CreateInvoice, describing the "
        "order. Then the goal is reached."
    ),
    starter_prompt=(
        "Greet the person, say that you take their order, and ask whether it shall be the pizzeria, the grill or the "
        "noodle bar."
    ),
    example="""\
user: I'm hungry, what is there?
agent: There are a pizzeria, a grill and a noodle bar. Which shall it be?
user: The pizzeria
agent: Let's look at its menu. [ShowMenu: kitchen Pizzeria]
tool: four dishes with prices
agent: Here is the menu. What would you like?
user: Two mushroom pizzas
agent: Let's put them into your cart. [AddToCart: item Mushroom pizza, quantity 2]
tool: 2 × Mushroom pizza, total 29.00 USD
agent: That makes 29.00 USD. Shall I check out?
user: Yes
agent: Let's create the invoice. [CreateInvoice: amount 29.00, currency USD, description 2 × Mushroom pizza]
tool: a link and a reference
agent: Here is your invoice. Enjoy your meal!""",
    tools=["ShowMenu", "AddToCart", "CreateInvoice"],
)
