"""target.yaml held against the Odoo that it names: what `odoo-cdc target --check` says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from schemas.fields import nearest
from schemas.finding import Finding
from streams.applying.facts import LINES, Fact, Facts
from streams.applying.present import ACTIVE
from streams.applying.settings import Action, Model, Settings
from streams.applying.wanted import NotAllowed, Understanding, Wrong
from streams.odoo.port import Away, LoginRefused, Odoo, Refused, Trouble

_DATA: Final = "ir.model.data"
_ENGLISH: Final = {"lang": "en_US"}  # every Odoo takes it
_RIGHTS: Final = {
    "read": "read",
    "write": "change",
    "create": "create",
    "unlink": "delete",
}


def findings(settings: Settings, odoo: Odoo) -> list[Finding]:
    """Ask Odoo all that can be known before the first delivery; nothing is written there."""
    return list(Checks(settings, odoo).all())


class Checks:
    """Holds one file against one Odoo."""

    def __init__(self, settings: Settings, odoo: Odoo) -> None:
        """Ask nothing yet."""
        self._settings = settings
        self._odoo = odoo
        self._facts = Facts(odoo)

    def all(self) -> Iterator[Finding]:
        """Give every finding; those of models only where Odoo lets us in."""
        refusal = self._entry() or self._language()
        if refusal is not None:
            yield refusal
            return
        yield from self._names()
        for name, model in self._settings.models.items():
            yield from self._of_model(model, f"models.{name}")

    def _entry(self) -> Finding | None:
        url = self._settings.odoo["url"]
        try:
            self._odoo.call("res.users", "search_count", [], context=_ENGLISH)
        except LoginRefused as error:
            return self._error(
                "odoo.api_key",
                f"Odoo does not let {self._settings.odoo['user']} in: {error}",
                "correct odoo: database, user, and an API key of that user",
            )
        except Refused as error:
            return self._error(
                "company",
                f"Odoo refuses what every call says: {error}",
                "correct `company` or `context`",
            )
        except Trouble as error:
            return self._error(
                "odoo.url",
                f"Odoo does not answer at {url}: {error}",
                "start Odoo, or correct odoo.url and odoo.database",
            )
        return None

    def _language(self) -> Finding | None:
        """Look at the language first: with a wrong one every other call is refused."""
        lang = self._settings.lang
        rows = self._odoo.call("res.lang", "search_read", [], ["code"], context=_ENGLISH)
        codes = [str(row["code"]) for row in rows]
        if lang in codes:
            return None
        near = nearest(lang, codes)
        remedy = f'did you mean "{near}"?' if near else f"active are {', '.join(codes)}"
        return self._error("lang", f'the language "{lang}" is not active', remedy)

    def _names(self) -> Iterator[Finding]:
        """Look whether the user may read and give names."""
        refused = [_RIGHTS[right] for right in ("read", "create") if not self._may(_DATA, right)]
        if refused:
            yield self._error(
                "odoo.user",
                f"the user may not {' or '.join(refused)} external ids ({_DATA})",
                'give the user the group "Access Rights" (base.group_erp_manager)',
            )

    def _of_model(self, model: Model, where: str) -> Iterator[Finding]:
        try:
            facts = self._facts.of(model.name)
        except Refused as error:
            yield self._error(
                where,
                f"Odoo does not show {model.name}: {error}",
                "install its module, correct the name, or give the user access to it",
            )
            return
        yield from self._rights(model, where)
        for name in sorted(model.fields):
            yield from self._field(facts, name, f"{where}.fields")
        for rule in model.match:
            for name in rule:
                yield from self._path(model.name, name, f"{where}.match")
        yield from self._endings(model, facts, where)
        if model.state_field:
            yield from self._actions(model, facts, f"{where}.actions")
        yield from self._given(model, where)

    def _rights(self, model: Model, where: str) -> Iterator[Finding]:
        wanted = ["read", "write", *(["create"] if model.create else [])]
        if "unlink" in (model.on_leave, model.on_delete):
            wanted.append("unlink")
        refused = [_RIGHTS[right] for right in wanted if not self._may(model.name, right)]
        if refused:
            yield self._error(
                where,
                f"the user may not {' or '.join(refused)} {model.name}",
                "give the user a group that may",
            )

    def _may(self, model: str, right: str) -> bool:
        try:
            return bool(self._odoo.call(model, "check_access_rights", right, False))  # noqa: FBT003  Odoo's own
        except Refused:
            return False

    def _field(self, facts: Mapping[str, Fact], name: str, where: str) -> Iterator[Finding]:
        fact = facts.get(name)
        if fact is None:
            near = nearest(name, list(facts))
            remedy = f'did you mean "{near}"?' if near else "take it out"
            yield self._error(where, f'there is no field "{name}" here', remedy)
        elif fact.type == LINES and fact.relation not in self._settings.models:
            yield self._error(
                where,
                f"{name} holds records of {fact.relation}, which models does not list",
                f"list it: {{{fact.relation}: {{fields: [...]}}}}",
            )

    def _path(self, model: str, path: str, where: str) -> Iterator[Finding]:
        for step in path.split("."):
            facts = self._facts.of(model) if model else {}
            if step not in facts:
                yield from self._field(facts, step, where)
                return
            model = facts[step].relation

    def _endings(self, model: Model, facts: Mapping[str, Fact], where: str) -> Iterator[Finding]:
        endings = {"on_leave": model.on_leave, "on_delete": model.on_delete}
        for key, ending in endings.items():
            falls_back = ending in ("unlink", "cancel") and model.refused == "archive"
            if (ending == "archive" or falls_back) and ACTIVE not in facts:
                yield self._error(
                    f"{where}.{key if ending == 'archive' else 'refused'}",
                    f"{model.name} has no field `active`: its records cannot be archived",
                    "write nothing, unlink or cancel" if ending == "archive" else "write reject",
                )

    def _actions(self, model: Model, facts: Mapping[str, Fact], where: str) -> Iterator[Finding]:
        fact = facts.get(model.state_field)
        if fact is None or not fact.selection:
            yield from self._field(facts, model.state_field, where)
            return
        for action in model.actions:
            here = f"{where}.{model.state_field}.{action.state}"
            for state in sorted({action.state, *action.begins, *action.accepts}):
                if state not in fact.selection:
                    known = ", ".join(fact.selection)
                    yield self._warning(here, f'"{state}" is no state of {model.name}', known)
            yield from self._method(model, action, here)

    def _method(self, model: Model, action: Action, where: str) -> Iterator[Finding]:
        """Call a method on no record: what is done to none changes nothing."""
        try:
            self._odoo.call(model.name, action.method, [], context=action.context)
        except Refused as error:
            if error.kind in ("AttributeError", "AccessError"):
                yield self._error(where, str(error), "name a public method of the model")
        except Away:
            raise
        except Trouble:
            pass

    def _given(self, model: Model, where: str) -> Iterator[Finding]:
        """Look at values that the file itself gives."""
        for key, values in (("defaults", model.defaults), ("emptied", model.emptied)):
            yield from self._understood(model, values, f"{where}.{key}")

    def _understood(
        self, model: Model, values: Mapping[str, Any], where: str
    ) -> Iterator[Finding]:
        understanding = Understanding(self._settings, self._facts)
        free = Model(model.name, frozenset(values))
        for name, value in values.items():
            try:
                understanding.wanted(free, {name: value})
            except (Wrong, NotAllowed) as error:
                yield self._error(f"{where}.{name}", str(error), "write it as a message would")

    def _error(self, where: str, message: str, remedy: str) -> Finding:
        return Finding("error", where, self._settings.lines.of(where), message, remedy)

    def _warning(self, where: str, message: str, remedy: str) -> Finding:
        return Finding("warning", where, self._settings.lines.of(where), message, remedy)
