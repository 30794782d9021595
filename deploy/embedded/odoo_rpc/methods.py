"""The methods that RPC may call on every model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from embedded.odoo_rpc import reading, translations
from embedded.odoo_rpc.environment import Env
from embedded.odoo_rpc.faults import AccessError, UserError
from embedded.odoo_rpc.loading import load
from embedded.odoo_rpc.model import Model, Values, registry

Ids = int | Sequence[int]


def call(env: Env, name: str, method: str, args: Sequence[Any], options: Values) -> Any:
    """Call a method of a model; the errors are those of a call to Odoo."""
    if not reading.known(name):
        raise UserError(f"There is no model {name}")
    model = registry()[name]
    if method.startswith("_"):
        raise AccessError(f"Private methods such as {method} are not called from outside.")
    if method in model.of_the_model():
        return model.of_the_model()[method](env, *args, **options)
    if method in model.actions():
        return model.actions()[method](env, _ids(*args, **options))
    if method in _METHODS:
        return _METHODS[method](env, model, *args, **options)
    raise AttributeError(f"The method {method!r} does not exist on the model {name!r}")


def _ids(ids: Ids) -> list[int]:
    return [ids] if isinstance(ids, int) else list(ids)


def _search(
    env: Env,
    model: Model,
    domain: Sequence[Any],
    offset: int = 0,
    limit: int | None = None,
    order: str | None = None,
) -> list[int]:
    return reading.search(env, model, domain, offset=offset, limit=limit, order=order)


def _search_count(env: Env, model: Model, domain: Sequence[Any], limit: int | None = None) -> int:
    found = reading.search_count(env, model, domain)
    return min(found, limit) if limit else found


def _read(
    env: Env,
    model: Model,
    ids: Ids,
    fields: Iterable[str] | None = None,
    load: object = reading.CLASSIC,
) -> list[Values]:
    return reading.read(env, model, _ids(ids), fields or (), load)


def _search_read(  # noqa: PLR0913, PLR0917 - as Odoo has it
    env: Env,
    model: Model,
    domain: Sequence[Any] = (),
    fields: Iterable[str] | None = None,
    offset: int = 0,
    limit: int | None = None,
    order: str | None = None,
    **options: Any,
) -> list[Values]:
    ids = reading.search(env, model, domain, offset=offset, limit=limit, order=order)
    return reading.read(env, model, ids, fields or (), options.get("load", reading.CLASSIC))


def _create(env: Env, model: Model, vals_list: Values | Sequence[Values]) -> int | list[int]:
    if isinstance(vals_list, Mapping):
        return model.create(env, vals_list)
    return [model.create(env, values) for values in vals_list]


def _write(env: Env, model: Model, ids: Ids, vals: Values) -> bool:
    model.write(env, _ids(ids), vals)
    return True


def _web_save(
    env: Env, model: Model, ids: Ids, vals: Values, specification: Values
) -> list[Values]:
    """Write, and read what is asked for without going into relations."""
    model.write(env, _ids(ids), vals)
    return reading.read(env, model, _ids(ids), list(specification), None)


def _unlink(env: Env, model: Model, ids: Ids) -> bool:
    model.unlink(env, _ids(ids))
    return True


def _archive(env: Env, model: Model, ids: Ids) -> None:
    model.write(env, _ids(ids), {"active": False})


def _unarchive(env: Env, model: Model, ids: Ids) -> None:
    model.write(env, _ids(ids), {"active": True})


def _fields_get(
    env: Env,
    model: Model,
    allfields: Iterable[str] | None = None,
    attributes: Iterable[str] | None = None,
) -> dict[str, Values]:
    return reading.fields_get(env, model, allfields, attributes)


def _default_get(env: Env, model: Model, fields_list: Iterable[str]) -> Values:
    wanted = set(fields_list)
    return {n: v for n, v in model.defaults(env, {}).items() if n in wanted and v}


def _check_access_rights(
    env: Env,
    model: Model,
    operation: str,
    raise_exception: bool = True,  # noqa: FBT001, FBT002 - as Odoo has it
) -> bool | None:
    allowed = env.user.writes or operation == "read"
    if not raise_exception:
        return allowed
    if not allowed:
        env.refuse_writing(model.name)
    return None


def _update_translations(
    env: Env,
    model: Model,
    ids: Ids,
    field_name: str,
    translations_: Values | None = None,
    **options: Any,
) -> bool:
    values = translations_ if translations_ is not None else options["translations"]
    return translations.update_field_translations(env, model, _ids(ids), field_name, values)


def _get_translations(env: Env, model: Model, ids: Ids, field_name: str, *_: object) -> list[Any]:
    return translations.get_field_translations(env, model, _ids(ids), field_name)


_METHODS: Final[Mapping[str, Callable[..., Any]]] = {
    "search": _search,
    "search_count": _search_count,
    "search_read": _search_read,
    "read": _read,
    "create": _create,
    "write": _write,
    "web_save": _web_save,
    "unlink": _unlink,
    "action_archive": _archive,
    "action_unarchive": _unarchive,
    "fields_get": _fields_get,
    "default_get": _default_get,
    "check_access_rights": _check_access_rights,
    "load": load,
    "update_field_translations": _update_translations,
    "get_field_translations": _get_translations,
}
