"""The routes of sync.yaml."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from schemas import domain, mapping
from schemas.config.model import Route, Source, Target
from schemas.config.section import Section
from schemas.config.yaml_lines import is_broken, plain
from schemas.conflict import Policy
from schemas.fields import nearest
from schemas.keys import MAX_DELIVERY_ID, chain_of, delivery_id
from schemas.mapping import BadMapping
from schemas.mapping.masks import HMAC
from schemas.position import Lsn, Position

SOURCE: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
CONFLICT: Final = "conflict"
LATER: Final = "later"
NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
NAME_HELP: Final = "a name is a small letter, then up to 39 small letters, digits, _ or -"
_MODEL: Final = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")
_MODEL_HELP: Final = "write Odoo's name, sale.order for instance"
_FORMS: Final = {"fields": mapping.parse_fields, "map": mapping.parse_map}
_NO_MAPPING: Final = mapping.Mapping(())
_LARGEST_ID: Final = 9_999_999_999  # ten digits
_SHORTEST_KEY: Final = 16  # bytes of a mask's key
_SOME_SEQUENCE: Final = Position(0, Lsn(0), 1).sequence  # all are equally long


def read_routes(
    sections: Iterable[Section], source: Source, targets: Mapping[str, Target]
) -> tuple[Route, ...]:
    """Return the routes in the order of the file; findings go to the sections' notes."""
    routes: list[Route] = []
    names: dict[str, int] = {}
    for index, section in enumerate(sections):
        route = _route(section, index, source)
        _check_targets(section, route, targets)
        _check_ids(section, route, source)
        _check_masks(section, route, source)
        _check_conflict(section, route, targets)
        if route.name and route.name in names:
            remedy = "ids of deliveries hold the route's name: give each its own"
            section.error(
                "name", f'routes[{names[route.name]}] is named "{route.name}" too', remedy
            )
        names.setdefault(route.name, index)
        section.done()
        routes.append(route)
    return tuple(routes)


def _route(section: Section, index: int, source: Source) -> Route:
    model = section.matching("model", _MODEL, _MODEL_HELP)
    return Route(
        name=section.matching("name", NAME, NAME_HELP),
        model=model,
        domain=_domain(section),
        targets=section.texts("targets", "name one target or more: [webshop]"),
        target_model=section.text("target_model", model) or model,
        mapping=_mapping(section),
        on_leave=section.choice("on_leave", "leave", ["delete", "ignore"]),
        follow_lookups=section.flag("follow_lookups", default=True),
        active_test=section.flag("active_test", default=False),
        initial_load=section.flag("initial_load", default=source.initial_load),
        ignore_writes_by=section.texts(
            "ignore_writes_by", "write the logins of users: [sync]", optional=True
        ),
        conflict=_conflict(section),
        index=index,
    )


def _conflict(section: Section) -> Policy | None:
    value = plain(section.raw(CONFLICT))
    if value is None or is_broken(value):
        return None
    if value == LATER:
        return Policy()
    if isinstance(value, dict) and list(value) == ["master"] and _is_source(value["master"]):
        return Policy(value["master"])
    remedy = "write `later`, or the source whose values stand: {master: odoo_a}"
    section.error(CONFLICT, "this is no policy", remedy)
    return None


def _is_source(name: object) -> bool:
    return isinstance(name, str) and SOURCE.fullmatch(name) is not None


def _check_conflict(section: Section, route: Route, targets: Mapping[str, Target]) -> None:
    # A delivery that a newer one replaced would look like a change that the master never saw.
    if route.conflict is None or not route.conflict.master:
        return
    for name in route.targets:
        if name in targets and targets[name].history != "all":
            section.error(
                CONFLICT,
                f'"{name}" does not get every delivery, a newer one may replace one that waits:'
                " what the fields were before would then be something that the master never had",
                f"give targets.{name} `history: all`",
            )


def _domain(section: Section) -> domain.Domain:
    value = section.raw("domain")
    if value is not None and not is_broken(value):
        try:
            return domain.parse(plain(value))
        except domain.BadDomain as error:
            section.error("domain", str(error), error.hint)
    return domain.parse([])


def _mapping(section: Section) -> mapping.Mapping:
    written = {form: section.raw(form) for form in _FORMS}
    given = [form for form, value in written.items() if value is not None]
    if len(given) != 1:
        both = "`fields` and `map` exclude each other" if given else "`fields` or `map` is missing"
        section.error("map" if given else "", both, "write fields: [name] or map: {name: name}")
        return _NO_MAPPING
    form = given[0]
    return _parsed(section, _FORMS[form], written[form])


def _parsed(
    section: Section, parse: Callable[[Any], mapping.Mapping], value: Any
) -> mapping.Mapping:
    if is_broken(value):
        return _NO_MAPPING
    try:
        return parse(plain(value))
    except BadMapping as error:
        for fault in error.faults:
            section.error(fault.key, fault.message, fault.remedy)
        return _NO_MAPPING


def _check_targets(section: Section, route: Route, targets: Mapping[str, Target]) -> None:
    for place, name in enumerate(route.targets):
        key = f"targets[{place}]"
        if name not in targets:
            near = nearest(name, list(targets))
            remedy = f'did you mean "{near}"?' if near else "describe it under `targets:`"
            section.error(key, f'there is no target "{name}"', remedy)
        if name in route.targets[:place]:
            section.error(key, f'"{name}" is given twice', "leave one of them out")


def _check_masks(section: Section, route: Route, source: Source) -> None:
    if len(source.mask_key.encode()) >= _SHORTEST_KEY:
        return
    what = "is too short to keep anything secret" if source.mask_key else "is missing"
    for path, key in mapping.paths(route.mapping):
        if path.mask == HMAC:
            section.error(
                f"{key}.mask",
                f"`hmac` needs source.mask_key, which {what}",
                f"write {_SHORTEST_KEY} random characters at least, from the environment for"
                " instance: mask_key: ${MASK_KEY}",
            )


def _check_ids(section: Section, route: Route, source: Source) -> None:
    for target in route.targets:
        chain = chain_of(source.name, target, route.model, _LARGEST_ID)
        length = len(delivery_id(chain, route.name, _SOME_SEQUENCE))
        if length > MAX_DELIVERY_ID:
            section.error(
                "name",
                f"ids of its deliveries to {target} could have {length} characters; an"
                f" Idempotency-Key takes {MAX_DELIVERY_ID}",
                f"shorten the names of source, target or route by {length - MAX_DELIVERY_ID}",
            )
