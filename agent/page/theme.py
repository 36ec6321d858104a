"""How the page looks beyond the theme in .streamlit/config.toml. Constants only: no text from outside gets here."""

from pathlib import Path

import streamlit as st

from agent.page import format

_ICON = str(Path(__file__).parent / "favicon.svg")
"""A file of ours: an icon by name would be fetched from another host by every visitor."""

_CSS = """
<style>
.stMainBlockContainer { max-width: 52rem; padding-top: 2.4rem; padding-bottom: .5rem; }
.stMainBlockContainer > div > .stVerticalBlock { gap: .6rem; }
[data-testid="stBottomBlockContainer"] { max-width: 52rem; padding-bottom: 1.4rem; padding-top: .4rem; }

/* The agent's words have no frame; the person's are a bubble on the right. */
.stChatMessage { padding: .35rem 0; gap: .75rem; }
.stChatMessage [data-testid="stChatMessageContent"] > div > .stVerticalBlock { gap: .55rem; }
[class*="st-key-bubble-"] > [data-testid="stLayoutWrapper"] { max-width: min(34rem, 88%); }
[class*="st-key-bubble-"] .stChatMessage
  { padding: .5rem .95rem; border-radius: 1.1rem 1.1rem .3rem 1.1rem; background: rgb(20 150 140 / .15); }
[class*="st-key-bubble-"] .stChatMessage > :not([data-testid="stChatMessageContent"]) { display: none; }
[class*="st-key-bubble-"] .stText { overflow-wrap: anywhere; white-space: pre-wrap; }
[class*="st-key-bubble-sent"] .stChatMessage, [class*="st-key-bubble-queued"] .stChatMessage { opacity: .65; }

/* Small print: Streamlit's own is too faint to read (contrast 4; 4.5 is the least). */
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] code { color: inherit; }
[data-testid="stCaptionContainer"], .stExpander summary { opacity: .75; }

/* Tables: as wide as they need, scrolled sideways where that is wider than the page. */
[class*="st-key-table-"] [data-testid="stMarkdownContainer"] { overflow-x: auto; }
[class*="st-key-table-"] table { font-size: .875rem; line-height: 1.35; border-collapse: collapse; margin: 0 0 .5rem; }
[class*="st-key-table-"] th { font-weight: 600; opacity: .7; white-space: nowrap; }
[class*="st-key-table-"] th, [class*="st-key-table-"] td
  { border: 0; border-bottom: 1px solid rgb(128 128 128 / .22); padding: .42rem .6rem; }
[class*="st-key-table-"] tr:last-child td { border-bottom: 0; }
[class*="st-key-table-"] td:first-child, [class*="st-key-table-"] th:first-child { padding-left: 0; }
@media (max-width: 640px) { [class*="st-key-table-"] td:nth-child(2) { min-width: 7.5rem; }
  [class*="st-key-table-"] td { min-width: 4.2rem; } [class*="st-key-table-"] td:first-child { min-width: 0; }
  [class*="st-key-table-"] td:nth-child(n+3) { white-space: nowrap; }
  .stChatMessage:not([class*="st-key-bubble-"] *) { gap: .5rem; }
  .stMainBlockContainer { padding-left: 1rem; padding-right: 1rem; padding-top: 0; }
  [data-testid="stBottomBlockContainer"] { padding-left: 1rem; padding-right: 1rem; } }

/* On a phone the title and its buttons stay in view, beside the button that opens the sidebar. */
@media (max-width: 640px) {
  [data-testid="stHeader"], [data-testid="stHeader"] * { background: transparent; pointer-events: none; }
  [data-testid="stHeader"] button, [data-testid="stHeader"] button * { pointer-events: auto; }
  [data-testid="stLayoutWrapper"]:has(> .st-key-header) { position: sticky; top: 0; z-index: 99; }
  .st-key-header.st-key-header { flex-wrap: nowrap; width: calc(100% + 2rem); max-width: none; min-height: 3.75rem;
    margin: 0 -1rem; padding: 0 1rem 0 3.75rem;
    background: light-dark(#fbfaf7, #14191b); }
  .st-key-header > :first-child { flex: 1 1 0; min-width: 0; }
  .st-key-header h4 { font-size: 1.1rem; padding: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .st-key-header .stButton p { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); } }

[class*="st-key-card-"] { border-color: rgb(20 150 140 / .5); background: rgb(20 150 140 / .045); }
[class*="st-key-choice-"] { padding-top: .35rem; border-top: 1px solid rgb(128 128 128 / .22); }
[class*="st-key-choice-"] > :not(:first-child) { padding-left: 1.5rem; }
@media (hover: hover) { [class*="st-key-card-"]::after { content: "Keyboard: Esc, then Y, N or E"; font-size: .8rem; opacity: .75; } }
[class*="st-key-card-"]:has([data-testid="stForm"])::after { content: "Esc discards the changes"; }
[class*="st-key-card-"]:focus { outline: 2px solid rgb(20 150 140); outline-offset: 2px; }
[class*="st-key-card-"]:focus::after { content: "Y confirms · N declines · E edits · Esc goes back"; }
[data-testid="stLayoutWrapper"]:has(> .st-key-assist) { position: absolute; }
.st-key-assist { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
[class*="st-key-receipt-"] { padding-top: .4rem; border-top: 1px solid rgb(128 128 128 / .22); }
.waterfall { width: 100%; border-collapse: collapse; font-size: .85rem; margin-bottom: 1rem; }
.waterfall caption { text-align: left; font-weight: 600; padding: .2rem 0; }
.waterfall th, .waterfall td { border: 0; padding: .22rem .4rem .22rem 0; text-align: left; font-weight: 400; vertical-align: middle; }
.waterfall th { width: 40%; } .waterfall thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.waterfall td:last-child { width: 4.5rem; text-align: right; white-space: nowrap; padding-right: 0; }
.waterfall .track { position: relative; height: .8rem; background: rgb(128 128 128 / .14); border-radius: 3px; }
.waterfall .bar { position: absolute; top: 0; bottom: 0; min-width: 3px; border-radius: 3px; background: rgb(20 150 140); }
.waterfall .signal { background: rgb(128 128 128); } .waterfall .person { background: rgb(128 128 128 / .5); }
.waterfall .tool { background: rgb(70 110 220); } .waterfall .interrupted { background: rgb(215 70 60); }
/* The tour points at what it speaks of. */
[class*="st-key-tour-"]:not(.stElementContainer) { padding: .7rem 1rem; border-radius: .75rem; border: 1px solid rgb(20 150 140 / .6);
  background: light-dark(#e4f1ee, #16302e); }
body:has(.st-key-tour-kill) .st-key-break-worker button, body:has(.st-key-tour-done) [class*="st-key-happened-"] [data-testid="stCaptionContainer"],
body:has(.st-key-tour-confirm) [class*="st-key-card-"] button[kind="primary"]
  { outline: 3px solid rgb(225 140 40); outline-offset: 3px; border-radius: .3rem; }
/* The menu of a message: its label is for screen readers. */
[class*="st-key-menu-"] button { min-height: 1.5rem; padding: 0 .3rem; opacity: .6; }
[class*="st-key-menu-"] button:hover, [class*="st-key-menu-"] button:focus-visible { opacity: 1; }
[class*="st-key-menu-"] button p { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
[class*="st-key-menu-"] button > div > [aria-hidden] { display: none; }
.copied { position: fixed; bottom: 6.5rem; left: 50%; transform: translateX(-50%); z-index: 999999; padding: .4rem 1rem;
  border-radius: .6rem; background: #1f2628; color: #fff; font-size: .9rem; }
.st-key-status { min-height: 1.6rem; }
.st-key-status, .st-key-examples, .st-key-answers { padding-left: 2.75rem; }
[class*="st-key-happened-"]:not(.stChatMessage *) { padding-left: 2.75rem; }
[class*="st-key-happened-"] [data-testid="stCaptionContainer"]
  { padding: .1rem .6rem; border-left: 3px solid rgb(20 150 140 / .6); }
[class*="st-key-happened-"] [data-testid="stCaptionContainer"] p { margin: 0; }
@media (max-width: 640px) { .st-key-status, .st-key-examples, .st-key-answers, [class*="st-key-happened-"]:not(.stChatMessage *) { padding-left: 2.5rem; } }

/* The first screen: goals as cards, what one might say as chips. */
.st-key-pick { align-items: stretch; }
.st-key-pick > [class*="st-key-pick-"] { flex: 1 1 15rem; height: auto; }
.st-key-pick > * > .stButton { height: 100%; }
.st-key-pick button { width: 100%; height: 100%; padding: .65rem .85rem; text-align: left; }
.st-key-pick button > div { width: 100%; justify-content: flex-start; overflow: visible; }
.st-key-pick button * { white-space: normal; overflow: visible; }
@media (max-width: 640px) { .st-key-pick > [class*="st-key-pick-"] { flex-basis: 9rem; }
  .st-key-pick button p > :not(strong) { display: none; } }
.st-key-examples button, .st-key-answers button { border-radius: 1.2rem; padding: .2rem .85rem; min-height: 2.1rem; font-size: .9rem; }
.st-key-panels button { min-height: 1.9rem; padding-top: 0; padding-bottom: 0; }
.st-key-chats button { justify-content: flex-start; text-align: left; width: 100%; }
</style>
"""


def apply_theme(waiting: int = 0) -> None:
    """Title, icon, width and style of the page. waiting: chats that need a decision, for the browser's tab."""
    title = f"({waiting}) Steadfast" if waiting else "Steadfast"
    st.set_page_config(page_title=title, page_icon=_ICON, layout="centered")
    st.html(_CSS)


def render_title(text: str) -> None:
    """The heading of the page."""
    st.markdown(f"#### {format.escape(text)}", width="stretch")
