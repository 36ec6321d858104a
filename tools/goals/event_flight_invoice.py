"""Choose an event, fly there, and get the invoice."""

from tools import Goal

goal = Goal(
    name="event_flight_invoice",
    title="Plan a trip to an event",
    icon=":material/flight_takeoff:",
    summary="Find an event, book the flight, get the invoice",
    welcome="Hello! I can find you an event, flights there and back, and make the invoice. Which city would you like to visit, and in which month?",
    examples=["An event in San Francisco in March", "What is on in Toronto in May?", "New York, any month"],
    description=(
        "Help the person choose an event in North America, find flights there and back for its dates from where they "
        "live, and create an invoice for the flight they choose. First find events with FindEvents for a city and a "
        "month. When they have chosen one, ask for their departure city and search flights with SearchFlights, to "
        "arrive by its first day and leave after its last. Name the cheapest flight, and when they agree to a flight, "
        "create an invoice for its price and currency with CreateInvoice. Then the goal is reached."
    ),
    starter_prompt=(
        "Greet the person, say that you help to find an event, flights and an invoice for them, and ask which city "
        "they would like to visit, and in which month."
    ),
    example="""\
user: I'd like to see events in San Francisco in March
agent: Let's find events in San Francisco in March. [FindEvents: city San Francisco, month March]
tool: three events with their dates
agent: I found three events in San Francisco in March. Which one would you like to attend?
user: The second one
agent: A good choice. Which city will you depart from?
user: Austin, TX
agent: Let's search flights from Austin. [SearchFlights: origin Austin, destination San Francisco, the event's dates]
tool: six flights, the cheapest 412.30 USD
agent: The cheapest is with Osprey for 412.30 USD. Shall I create the invoice for it?
user: Yes
agent: Let's create the invoice. [CreateInvoice: amount 412.30, currency USD, description the trip]
tool: a link and a reference
agent: Your invoice is ready, here is the link. Have a good trip!""",
    tools=["FindEvents", "SearchFlights", "CreateInvoice"],
)
