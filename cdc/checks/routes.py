"""Routes against the models of the database: models, domains, mappings. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from schemas import domain, mapping
from schemas.config import Config, Route
from schemas.fields import Models, Unknown, nearest
from schemas.finding import Fault, Finding


def logins(config: Config) -> set[str]:
    """Return the logins of all users whom a route ignores."""
    return {login for route in config.routes for login in route.ignore_writes_by}


def findings(config: Config, models: Models, users: Mapping[str, int]) -> list[Finding]:
    """Return what of the routes the database does not bear out; `users` are those of `logins`."""
    context, live = config.source.context, bool(config.source.odoo)
    found = [
        each for route in config.routes for each in _of_route(route, models, context, live=live)
    ]
    found += [
        Finding(
            "error",
            f"routes[{route.index}].ignore_writes_by[{place}]",
            None,
            f'the database has no user with the login "{login}"',
            _login(login, users),
        )
        for route in config.routes
        for place, login in enumerate(route.ignore_writes_by)
        if login not in users
    ]
    return found


def costs(config: Config, models: Models) -> list[Finding]:
    """Return warnings of what is dear in routes that `findings` lets pass."""
    return [
        Finding(
            "warning",
            f"routes[{route.index}].{key}",
            None,
            f"{model}.{field} has no column: it is read from Odoo before a delivery goes, which"
            " waits while Odoo is away, and every write on such a record makes an event",
            "leave it out where a stored field will do",
        )
        for route in config.routes
        for model, field, key in mapping.live_paths(route.mapping, models, route.model)
    ]


def refuse_unfit(config: Config, models: Models, users: Mapping[str, int]) -> None:
    """Raise ConfigError where routes do not fit the database: nothing may start with them."""
    config.refuse(findings(config, models, users))


def does_without(config: Config, models: Models, model: str) -> bool:
    """Say whether the routes of a model fit but for paths that have a default."""
    context, live = config.source.context, bool(config.source.odoo)
    routes = (route for route in config.routes if route.model == model)
    bare = (replace(r, mapping=mapping.without_defaults(r.mapping)) for r in routes)
    return not any(_of_route(route, models, context, live=live) for route in bare)


def _of_route(
    route: Route, models: Models, context: domain.Context, *, live: bool
) -> list[Finding]:
    place = f"routes[{route.index}]"
    try:
        models.model(route.model)
    except Unknown as error:
        return [Finding("error", f"{place}.model", None, str(error), error.hint)]
    faults = [
        *_under(f"{place}.domain", domain.check(route.domain, models, route.model, context)),
        *_under(
            f"{place}.", mapping.check(route.mapping, models, route.model, context, live=live)
        ),
    ]
    return [Finding("error", where, None, fault.message, fault.remedy) for where, fault in faults]


def _login(login: str, users: Mapping[str, int]) -> str:
    near = nearest(login, list(users))  # where one is missing, `users` holds who may be meant
    return f'did you mean "{near}"?' if near else "write a login as Settings, Users shows it"


def _under(place: str, faults: list[Fault]) -> list[tuple[str, Fault]]:
    return [(f"{place}{fault.key}".rstrip("."), fault) for fault in faults]
