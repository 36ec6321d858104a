"""The page: one Streamlit script. `streamlit run app.py` also runs the lifespan, before any browser connects."""

import streamlit as st
from starlette.middleware import Middleware

from agent.page.access import CookieMiddleware
from agent.page.agui import agui_routes
from agent.page.codec_server import codec_routes
from agent.page.decide import decide_routes
from agent.page.health import health_routes
from agent.page.startup import draw_failure, draw_page, lifespan, owner, page, visitor_cookie

if __name__ == "__main__":
    draw_page()
else:
    middleware = [Middleware(CookieMiddleware, owner=owner, visitor=visitor_cookie)]
    app = st.App(
        __file__,
        lifespan=lifespan,
        routes=[*health_routes(page), *codec_routes(page), *decide_routes(page), *agui_routes(page)],
        middleware=middleware,
        on_script_error=draw_failure,
    )
