"""What `check` can know of Odoo's RPC: is it there, and does it let us in."""

from __future__ import annotations

from schemas.config import Config
from schemas.finding import Finding
from streams.odoo.client import Client

_URL = "source.odoo.url"
_KEY = "source.odoo.api_key"


def findings(config: Config) -> list[Finding]:
    """Log in where `source.odoo` is set; blocking, raises nothing of ours."""
    settings = config.source.odoo
    if not settings:
        return []
    away = Client(settings, config.source.context.lang).log_in()
    if away is None:
        return []
    where = _KEY if away.unauthorised else _URL
    message, remedy = (
        (
            f"Odoo does not let {settings['user']} in: {away.why}",
            "correct source.odoo: database, user, and an API key of that user",
        )
        if away.unauthorised
        else (
            f"Odoo does not answer at {settings['url']}: {away.why}",
            "start Odoo, or correct source.odoo.url and source.odoo.database",
        )
    )
    return [Finding("error", where, config.lines.of(where), message, remedy)]
