"""Names for invented companies, people and products."""

from __future__ import annotations

from random import Random
from typing import Final

COUNTRIES: Final = (
    ("BE", "Belgium", "Belgique"),
    ("DE", "Germany", "Allemagne"),
    ("FR", "France", None),
    ("GB", "United Kingdom", "Royaume-Uni"),
    ("IT", "Italy", "Italie"),
    ("NL", "Netherlands", "Pays-Bas"),
    ("US", "United States", "États-Unis"),
)
COUNTRY_NAMES: Final = {"GB": "uk"}
"""External ids that are not the code."""
TAGS: Final = (("Gold", "Or"), ("Silver", "Argent"), ("Retail", "Détail"), ("Vendor", None))
TAGS_ABOVE: Final = {"Silver": 1}
SIZES: Final = (("Small", "Petit"), ("Medium", "Moyen"), ("Large", "Grand"))
ORDER_TAGS: Final = (("Express", "Urgent"), ("Web", None), ("Fair", "Salon"))

_FIRST: Final = (
    "Ada",
    "Björn",
    "Chloé",
    "Dmitri",
    "Elif",
    "Farid",
    "Greta",
    "Hiro",
    "Inês",
    "Jan",
)
_LAST: Final = (
    "Abel",
    "Brandt",
    "Costa",
    "Dubois",
    "Eriksen",
    "Fischer",
    "Garcia",
    "Haddad",
    "Ito",
)
_FIRMS: Final = (
    "Azure",
    "Birch",
    "Cedar",
    "Delta",
    "Ember",
    "Fjord",
    "Granite",
    "Harbour",
    "Iris",
)
_TRADES: Final = ("Interiors", "Logistics", "Paper", "Systems", "Textiles", "Works")
_FORMS: Final = ("GmbH", "Ltd", "NV", "SARL", "SpA")
_ADJECTIVES: Final = (
    ("Acoustic", "acoustique"),
    ("Corner", "d'angle"),
    ("Foldable", "pliable"),
    ("Large", "large"),
    ("Oak", "en chêne"),
    ("Small", "petit"),
)
_THINGS: Final = (
    ("Bloc Screen", "Écran"),
    ("Cabinet", "Armoire"),
    ("Chair", "Chaise"),
    ("Desk", "Bureau"),
    ("Drawer", "Tiroir"),
    ("Lamp", "Lampe"),
)


def firm(rng: Random) -> str:
    """Name a company."""
    return f"{rng.choice(_FIRMS)} {rng.choice(_TRADES)} {rng.choice(_FORMS)}"


def person(rng: Random) -> str:
    """Name a person."""
    return f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"


def product(rng: Random) -> dict[str, str]:
    """Name a product, in one language or two."""
    adjective, thing = rng.choice(_ADJECTIVES), rng.choice(_THINGS)
    name = {"en_US": f"{adjective[0]} {thing[0]} {rng.randrange(100, 1000)}"}
    if rng.randrange(5) < 3:  # noqa: PLR2004 - three of five are translated
        name["fr_FR"] = f"{thing[1]} {adjective[1]}"
    return name


def mail(name: str) -> str:
    """Return the address of somebody of this name."""
    plain = "".join(c if c.isascii() and c.isalnum() else "." for c in name.lower())
    return f"{plain}@example.com"


def long_text(rng: Random, size: int = 9_000) -> str:
    """Write a text that Postgres keeps outside the row: what is random does not compress."""
    return f"<p>{rng.randbytes(size // 2).hex()}</p>"
