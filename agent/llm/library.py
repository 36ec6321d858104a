"""LiteLLM, imported in one place with everything off that looks elsewhere, logs or repeats by itself.

The import costs seconds and 180 MB: only the worker pays it.
"""

import importlib
import logging
import os
import warnings
from typing import Any

for _name, _value in {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # otherwise the import fetches a list of prices
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_MODE": "PRODUCTION",  # otherwise it loads any .env it finds
    "HF_HUB_OFFLINE": "1",
    "EXPERIMENTAL_OPENAI_BASE_LLM_HTTP_HANDLER": "True",  # without the openai package in between: 6 ms less a call
}.items():
    os.environ.setdefault(_name, _value)

litellm: Any = importlib.import_module("litellm")
"""Untyped: reading its types would take the type checker longer than all of our code."""

warnings.filterwarnings("ignore", message=".*`ReadOnly` qualifier")  # pydantic's, of LiteLLM's types
litellm.suppress_debug_info = True
litellm.disable_streaming_logging = True
for _name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "openai", "httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # at DEBUG they write prompts and keys
