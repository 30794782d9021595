"""`odoo-cdc shadow-run --compare`: another program's lines beside those of a shadow run."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

from schemas import message
from schemas.errors import BadUsage, NothingFound
from streams.commands.names import missing
from streams.commands.showing import pair
from streams.queries.prose import table
from streams.shadow_run.comparison import Comparison, Kind, Lines, Terms, Verdict, lines_in
from streams.shadow_run.sameness import ALL, MISSING, Leniency
from streams.shadow_run.states import Form, State, UnreadableLine, form_of, parse, reader

_SHOWN: Final = 20  # differences, for people
_EVERYTHING: Final = "all"
_TIME: Final = "2026-11-23T10:00:00Z"


class BadComparison(BadUsage):
    """It is not said what to compare."""

    hint = "`odoo-cdc shadow-run --help` shows an example."


class NothingCompared(NothingFound):
    """Neither file has a line to compare."""

    hint = (
        "Leave out --route, --target, --until or --old-where, or let `odoo-cdc shadow-run` write"
        " lines first."
    )


class Group(Protocol):
    """What takes arguments."""

    def add_argument(self, *names: str, **how: Any) -> Any:
        """Declare one."""


def configure(group: Group) -> None:
    """Declare the arguments."""
    group.add_argument(
        "--compare", type=Path, metavar="OLD.jsonl", help="lines of the other program"
    )
    for name, what, usual in (
        ("id", "the record's id", "res_id, record_id, odoo_id or id"),
        ("model", "its model", "model, res_model or model_name, where there is one"),
        ("fields", "its fields", "fields, data, payload, values or vals, else the whole line"),
        ("operation", "what is to be done", "operation, action, method or event"),
    ):
        group.add_argument(
            f"--old-{name}", metavar="PATH", help=f"where {what} stands (default: {usual})"
        )
    group.add_argument(
        "--old-where",
        action="append",
        metavar="PATH=VALUE",
        help="only lines of the other program where this stands",
    )
    group.add_argument(
        "--rename", action="append", metavar="OLD=OURS", help="a field with another name there"
    )
    group.add_argument(
        "--ignore", action="append", metavar="FIELD", help="leave a field out: lines.sequence"
    )
    group.add_argument("--route", action="append", metavar="NAME", help="our lines of this route")
    group.add_argument(
        "--target", action="append", metavar="NAME", help="our lines for this target"
    )
    group.add_argument("--until", metavar="TIME", help=f"our lines of commits until then: {_TIME}")
    group.add_argument(
        "--every",
        action="store_true",
        help="each state that the other program sent must be among ours, in its order"
        " (default: the last states are compared)",
    )
    group.add_argument(
        "--common",
        action="store_true",
        help="records that one side alone has are counted, and are no difference",
    )
    names = ", ".join(sorted(Leniency))
    group.add_argument(
        "--strict",
        action="append",
        nargs="?",
        const=_EVERYTHING,
        choices=[*sorted(Leniency), _EVERYTHING],
        metavar="WHAT",
        help=f"take nothing for the same that is written otherwise, or only WHAT not: {names}",
    )
    group.add_argument(
        "--last",
        type=int,
        metavar="N",
        help=f"show the latest N records that differ (default: {_SHOWN}, with --json all)",
    )


def run(args: argparse.Namespace, file: Path) -> int:
    """Compare, and print counts, then differences: 0 where all is equal, 1 where not.

    Raises UnreadableLine and BadComparison (2), NothingCompared (1).
    """
    form, terms = _form(args), _terms(args)
    old = Lines.open(args.compare, reader(form))
    with closing(old.file):
        ours = Lines.open(file, reader(), growing=True)
        with closing(ours.file):
            _index(args, old, ours)
            comparison = Comparison(old, ours, terms)
            comparison.run()
            if not comparison.counts:
                raise NothingCompared("there is nothing to compare")
            for piece in (_json if args.json else _text)(args, comparison, form):
                print(piece.encode(errors="backslashreplace").decode(), end="")
    return 1 if comparison.differing else 0


def _form(args: argparse.Namespace) -> Form:
    """Return where things stand in the other program's lines, as its first line has them."""
    try:
        with args.compare.open("rb") as file:
            lines = ((number, line) for number, _, line in lines_in(file) if line.strip())
            number, first = next(lines, (1, b""))
    except OSError as error:
        raise UnreadableLine(f"{args.compare}: {error.strerror}", hint="Name a file.") from error
    if not first:
        raise UnreadableLine(f"{args.compare} is empty")
    asked = {
        "id": args.old_id,
        "model": args.old_model,
        "fields": args.old_fields,
        "operation": args.old_operation,
    }
    try:
        said = parse(first)
        if not isinstance(said, dict):
            raise ValueError("it is no object")  # noqa: TRY004, TRY301  of a file, not a type
        form = form_of(said, asked)
    except ValueError as error:
        raise UnreadableLine(f"{args.compare}:{number}: {error}") from error
    where = tuple(_halves("--old-where", each) for each in args.old_where or ())
    renamed = dict(_halves("--rename", each) for each in args.rename or ())
    return replace(form, where=where, renamed=renamed)


def _terms(args: argparse.Namespace) -> Terms:
    strict = set(args.strict or ())
    lenient = frozenset() if _EVERYTHING in strict else ALL - {Leniency(each) for each in strict}
    return Terms(lenient, frozenset(args.ignore or ()), args.every, args.common)


def _index(args: argparse.Namespace, old: Lines, ours: Lines) -> None:
    """Find the records of both; ours are of one route for each model."""
    until = _moment(args.until)
    routes: dict[str, set[str]] = {}
    seen = {"route": set[str](), "target": set[str]()}

    def is_ours(state: State) -> bool:
        seen["route"].add(state.route)
        seen["target"].add(state.target)
        wanted = (
            (not args.route or state.route in args.route)
            and (not args.target or state.target in args.target)
            and (until is None or datetime.fromisoformat(state.time) <= until)
        )
        if wanted:
            routes.setdefault(state.model, set()).add(state.route)
        return wanted

    ours.index(is_ours, every=args.every)
    for kind, asked in (("route", args.route), ("target", args.target)):
        for name in (each for each in asked or () if each not in seen[kind]):
            said = missing(kind, name, sorted(seen[kind])).replace("the file", str(ours.path))
            raise BadComparison(said, hint=f"Name a {kind} that it has lines of.")
    for model, names in routes.items():
        if len(names) > 1:
            raise BadComparison(
                f"{model} has lines of the routes {', '.join(sorted(names))}",
                hint="Compare one of them: --route NAME.",
            )
    _index_old(old, sorted(routes), every=args.every)


def _index_old(old: Lines, models: list[str], *, every: bool) -> None:
    only = models[0] if len(models) == 1 else ""

    def is_asked(state: State) -> bool:
        if not state.model and not only and models:
            raise BadComparison(
                f"our lines are of {', '.join(models)}, and those of {old.path} do not say which",
                hint="Name one of our routes with --route, or where the model stands with"
                " --old-model.",
            )
        return not state.model or not models or state.model in models

    old.index(is_asked, every=every, model=only)


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        moment = None
    if text and (moment is None or moment.tzinfo is None):
        raise BadComparison(f"--until {text} is no time", hint=f"Write --until {_TIME}.")
    return moment


def _halves(option: str, text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (name and sign and value):
        raise BadComparison(
            f"{option} {text}: there is no =", hint=f"Write {option} {text or 'a'}=..."
        )
    return name, value


def _shown(args: argparse.Namespace, comparison: Comparison, usual: int | None) -> list[Verdict]:
    last = usual if args.last is None else max(0, args.last)
    keys = comparison.differing
    return [comparison.verdict(key) for key in keys[len(keys) - min(last or 0, len(keys)) :]]


def _text(args: argparse.Namespace, comparison: Comparison, form: Form) -> Iterator[str]:
    counts = comparison.counts
    yield f"{counts.total()} records compared; old lines: {form.words()}\n\n"
    heads = [kind.value.replace("_", " ") for kind in Kind]
    yield table(heads, [[str(counts[kind]) for kind in Kind]]) + "\n"
    if comparison.by_field:
        rows = [[name, str(number)] for name, number in comparison.fields().items()]
        yield "\n" + table(["field", "differs in"], rows) + "\n"
    shown = _shown(args, comparison, _SHOWN)
    for each in shown:
        yield "\n" + "\n".join(_lines(each)) + "\n"
    if left := len(comparison.differing) - len(shown):
        yield f"\n{left} more records differ: --last {len(comparison.differing)}, or --json\n"


def _lines(verdict: Verdict) -> Iterator[str]:
    model, record = verdict.key
    about = [verdict.kind.value.replace("_", " "), verdict.why]
    yield f"{model or 'record'} {record}  {verdict.name}".rstrip()
    if not verdict.fields:
        yield f"  {': '.join(filter(None, about))}"
    for path, old, ours in verdict.fields:
        yield from pair(path, _value(old), _value(ours))


def _value(value: Any) -> str:
    return "(missing)" if value is MISSING else message.encode(value)


def _json(args: argparse.Namespace, comparison: Comparison, form: Form) -> Iterator[str]:
    head = {
        "records": comparison.counts.total(),
        "counts": {kind.value: comparison.counts[kind] for kind in Kind},
        "by_field": comparison.fields(),
        "old": {name: getattr(form, name) for name in ("id", "model", "fields", "operation")},
    }
    yield message.encode(head)[:-1] + ',"differences":['
    last = len(comparison.differing) if args.last is None else max(0, args.last)
    keys = comparison.differing[max(0, len(comparison.differing) - last) :]
    for place, key in enumerate(keys):
        yield ("," if place else "") + message.encode(_difference(comparison.verdict(key)))
    yield "]}\n"


def _difference(verdict: Verdict) -> dict[str, Any]:
    return {
        "model": verdict.key[0],
        "record": verdict.key[1],
        "kind": verdict.kind.value,
        "why": verdict.why,
        "id": verdict.name,
        "fields": [
            {"field": path} | _sides(old=old, ours=ours) for path, old, ours in verdict.fields
        ],
    }


def _sides(**values: Any) -> dict[str, Any]:
    """Return the values that there are."""
    return {name: value for name, value in values.items() if value is not MISSING}
