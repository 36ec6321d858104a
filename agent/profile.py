"""Temporal's configuration file, temporal.toml: where it lies, and the server that its profile names."""

import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.errors import SettingsError


def profile_path(environment: Mapping[str, str]) -> Path | None:
    """TEMPORAL_CONFIG_FILE, else where Temporal's own tools look; None where there is no such file."""
    if named := environment.get("TEMPORAL_CONFIG_FILE"):
        path = Path(named).expanduser()
        if not path.is_file():
            raise SettingsError(f"TEMPORAL_CONFIG_FILE names {named}, which is no file. Correct it, or remove it.")
        return path
    default = _default_path(environment)
    return default if default is not None and default.is_file() else None


def profile_address(environment: Mapping[str, str]) -> str:
    """The address of the profile that is selected by TEMPORAL_PROFILE, "" where there is none."""
    path, name = profile_path(environment), environment.get("TEMPORAL_PROFILE", "")
    if path is None:
        if name:
            raise SettingsError(f"TEMPORAL_PROFILE names {name}, and there is no temporal.toml. Remove the variable.")
        return ""
    try:
        profiles: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8")).get("profile", {})
        if name and name not in profiles:
            raise SettingsError(f"{path} has no profile {name}. Correct TEMPORAL_PROFILE.")
        return str(profiles.get(name or "default", {}).get("address", ""))
    except (OSError, ValueError, AttributeError):
        raise SettingsError(f"{path} cannot be read as Temporal's configuration. Correct it, or remove it.") from None


def _default_path(environment: Mapping[str, str]) -> Path | None:
    if sys.platform == "win32":
        base = environment.get("APPDATA", "")
    elif sys.platform == "darwin":
        base = f"{environment['HOME']}/Library/Application Support" if environment.get("HOME") else ""
    else:
        home = environment.get("HOME", "")
        base = environment.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home else "")
    return Path(base) / "temporalio" / "temporal.toml" if base else None
