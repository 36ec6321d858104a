"""Orders: what was bought, where it is, and money back."""

from tools import Goal

goal = Goal(
    name="orders",
    title="Track or refund an order",
    icon=":material/package_2:",
    summary="See where an order is, or get your money back",
    welcome="Hello! I can show you your orders, tell you where one is, and refund it. What email address did you order with?",
    examples=["Where is my blanket?", "alex.rivera@example.com", "I want my money back for order 1047"],
    description=(
        "Help the person with what they have ordered. Ask for the address they ordered with, list their orders with ListOrders, let them choose one, and show "
        "where it is with TrackOrder. If they want their money back, ask for the reason and refund it with "
        "RefundOrder. When they know what they wanted to know, or are refunded, the goal is reached."
    ),
    starter_prompt="Greet the person, say that you can list, track and refund their orders, "
    "and ask for the address they ordered with.",
    example="""\
user: Where is my blanket?
agent: Which address did you order it with?
user: alex.rivera@example.com
agent: Let's look at your orders. [ListOrders: email alex.rivera@example.com]
tool: five orders, 1047 Wool blanket on its way
agent: Order 1047 is the wool blanket. Shall I track it?
user: Yes
agent: Let's track order 1047. [TrackOrder: order 1047]
tool: on its way with Swift Freight, expected the day after tomorrow
agent: It should be there the day after tomorrow. Would you like to keep it?
user: No, I want my money back, it is the wrong colour
agent: Let's refund order 1047. [RefundOrder: order 1047, reason wrong colour]
tool: 124.50 USD refunded, reference RF-1047
agent: 124.50 USD are on their way back to you.""",
    tools=["ListOrders", "TrackOrder", "RefundOrder"],
)
