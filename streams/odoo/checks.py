"""What `check` can know of Odoo's RPC: is it there, and does it let us in."""

from __future__ import annotations

from schemas.config import Config
from schemas.finding import Finding
from streams.filling.reads import Away
from streams.odoo.client import Client

_URL = "source.odoo.url"
_KEY = "source.odoo.api_key"


def findings(config: Config) -> list[Finding]:
    """Log in where `source.odoo` is set; blocking, raises nothing of ours."""
    settings = config.source.odoo
    if not settings:
        return []
    away = Client(settings, config.source.context.lang).log_in()
    return [] if away is None else [of_refusal(config, away)]


def of_refusal(config: Config, away: Away) -> Finding:
    """Say what stands against a login. Pure."""
    settings = config.source.odoo
    if away.unauthorised:
        return Finding(
            "error",
            _KEY,
            config.lines.of(_KEY),
            f"Odoo does not let {settings['user']} in: {away.why}",
            "correct source.odoo: database, user, and an API key of that user",
        )
    return Finding(
        "error",
        _URL,
        config.lines.of(_URL),
        f"Odoo does not answer at {settings['url']}: {away.why}",
        "start Odoo, or correct source.odoo.url and source.odoo.database",
    )
