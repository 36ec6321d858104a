"""The page: one Streamlit script. `streamlit run app.py` also runs the lifespan, before any browser connects."""

import streamlit as st

from agent.page.app import lifespan, page_app
from agent.page.screen import draw

if __name__ == "__main__":
    draw(page_app())
else:
    app = st.App(__file__, lifespan=lifespan)
