"""Choose an event, fly there, and get the invoice."""

from tools import Goal, Hint

CITIES = (
    """
Austin, Boston, Chicago, Denver, Los Angeles, Mexico City, Miami, Montreal, Nashville, New Orleans, New York, Portland,
San Francisco, Seattle, Toronto, Vancouver
""".replace("\n", " ")
    .strip()
    .split(", ")
)

goal = Goal(
    name="event_flight_invoice",
    title="Plan a trip to an event",
    icon="✈️",
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
    hints={
        "FindEvents": {
            "city": Hint(
                ask="Which city would you like to visit?",
                kind="text",
                cues=["in", "to", "visit", "near", "around", "at"],
                examples=CITIES,
            ),
            "month": Hint(ask="In which month would you like to go?", kind="choice"),
        },
        "SearchFlights": {
            "destination": Hint(
                ask="Which of these would you like to attend?", kind="pick", from_="FindEvents.events.city"
            ),
            "date_depart": Hint(kind="date", from_="FindEvents.events.start"),
            "date_return": Hint(kind="date", from_="FindEvents.events.end"),
            "origin": Hint(
                ask="Which city will you depart from?",
                kind="text",
                cues=["depart from", "departing from", "leave from", "leaving from", "fly from", "flying from", "from"],
                examples=CITIES,
            ),
        },
        "CreateInvoice": {
            "amount": Hint(
                ask="The cheapest is {airline} for {price} {currency}. Shall I create the invoice for it?",
                kind="pick",
                from_="SearchFlights.flights.price",
                prefer="cheapest",
            ),
            "currency": Hint(kind="text", from_="SearchFlights.flights.currency"),
            "description": Hint(kind="text", from_="SearchFlights.trip"),
        },
    },
)
