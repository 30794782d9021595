"""What a `resend` asks for: which documents of a model, for which routes and targets. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from schemas.arguments import (
    MalformedCommand,
    flag_of,
    ids_of,
    model_of,
    name_of,
    refuse_unknown,
    texts_of,
)
from schemas.document import NotShown, Shape
from schemas.domain import BadDomain, Context, compile_domain, parse
from schemas.event import Document
from schemas.fields import nearest

_SHOWN: Final = 20  # names in a message


class MalformedResend(MalformedCommand):
    """That does not say what to resend."""

    hint = (
        "Name a model and which of its records: `odoo-cdc resend sale.order --id 42`, --domain"
        " \"[['state', '=', 'sale']]\" or --all."
    )


@dataclass(frozen=True, slots=True)
class Request:
    """One resend: records by `ids`, by a `domain` as it is written, or `everything`.

    `routes` and `targets` name some, none for all. `dry_run` only counts. `drift` means, of these
    records, what the one target that is named was last sent otherwise than it is.
    """

    model: str
    ids: tuple[int, ...] = ()
    domain: Any = None
    everything: bool = False
    routes: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    dry_run: bool = False
    drift: bool = False

    def wants(self, route: str, target: str) -> bool:
        """Say whether a target of a route is to get anything."""
        mine = not self.routes or route in self.routes
        return mine and (not self.targets or target in self.targets)

    def lines(self, routes: Iterable[tuple[str, str, Iterable[str]]]) -> list[tuple[str, str]]:
        """Return the (route, target) that get something, of routes (name, model, targets)."""
        return [
            (name, target)
            for name, model, targets in routes
            if model == self.model
            for target in targets
            if self.wants(name, target)
        ]

    def to_fields(self) -> dict[str, Any]:
        """Return the arguments of a command."""
        return {
            "model": self.model,
            "ids": list(self.ids),
            "domain": self.domain,
            "all": self.everything,
            "routes": list(self.routes),
            "targets": list(self.targets),
            "dry_run": self.dry_run,
            "drift": self.drift,
        }

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """Read the arguments of a `resend`; MalformedCommand and BadDomain where they are none."""
        refuse_unknown(fields, tuple(cls("").to_fields()))
        found = cls(
            model=model_of(fields, "model"),
            ids=tuple(sorted(set(ids_of(fields, "ids")))),
            domain=fields.get("domain"),
            everything=flag_of(fields, "all"),
            routes=tuple(map(name_of, texts_of(fields, "routes"))),
            targets=tuple(map(name_of, texts_of(fields, "targets"))),
            dry_run=flag_of(fields, "dry_run"),
            drift=flag_of(fields, "drift"),
        )
        if sum([bool(found.ids), found.domain is not None, found.everything]) != 1:
            raise MalformedResend("a resend has ids, a domain, or is of all")
        if found.drift and len(found.targets) != 1:
            raise MalformedResend("a drift is that of one target")
        if found.domain is not None:
            parse(found.domain)
        return found

    def refuse_strange(self, routes: Iterable[tuple[str, str, Iterable[str]]]) -> None:
        """Raise MalformedResend where routes (name, model, targets) send nothing of that kind."""
        known = list(routes)
        mine = [each for each in known if each[1] == self.model]
        _refuse("no route reads the model", [self.model], {model for _, model, _ in known})
        of = f"no route of {self.model} is named"
        _refuse(of, self.routes, {name for name, _, _ in mine})
        targets = {target for _, _, each in mine for target in each}
        _refuse(f"no route of {self.model} has the target", self.targets, targets)
        if not self.lines(known):
            raise MalformedResend(
                f"the route{'s' * (len(self.routes) > 1)} {', '.join(self.routes)} and"
                f" {', '.join(self.targets)} have nothing to do with each other"
            )

    def compile(self, shape: Shape, context: Context) -> Callable[[Document], bool] | None:
        """Return what says whether a document is asked for; None where there is no domain.

        MalformedResend where the documents cannot answer it.
        """
        if self.domain is None:
            return None
        try:
            return compile_domain(parse(self.domain), shape, context)
        except NotShown as error:
            raise MalformedResend(
                f"--domain: {error}",
                hint=f"A domain asks for what routes of {self.model} read: {_names(shape)}.",
            ) from error
        except BadDomain as error:
            raise MalformedResend(f"--domain: {error}", hint=error.hint) from error


def _refuse(what: str, asked: Iterable[str], known: set[str]) -> None:
    for name in asked:
        if name not in known:
            near = nearest(name, sorted(known))
            raise MalformedResend(
                f'{what} "{name}"' + (f', did you mean "{near}"?' if near else ""),
                hint=f"There is {', '.join(sorted(known)) or 'none'}.",
            )


def _names(shape: Shape) -> str:
    names = sorted(
        [
            "id",
            *(column.name for column in shape.columns),
            *(link.name for link in shape.links),
            *(name for name, _ in shape.aliases),
        ]
    )
    more = "" if len(names) <= _SHOWN else f" and {len(names) - _SHOWN} more"
    return ", ".join(names[:_SHOWN]) + more
