"""The page: one Streamlit script. `streamlit run app.py` also runs the lifespan, before any browser connects."""

import streamlit as st
from starlette.middleware import Middleware

from agent.page.access import OwnerMiddleware
from agent.page.app import page_app
from agent.page.screen import draw, draw_failure
from agent.page.startup import lifespan

if __name__ == "__main__":
    draw(page_app())
else:
    owner = Middleware(OwnerMiddleware, owner=lambda: page_app().owner)
    app = st.App(__file__, lifespan=lifespan, middleware=[owner], on_script_error=draw_failure)
