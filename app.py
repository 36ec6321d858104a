"""The page: one Streamlit script. `streamlit run app.py` also runs the lifespan, before any browser connects."""

import streamlit as st

from agent.page.desk import open_desk
from agent.page.screen import draw
from agent.page.startup import lifespan

if __name__ == "__main__":
    draw(open_desk())
else:
    app = st.App(__file__, lifespan=lifespan)
