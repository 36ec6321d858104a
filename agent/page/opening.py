"""The page before there is a chat: the first screen, the first message on its way, an address without a chat."""

import streamlit as st

from agent import goals
from agent.errors import ChatNotFound
from agent.page import actions, assist, format, message_box, panels, sidebar, theme, tour, transcript
from agent.page.app import PageApp
from agent.page.session import SessionState
from agent.page.watcher import ChatState
from agent.settings import SCRIPTED
from tools import Goal

TAGLINE = "Close this tab, kill the process: the chat goes on."


def render_first_screen(app: PageApp, session: SessionState) -> None:
    """What this is, what it can do, and the agent's welcome. The first message begins a chat; until then there is none."""
    name = app.goal_name(str(st.query_params.get("goal", "")))
    sidebar.render_sidebar(app, session, ChatState())
    with st.container(key="header", horizontal=True, vertical_alignment="center"):
        theme.render_title("Steadfast")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{TAGLINE}**", width="content")
        tour.render_offer(app, session)
    if not name:
        st.error("There is no goal to chat about. Add a file to tools/goals/, and reload the page.")
        return
    render_demo_note(app.settings.llm_model)
    _render_goals(app, session, name)
    render_welcome(app.tools.goals[name])
    _render_examples(app, session, name, app.tools.goals[name])
    message_box.render_pending()
    now = app.local_status()
    st.fragment(run_every=None if now.phase == "ready" else 0.5)(_render_start)(app, now.phase)
    tour.render_tour(app, session, ChatState(), (name, app.tools.goals[name]))
    message_box.render_message_box(app, session, ChatState(), goal=name)
    if session.problem and not session.panel:
        st.warning(format.escape(session.problem), icon=":material/warning:")
    panels.render_panel(app, session)
    assist.render_assist(session.draft, ())


def render_demo_note(model: str) -> None:
    """Nobody is to take the demo model for an AI."""
    if model.startswith(SCRIPTED):
        st.caption(
            "The built-in demo model answers here: no AI, and no key needed. Set `LLM_MODEL` to talk to a real one."
        )


def render_welcome(goal: Goal) -> None:
    """The agent's first words, as the chat will show them."""
    with st.chat_message("assistant", avatar=transcript.AGENT_AVATAR):
        st.markdown(format.safe_markdown(goals.welcome(goal)))


def _render_goals(app: PageApp, session: SessionState, current: str) -> None:
    with st.container(key="pick", horizontal=True, gap="small"):
        for name, goal in app.tools.goals.items():
            title = format.escape(goal.title or format.humanize(name))
            summary = f"  \n:small[{format.escape(goal.summary)}]" if goal.summary else ""
            st.button(
                f"**{title}**{summary}",
                key=f"pick-{name}",
                icon=goal.icon,
                type="primary" if name == current else "secondary",
                on_click=actions.new_chat,
                args=(session, name),
            )


def _render_examples(app: PageApp, session: SessionState, name: str, goal: Goal) -> None:
    if not goal.examples:
        return
    with st.container(key="examples", horizontal=True, gap="small"):
        for number, text in enumerate(goal.examples):
            args = (app, session, name, text)
            st.button(format.escape(text), key=f"example-{number}", on_click=actions.begin_chat, args=args)


def _render_start(app: PageApp, drawn: str) -> None:
    """How far the start is. What is typed meanwhile is kept, and sent by itself."""
    now = app.local_status()
    if now.phase != drawn:
        st.rerun()
    if now.phase == "failed":
        st.error(for_owner(app, now.problem or now.step), icon=":material/error:")
    elif now.phase == "starting":
        seconds = f" ({now.age:.0f} s)" if now.age >= 2 else ""
        with st.container(key="status"):
            st.caption(f":shimmer[{format.escape(now.step)} …]{seconds}")


def for_owner(app: PageApp, problem: str) -> str:
    """The problem as Markdown, for the owner; paths and variables are nothing for visitors."""
    if app.visitor().is_owner:
        return format.escape(problem)
    return "This page is not ready. The terminal in which it was started says why, and to its owner this page does too."


def render_not_found(app: PageApp, session: SessionState, error: ChatNotFound) -> None:
    """An address without a chat behind it. The box is there for what the browser has kept: it may begin the chat."""
    theme.render_title("Steadfast")
    st.warning(format.escape(error), icon=":material/search_off:")
    st.button("New chat", key="new-chat", type="primary", on_click=actions.new_chat, args=(session, ""))
    message_box.render_message_box(app, session, ChatState(), disabled=True)
