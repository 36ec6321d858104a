"""The demo model: offers a goal's tools one after another, and asks for what they need. No network, no key.

It sees what any model sees: messages and tools with their JSON schemas. It knows no goal and no tool by name.
"""

from agent.demo.model import DemoModel

__all__ = ["DemoModel"]
