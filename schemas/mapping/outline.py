"""The JSON Schema of `fields` and `map`, from the table that the parser reads by."""

from __future__ import annotations

from typing import Any, Final

from schemas.mapping.masks import MASKS
from schemas.mapping.parse import HEADS, LANG, PATH

Schema = dict[str, Any]
VALUE: Final = "value"  # the name of a value's definition
MAP: Final = "map"  # the name of a mapping's definition
DOMAIN: Final = "domain"  # the name of a domain's definition

_PATH: Final[Schema] = {"type": "string", "pattern": f"^{PATH.pattern}$"}
_ANYTHING: Final[Schema] = {}
_PARTS: Final[dict[str, Schema]] = {  # what stands beside or behind a head
    "path": _PATH,
    "value": _ANYTHING,
    "each": _PATH,
    "ref": _PATH,
    "match": {"$ref": f"#/$defs/{MAP}"},
    "map": {"$ref": f"#/$defs/{MAP}"},
    "domain": {"$ref": f"#/$defs/{DOMAIN}"},
    "table": {"type": "object", "minProperties": 1},
    "else": _ANYTHING,
    "default": _ANYTHING,
    "lang": {"type": "string", "pattern": rf"^({LANG.pattern}|\*)$"},
    "company": {"type": "integer", "minimum": 1},
    "follow": {"type": "boolean"},
    "mask": {"enum": list(MASKS)},
}


def fields_schema() -> Schema:
    """Return the schema of `fields`."""
    return {"type": "array", "items": _PATH, "minItems": 1, "uniqueItems": True}


def map_schema() -> Schema:
    """Return the schema of `map`; see `definitions`."""
    return {"$ref": f"#/$defs/{MAP}"}


def definitions() -> dict[str, Schema]:
    """Return what the schemas above refer to, for `$defs`."""
    kinds = [
        {
            "type": "object",
            "required": [head, *(["map"] if head == "each" else [])],
            "properties": {name: _PARTS[name] for name in (head, *beside)},
            "additionalProperties": False,
        }
        for head, beside in HEADS.items()
    ]
    return {
        VALUE: {"anyOf": [_PATH, *kinds]},
        MAP: {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"$ref": f"#/$defs/{VALUE}"},
        },
        DOMAIN: {
            "type": ["array", "string"],
            "description": "an Odoo domain: terms [path, operator, value], prefix & | !",
        },
    }
