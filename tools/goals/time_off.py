"""Time off: how much is left, ask for some, book it."""

from tools import Goal

goal = Goal(
    name="time_off",
    title="Book time off",
    icon=":material/beach_access:",
    summary="See how many days are left, and book some",
    welcome="Hello! I can see how much time off you have left and book some. What is your email address at work?",
    examples=["How many days do I have left?", "alex.rivera@example.com", "Next Monday to Friday off, please"],
    description=(
        "Help an employee to book time off. Ask for their address at work and check what they have left with "
        "CheckTimeOff. Ask for the first and the last day they want, request it with RequestTimeOff, and when it is "
        "approved, book it with BookTimeOff. If too few days are left, say so and ask for fewer. "
        "When it is booked, the goal is reached."
    ),
    starter_prompt="Greet the employee, say that you help to book time off, and ask for their address at work.",
    example="""\
user: I'd like some days off in July
agent: Gladly. What is your address at work?
user: alex.rivera@example.com
agent: Let's see what you have left. [CheckTimeOff: email alex.rivera@example.com]
tool: 18 days left
agent: You have 18 days left. From which day to which would you like to be off?
user: 2027-07-05 to 2027-07-09
agent: Let's request that. [RequestTimeOff: start 2027-07-05, end 2027-07-09]
tool: TO-001 for 5 days is approved
agent: It is approved. Let's book it. [BookTimeOff: request TO-001]
tool: booked, 13 days left
agent: Your five days in July are booked. Enjoy them!""",
    tools=["CheckTimeOff", "RequestTimeOff", "BookTimeOff"],
)
