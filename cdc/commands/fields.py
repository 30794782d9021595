"""`odoo-cdc fields`: what a model offers to routes."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cdc.postgres.catalog import load_models
from cdc.postgres.connect import Session
from cdc.prose import columns
from schemas import mapping
from schemas.config import load_part
from schemas.domain import Context
from schemas.errors import NothingFound
from schemas.fields import Field, Model, Models
from schemas.finding import Fault, advised

HELP: Final = "list the fields of a model, with what a route can do with each"
EXAMPLE: Final = "odoo-cdc fields sale.order --like partner"

_HEADS: Final = ("field", "type", "kept", "label")


class NoSuchField(NothingFound):
    """No field of the model is like that."""

    hint = "Leave --like out for all of them."


@dataclass(frozen=True, slots=True)
class Offer:
    """A field, and what stands between it and a route; None: nothing.

    One that is `live` has no column: a route's mapping can have it, by asking Odoo.
    """

    field: Field
    fault: Fault | None
    live: bool


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("model", metavar="MODEL", help="sale.order, for instance")
    parser.add_argument(
        "--like",
        default="",
        metavar="TEXT",
        help="only those whose name, label or relation has it",
    )


def run(args: argparse.Namespace) -> int:
    """Print the fields; Unknown (2) for a model that is not there, NoSuchField (1).

    Of the file only `source` is needed: the rest may be missing, or not right yet.
    """
    part = load_part(args.config, lambda _: ("source",))
    if part.left:
        print(part.said_left(), file=sys.stderr)
    source = part.config.source
    context = source.context
    with Session.connect(source.dsn, "odoo-cdc-fields") as session:
        models = load_models(session, context.lang)
    model = models.model(args.model)
    every = _offers(models, model, context, live=bool(source.odoo))
    offers = [each for each in every if _is_like(each.field, args.like)]
    if not offers:
        raise NoSuchField(f'{model.name} has no field like "{args.like}"')
    if args.json:
        found = [_to_json(each) for each in offers]
        print(json.dumps({"model": model.name, "fields": found}, ensure_ascii=False))
    else:
        print("\n".join(_lines(model, offers)))
    return 0


def _offers(models: Models, model: Model, context: Context, *, live: bool) -> Iterator[Offer]:
    for name, field in sorted(model.fields.items()):
        asked = mapping.parse_fields([name])
        faults = mapping.check(asked, models, model.name, context, live=live)
        is_live = not faults and bool(mapping.live_paths(asked, models, model.name))
        yield Offer(field, faults[0] if faults else None, is_live)


def _is_like(field: Field, text: str) -> bool:
    wanted = text.lower()
    return any(wanted in each.lower() for each in (field.name, field.label, field.relation))


def _kept(field: Field) -> str:
    if field.stored:
        return "stored"
    if field.related:
        return f"reads {field.related}"
    return f"by its {field.inverse}" if field.inverse else "computed"


def _type(field: Field) -> str:
    relation = f" {field.relation}" if field.relation else ""
    said = [
        *(["translated"] if field.translated else []),
        *(["by company"] if field.company_dependent else []),
    ]
    return f"{field.type}{relation}" + (f" ({', '.join(said)})" if said else "")


def _to_json(offer: Offer) -> dict[str, Any]:
    field, fault = offer.field, offer.fault
    return {
        "name": field.name,
        "type": field.type,
        "label": field.label,
        "relation": field.relation or None,
        "stored": field.stored,
        "related": field.related or None,
        "translated": field.translated,
        "company_dependent": field.company_dependent,
        "live": offer.live,
        "selectable": fault is None,
        "why": fault and fault.message,
        "remedy": fault and fault.remedy,
    }


def _lines(model: Model, offers: Sequence[Offer]) -> Iterator[str]:
    good = [each for each in offers if each.fault is None]
    rows = [
        (
            each.field.name,
            _type(each.field),
            "read from Odoo" if each.live else _kept(each.field),
            each.field.label,
        )
        for each in good
    ]
    yield from columns([_HEADS, *rows])
    refused = [(each.field, each.fault) for each in offers if each.fault is not None]
    if refused:
        yield ""
        yield f"{len(refused)} fields of {model.name} cannot be selected:"
    for field, fault in refused:
        said = advised(fault.message, fault.remedy)
        yield f"  {field.name}: {_type(field)}, {_kept(field)}: {said}"
