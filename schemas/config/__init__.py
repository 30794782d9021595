"""sync.yaml: read once, typed, frozen. CONTRACT: every key, its default, its form.

`load` is all that programs need; everything that is wrong with a file is said at once.
`load_part` is for what people ask while they write one.
"""

from __future__ import annotations

from schemas.config.model import (
    Acks,
    Config,
    ConfigError,
    FileUnreadable,
    Health,
    Part,
    Route,
    Source,
    Target,
    TopicSettings,
    Wso2,
)
from schemas.config.reader import json_schema, load, load_part
from schemas.config.windows import Window
from schemas.config.yaml_lines import Lines

__all__ = [
    "Acks",
    "Config",
    "ConfigError",
    "FileUnreadable",
    "Health",
    "Lines",
    "Part",
    "Route",
    "Source",
    "Target",
    "TopicSettings",
    "Window",
    "Wso2",
    "json_schema",
    "load",
    "load_part",
]
