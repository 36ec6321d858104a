"""The agent: one conversation is one Temporal workflow. Start reading in agent/workflow.py."""
