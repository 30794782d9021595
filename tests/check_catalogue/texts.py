"""What a text in the source can say: an expression as the pieces that are known of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from types import ModuleType
from typing import Final

Text = tuple[str | None, ...]  # None stands for anything
ANYTHING: Final[Text] = (None,)
_MOST: Final = 500  # combinations of one text


def own(function: ast.AST) -> Iterator[ast.AST]:
    """Give the nodes of a function without those of the functions in it."""
    for node in ast.iter_child_nodes(function):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
            yield from own(node)


def name_of(node: ast.expr) -> str:
    """Return the name of what is called or given a value, without what stands before its dot."""
    return getattr(node, "id", "") or getattr(node, "attr", "")


@dataclass(slots=True)
class Scope:
    """What names mean in a line of a function, or of the module itself."""

    module: ModuleType
    function: ast.AST
    line: int
    open: set[str] = field(default_factory=set)

    def texts(self, node: ast.expr) -> list[Text]:
        """Return what an expression can say."""
        match node:
            case ast.JoinedStr(values=values):
                return self._joined(values)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._joined([left, right])
            case ast.FormattedValue(value=value, format_spec=None, conversion=-1):
                return [text if any(text) else ANYTHING for text in self.texts(value)]
            case ast.IfExp(body=body, orelse=otherwise):
                return [*self.texts(body), *self.texts(otherwise)]
            case ast.BoolOp(values=values):
                return [text for value in values for text in self.texts(value)]
            case _:
                return self._plain(node)

    def _plain(self, node: ast.expr) -> list[Text]:
        match node:
            case ast.Constant(value=str(text)):
                return [(text,)]
            case ast.Name(id=name):
                return self._named(name)
            case ast.Attribute(value=ast.Name(id=name), attr=attribute):
                found = getattr(vars(self.module).get(name), attribute, None)
                return [(found,)] if isinstance(found, str) else [ANYTHING]
            case _:
                return [ANYTHING]

    def _joined(self, values: list[ast.expr]) -> list[Text]:
        each = [self.texts(value) for value in values]
        found = [tuple(part for text in texts for part in text) for texts in product(*each)]
        assert len(found) <= _MOST, ast.unparse(values[0])
        return found

    def _named(self, name: str) -> list[Text]:
        given = self._given(name)
        if given and name not in self.open:
            self.open.add(name)
            found = [text for value in given for text in self.texts(value)]
            self.open.discard(name)
            return found
        text = vars(self.module).get(name)
        return [(text,)] if isinstance(text, str) and not self._is_local(name) else [ANYTHING]

    def _given(self, name: str) -> list[ast.expr]:
        """Return what a name may stand for.

        That is what it was given last in a block around the line, else all that it is given.
        """
        for node in own(self.function):  # if (name := ...):
            if isinstance(node, ast.If) and _spans(node.body, self.line):
                found = [value for each in ast.walk(node.test) for value in _assigned(each, name)]
                if found:
                    return found
        around = [block for block in _blocks(self.function) if _spans(block, self.line)]
        for block in reversed(around):
            before = [each for each in block if (each.end_lineno or 0) < self.line]
            found = [value for each in before for value in _assigned(each, name)]
            if found:
                return found[-1:]
        if self._is_local(name):
            return []
        return [value for node in own(self.function) for value in _assigned(node, name)]

    def _is_local(self, name: str) -> bool:
        arguments = getattr(self.function, "args", None)
        if not isinstance(arguments, ast.arguments):  # the module itself
            return False
        every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
        return name in {each.arg for each in every}


def _blocks(function: ast.AST) -> Iterator[list[ast.stmt]]:
    """Give all lists of statements, outer ones first."""
    for node in (function, *own(function)):
        for part in ("body", "orelse", "finalbody"):
            block = getattr(node, part, None)
            if isinstance(block, list):
                yield block


def _spans(block: list[ast.stmt], line: int) -> bool:
    return bool(block) and block[0].lineno <= line <= (block[-1].end_lineno or 0)


def _assigned(node: ast.AST, name: str) -> Iterator[ast.expr]:
    """Give what a node itself assigns to a name."""
    match node:
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
            pairs = zip(targets, values, strict=True)
            yield from (value for target, value in pairs if name_of(target) == name)
        case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
            yield value
        case ast.NamedExpr(target=ast.Name(id=target), value=value) if target == name:
            yield value
        case _:
            pass
