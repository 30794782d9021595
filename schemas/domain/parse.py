"""From what YAML gives to a Domain: Odoo's prefix notation, as a list or as a Python literal."""

from __future__ import annotations

import ast
import math
import re
import warnings
from collections.abc import Sequence
from typing import Any, Final

from schemas.domain.forms import (
    ANY,
    INEQUALITIES,
    NOT_ANY,
    OPERATORS,
    PATTERNS,
    WRAPPED,
    Always,
    And,
    BadDomain,
    Domain,
    Node,
    Not,
    Or,
    Scalar,
    Term,
    Value,
    shown,
)
from schemas.fields import nearest

_PATH: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_TERM_LENGTH: Final = 3
_DEEPEST: Final = 50  # levels of operators and of domains inside `any`
_LARGEST: Final = 2**63
_SYNONYMS: Final = {"==": "=", "<>": "!=", "=!": "!=", "=>": ">=", "=<": "<="}
_DATE: Final = (
    'Write a date: "2026-11-23". Records are asked when they change, never because a day goes by.'
)
_IN_PLACE_OF: Final = {
    "true": "Write True.",
    "false": "Write False.",
    "null": "Write False.",
    "uid": "Write the id of a user: nobody is logged in here.",
    "user": "Write the id of a user: nobody is logged in here.",
    "company_id": "Write the id of a company.",
    "company_ids": "Write the ids of companies.",
    "allowed_company_ids": "Write the ids of companies.",
    **dict.fromkeys(
        ("context_today", "current_date", "datetime", "now", "relativedelta", "time", "today"),
        _DATE,
    ),
}
_EXAMPLE: Final = 'Write [["state", "=", "sale"]].'
_JOINING: Final = {"&": 2, "|": 2, "!": 1}


def parse(value: Any) -> Domain:
    """Read a domain: a list, or a text that holds Odoo's Python literal. Raises BadDomain.

    Terms without operator between them are and-ed; an empty list matches every record.
    """
    return _domain(_literal(value) if isinstance(value, str) else value, "", 0)


def _literal(text: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\%" is no escape in Python, but one in LIKE
            tree = ast.parse(text.strip(), mode="eval")
        names = {node.id: None for node in ast.walk(tree) if isinstance(node, ast.Name)}
        if not names:
            return ast.literal_eval(tree)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise BadDomain(
            f"{shown(text)} is no Python literal",
            hint="Write a list with texts, numbers, True and False: [('state', '=', 'sale')].",
        ) from None
    name = next(iter(names))
    raise BadDomain(
        f"{shown(text)} holds the name {name}, which means something only inside Odoo",
        hint=_IN_PLACE_OF.get(name, f"Write a value in place of {name}."),
    )


def _domain(value: Any, place: str, depth: int) -> Domain:
    if not isinstance(value, list | tuple):
        raise BadDomain(f"{shown(value)} is no list of terms", hint=_EXAMPLE)
    if value and all(isinstance(each, str) and each not in _JOINING for each in value[:2]):
        raise BadDomain(
            f"{shown(value)} is a term, not a list of terms", hint=f"Write [{shown(value)}]."
        )
    stack: list[Node] = []
    for index in reversed(range(len(value))):
        token = value[index]
        if isinstance(token, str):
            stack.append(_joined(token, stack, value))
        else:
            stack.append(_term(token, f"{place}[{index}]", depth))
    stack.reverse()
    root = stack[0] if len(stack) == 1 else And(tuple(stack))
    if _depth(root) > _DEEPEST:
        raise BadDomain(
            f"operators are nested more than {_DEEPEST} levels deep",
            hint="Use `in` with a list in place of many terms.",
        )
    return Domain(root)


def _joined(token: str, stack: list[Node], domain: Sequence[Any]) -> Node:
    wanted = _JOINING.get(token)
    if wanted is None:
        words = {"and": "&", "or": "|", "not": "!", "&&": "&", "||": "|"}
        meant = words.get(token.strip().lower(), "")
        raise BadDomain(
            f'{shown(token)} is neither a term nor one of "&", "|", "!"',
            hint=f'Write "{meant}" before its terms.' if meant else _EXAMPLE,
        )
    if len(stack) < wanted:
        terms = "two terms" if wanted > 1 else "a term"
        raise BadDomain(
            f'"{token}" stands before {terms}; {shown(domain)} has {len(stack) or "none"} there',
            hint=f'Write {terms} after "{token}", or leave it out.',
        )
    first = stack.pop()
    if token == "!":  # noqa: S105  an operator, no password
        return first.operand if isinstance(first, Not) else Not(first)
    kind = And if token == "&" else Or  # noqa: S105  an operator, no password
    # Long chains of one operator stay flat: their depth is not the reader's.
    return kind((*_operands(first, kind), *_operands(stack.pop(), kind)))


def _operands(node: Node, kind: type[And | Or]) -> tuple[Node, ...]:
    return node.operands if isinstance(node, kind) else (node,)


def _depth(root: Node) -> int:
    """Count levels, those of domains inside `any` included, without recursion."""
    depth, level = 0, [root]
    while level:
        depth += 1
        inside: list[Node] = []
        for node in level:
            if isinstance(node, Term) and isinstance(node.value, Domain):
                inside.append(node.value.root)
            elif isinstance(node, Not):
                inside.append(node.operand)
            elif isinstance(node, And | Or):
                inside += node.operands
        level = inside
    return depth


def _term(token: Any, place: str, depth: int) -> Node:
    if not isinstance(token, list | tuple) or len(token) != _TERM_LENGTH:
        raise BadDomain(
            f"{shown(token)} is no term: a term is a field, an operator and a value",
            hint='Write ["state", "=", "sale"].',
        )
    path, operator, value = token
    if _is_number(path):
        return _always(token)
    if not isinstance(path, str) or not _PATH.fullmatch(path):
        raise BadDomain(
            f"{shown(token)}: {shown(path)} is no field",
            hint="Write a field, or a path through relations: partner_id.country_id.code.",
        )
    operator = _operator(operator, token)
    if operator in {ANY, NOT_ANY}:
        if depth >= _DEEPEST:
            raise BadDomain(
                f"`any` is nested more than {_DEEPEST} levels deep",
                hint="Write a path in place of an `any` with one term: partner_id.country_id.",
            )
        inside = _inside(value, token, f"{place}[2]", depth + 1)
        return Term(path, operator, inside, shown(token), place)
    return _compared(path, operator, _value(value, token), token, place)


def _always(token: Sequence[Any]) -> Always:
    if token[1] == "=" and _is_number(token[2]) and token[0] in {0, 1} and token[2] == 1:
        return Always(token[0] == 1)
    raise BadDomain(
        f"{shown(token)} compares two numbers",
        hint='Write a field first; [1, "=", 1] matches every record, [0, "=", 1] none.',
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _operator(written: Any, token: Sequence[Any]) -> str:
    if isinstance(written, str):
        if written in OPERATORS:
            return written
        if written == "<>":
            return "!="
        near = _SYNONYMS.get(written) or nearest(" ".join(written.lower().split()), [*OPERATORS])
        if near:
            raise BadDomain(
                f"{shown(token)}: {shown(written)} is no operator", hint=f'Did you mean "{near}"?'
            )
    raise BadDomain(
        f"{shown(token)}: {shown(written)} is no operator",
        hint=f"Known: {', '.join(sorted(OPERATORS))}.",
    )


def _inside(value: Any, token: Sequence[Any], place: str, depth: int) -> Domain:
    if not isinstance(value, list | tuple):
        raise BadDomain(
            f"{shown(token)}: `{token[1]}` takes a domain",
            hint='Write ["order_line", "any", [["product_id", "!=", false]]].',
        )
    return _domain(value, place, depth)


def _compared(path: str, operator: str, value: Value, token: Sequence[Any], place: str) -> Term:
    listed = isinstance(value, tuple)
    if operator in {"in", "not in"} and not listed:
        raise BadDomain(
            f"{shown(token)}: `{operator}` takes a list",
            hint=f"Write {shown([path, operator, [value]])}.",
        )
    if operator in {"=", "!="} and listed:  # Odoo reads it so
        operator = "in" if operator == "=" else "not in"
    elif listed and (operator in INEQUALITIES or operator in PATTERNS or operator == "=?"):
        raise BadDomain(
            f"{shown(token)}: `{operator}` takes one value, not a list",
            hint='Write a term for each value, with "|" before them.',
        )
    if isinstance(value, bool) and operator in (INEQUALITIES | PATTERNS):
        _refuse_flag(operator, value, token)
    return Term(path, operator, value, shown(token), place)


def _refuse_flag(operator: str, value: bool, token: Sequence[Any]) -> None:  # noqa: FBT001  data
    if value or operator not in WRAPPED:  # `ilike False` is Odoo's search for nothing at all
        raise BadDomain(
            f"{shown(token)}: `{operator}` does not compare with {value}",
            hint=f"Write a value; for records without one, {shown([token[0], '=', False])}.",
        )


def _value(value: Any, token: Sequence[Any]) -> Value:
    if isinstance(value, list | tuple):
        return tuple(_scalar(each, token) for each in value)
    return _scalar(value, token)


def _scalar(value: Any, token: Sequence[Any]) -> Scalar:
    match value:
        case None:
            return False
        case bool() | str():
            return value
        case int() if -_LARGEST <= value < _LARGEST:
            return value
        case float() if math.isfinite(value):
            return value
        case _:
            raise BadDomain(
                f"{shown(token[:2])}: this value cannot be compared with",
                hint="Write a text, a number, true, false, or a list of them.",
            )
