"""sync.yaml: read once, typed, frozen. CONTRACT: every key, its default, its form.

`load` is all that programs need; everything that is wrong with a file is said at once.
"""

from __future__ import annotations

from schemas.config.model import (
    Acks,
    Config,
    ConfigError,
    FileUnreadable,
    Health,
    Route,
    Source,
    Target,
    TopicSettings,
    Wso2,
)
from schemas.config.reader import json_schema, load
from schemas.config.windows import Window
from schemas.config.yaml_lines import Lines

__all__ = [
    "Acks",
    "Config",
    "ConfigError",
    "FileUnreadable",
    "Health",
    "Lines",
    "Route",
    "Source",
    "Target",
    "TopicSettings",
    "Window",
    "Wso2",
    "json_schema",
    "load",
]
