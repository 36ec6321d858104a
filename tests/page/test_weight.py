"""What the page's process must not carry."""

import subprocess
import sys

HEAVY = ("litellm", "pandas", "pyarrow", "altair", "stripe", "mcp")


def test_page_loads_no_library_that_it_does_not_need() -> None:
    """litellm costs 150 MB and 3 s, pandas and pyarrow 90 MB; every person waits for them at the first visit."""
    program = """
import sys
from streamlit.testing.v1 import AppTest
from tests.page.conftest import Page
page = Page().greet()
page.chat.agent_proposes("SearchFlights", {"origin": "A", "date_depart": "2030-03-05", "guests": 2}, "Let us search.")
page.shows("Let us search.").click("edit-" + page.chat.conversation.proposal.id)
page.page_app.loop.close()
print(" ".join(name for name in %r if name in sys.modules))
""" % (HEAVY,)  # noqa: UP031 - the program has braces of its own
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == []
