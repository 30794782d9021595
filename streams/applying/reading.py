"""From the text of target.yaml to Settings."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from schemas.config import ConfigError
from schemas.config.access import read_odoo
from schemas.config.listening import read_listen, want_token
from schemas.config.opening import open_file
from schemas.config.section import Section
from schemas.config.yaml_lines import is_broken
from schemas.masking import learn
from streams.applying.settings import OWN, Action, Ending, Model, Settings
from streams.applying.workflows import METHODS

_MODEL: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*")
_MODEL_HELP: Final = "write a model's name: product.template"
_SOURCE: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SOURCE_HELP: Final = "write the `source.name` of the sync.yaml that captures this Odoo"
_FIELDS_HELP: Final = "list what may be written: [name, list_price]"
_STATES_HELP: Final = "name a method for each state: {purchase: button_confirm}"
_METHOD: Final = re.compile(r"[a-z][a-z0-9_]*")
_METHOD_HELP: Final = "write a public method of the model: button_confirm"
_ENDINGS: Final[tuple[Ending, ...]] = ("archive", "unlink", "cancel")
_NO_ACTION: Final = "write {purchase: button_confirm, cancel: button_cancel}"
_BEGIN: Final = "begin with `odoo:`"
_EXAMPLE: Final = "docs/target.md shows every key"
_HINT: Final = "Correct the file; docs/target.md shows every key."
# A sync sends no mail and leaves no chatter, unless the file says otherwise.
_QUIET: Final[Mapping[str, Any]] = {
    "tracking_disable": True,
    "mail_create_nolog": True,
    "mail_create_nosubscribe": True,
    "mail_notrack": True,
    "mail_auto_subscribe_no_notify": True,
    "mail_activity_automation_skip": True,
    "mail_notify_force_send": False,
    "no_reset_password": True,
}


def load(path: Path, env: Mapping[str, str] = os.environ) -> Settings:
    """Read a file; `env` is where `${NAME}` comes from.

    Raises FileUnreadable, and ConfigError with everything that is wrong with the file.
    """
    file, _ = open_file(path, env, _BEGIN, _EXAMPLE, hint=_HINT)
    settings = _settings(path, file)
    learn("odoo.api_key", settings.odoo.get("api_key", ""))
    learn("token", settings.token)
    if file.notes.findings:
        findings = sorted(file.notes.findings, key=lambda found: found.line or 0)
        raise ConfigError(path, findings, hint=_HINT)
    return settings


def _settings(path: Path, file: Section) -> Settings:
    folder = path.absolute().parent
    odoo = file.section("odoo")
    timeout = odoo.seconds("timeout", 150.0)
    lang = file.text("lang") or "en_US"
    company = file.number("company", 0, least=0)
    named = file.named("models", _MODEL, "a model", _MODEL_HELP)
    settings = Settings(
        path=path,
        odoo=read_odoo(odoo),
        timeout=timeout,
        lang=lang,
        company=company or None,
        context=_context(file, lang, company),
        listen=read_listen(file, "127.0.0.1:8093"),
        token=file.token("token"),
        state=folder / Path(file.text("state") or "./target").expanduser(),
        at_once=file.number("at_once", 4),
        waiting=file.number("waiting", 64),
        system=_system(file),
        models={name: _model(name, each) for name, each in named.items()},
        lines=file.notes.lines,
    )
    if not named:
        file.error("models", "nothing may be written", "list models: {res.partner: {fields: ...}}")
    if not settings.listen and not file.notes.findings:
        file.error("listen", "the service must listen somewhere", "write 127.0.0.1:8093")
    want_token(file, settings.listen, settings.token)
    file.done()
    return settings


def _system(file: Section) -> str:
    text = file.text("system")
    if text and not _SOURCE.fullmatch(text):
        file.error("system", f'"{text}" is no name of a source', _SOURCE_HELP)
    return text


def _context(file: Section, lang: str, company: int) -> dict[str, Any]:
    own = {"allowed_company_ids": [company]} if company else {}
    return {**_QUIET, **_mapping(file, "context"), "lang": lang, "tz": "UTC", **own}


def _model(name: str, section: Section) -> Model:
    field, actions = _actions(name, section.section("actions"))
    model = Model(
        name=name,
        fields=frozenset(section.texts("fields", _FIELDS_HELP)),
        match=_rules(section),
        external_ids=section.flag("external_ids", default=name not in OWN),
        create=section.flag("create", default=True),
        defaults=_mapping(section, "defaults"),
        on_leave=section.choice("on_leave", "nothing", _ENDINGS),
        on_delete=section.choice("on_delete", "nothing", _ENDINGS),
        refused=section.choice("refused", "reject", ["archive"]),
        emptied=_mapping(section, "emptied"),
        exact=section.flag("exact", default=False),
        state_field=field,
        actions=actions,
    )
    for key in ("on_leave", "on_delete"):
        if getattr(model, key) == "cancel" and not any(a.state == "cancel" for a in actions):
            section.error(key, "no action leads to the state `cancel`", _NO_ACTION)
    section.done()
    return model


def _mapping(section: Section, key: str) -> dict[str, Any]:
    """Return keys with values of any form."""
    inside = section.section(key)
    found = {str(name): inside.raw(name) for name in inside.left()}
    return {name: value for name, value in found.items() if not is_broken(value)}


def _rules(section: Section) -> tuple[tuple[str, ...], ...]:
    """Return rules: a list of fields, or of lists of fields that must all be equal."""
    values = section.raw("match")
    if values is None or is_broken(values):
        return ()
    rules = [[each] if isinstance(each, str) else each for each in _listed(values)]
    if not rules or not all(
        isinstance(rule, list) and rule and all(isinstance(name, str) for name in rule)
        for rule in rules
    ):
        remedy = "write [default_code, barcode], or [[name, company_id]] for both at once"
        section.error("match", "a list of fields is wanted", remedy)
        return ()
    return tuple(tuple(str(name) for name in rule) for rule in rules)


def _listed(values: Any) -> list[Any]:
    return values if isinstance(values, list) else []


def _actions(model: str, section: Section) -> tuple[str, tuple[Action, ...]]:
    """Return the field that is reached, and the actions by which."""
    fields = [str(name) for name in section.left()]
    if not fields:
        return "", ()
    field = fields[0]
    if len(fields) > 1:
        section.error("", f"two fields: {', '.join(fields)}", "a model has one field of states")
    inside = section.section(field)
    states = [str(state) for state in inside.left()]
    if not states:
        inside.error("", "no state", _STATES_HELP)
    return field, tuple(_action(model, state, inside) for state in states)


def _action(model: str, state: str, section: Section) -> Action:
    """Return an action: a method's name alone, or with its `from`, `context` and `accept`."""
    value = section.raw(state)
    if isinstance(value, dict):
        inside = Section(section.notes, section.at(state), value)
        method = inside.matching("method", _METHOD, _METHOD_HELP)
        begins = inside.texts("from", "list states: [draft, sent]", optional=True)
        accepts = inside.texts("accept", "list states: [to approve]", optional=True)
        context = _mapping(inside, "context")
        inside.done()
    else:
        method, begins, accepts, context = str(value), (), (), {}
        if not _METHOD.fullmatch(method):
            section.error(state, "this is no method", _METHOD_HELP)
    known = METHODS.get((model, method))
    if known is None and not begins:
        section.error(
            state,
            f"it is not known from which states {model}'s {method} may be called",
            f"write {{method: {method}, from: [draft]}}",
        )
    return Action(
        state=state,
        method=method,
        begins=frozenset(begins) or (known.begins if known else frozenset()),
        context={**(known.context if known else {}), **context},
        accepts=frozenset(accepts),
    )
