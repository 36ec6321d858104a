"""The built-in offline model: it fills the arguments of the goal's next tool from what was said, or asks for them.

It knows no goal: the order of the tools, their schemas and the goal's hints are all it goes by. Its answer is a
function of the messages alone, so a turn that is asked again comes out the same.
"""

from agent.llm.scripted.script import Move, Script
from agent.llm.scripted.summary import summarize

__all__ = ["Move", "Script", "summarize"]
