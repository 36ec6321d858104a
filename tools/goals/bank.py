"""Banking: see the balances, move money between one's own accounts."""

from tools import Goal

goal = Goal(
    name="bank",
    title="Move money between accounts",
    icon=":material/account_balance:",
    summary="See your balances, move money between your accounts",
    welcome="Hello! I can show you your accounts and move money between them. Which email address does the bank know you by?",
    examples=["What is my balance?", "alex.rivera@example.com", "Move 250 from savings to the travel fund"],
    description=(
        "Help the person with their bank accounts. Ask for the address that the bank knows them by, and "
        "show the balances with CheckBalances. Ask from which account to "
        "which they want to move how much, and do it with MoveMoney, which moves at most 5,000 US dollars at a time. "
        "When the money is moved, say what is left; then the goal is reached. Never suggest what to do with money."
    ),
    starter_prompt=(
        "Greet the person, say that you can show their accounts and move money between them, and ask for the address "
        "that the bank knows them by."
    ),
    example="""\
user: What do I have in my accounts?
agent: By which address does the bank know you?
user: alex.rivera@example.com
agent: Let's see. [CheckBalances: email alex.rivera@example.com]
tool: Checking 2842.10, Savings 12650.00, Travel fund 618.75
agent: Here are your three accounts. Would you like to move money?
user: 250 from savings to the travel fund
agent: Let's move 250.00 USD. [MoveMoney: source Savings, target Travel fund, amount 250.00]
tool: moved; Savings 12400.00, Travel fund 868.75
agent: Done: your travel fund now holds 868.75 USD.""",
    tools=["CheckBalances", "MoveMoney"],
)
