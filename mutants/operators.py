"""The ways to break a piece of code: from a node of the syntax tree to what may stand there."""

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from mutants import exclusions
from mutants.names import Vocabulary, aliases, identifiers, twin
from mutants.operands import constants, operators
from mutants.place import Place, places


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One change of a tree."""

    family: str
    place: Place
    new: ast.AST | None
    """None: taken away."""

    @property
    def line(self) -> int:
        """Where it is."""
        return self.place.line

    @property
    def change(self) -> str:
        """For people."""
        if self.family == "element" and self.new is not None:
            return f"without {_dropped(self.place.get(), self.new)}"
        after = "nothing" if self.new is None else _text(self.new)
        return f"{_text(self.place.get())} -> {after}"

    def make(self) -> None:
        """Change the tree."""
        self.place.put(self.new)


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What is around a node."""

    function: ast.FunctionDef | None = None
    in_annotation: bool = False
    in_dataclass: bool = False
    in_text: bool = False
    parent: ast.AST | None = None

    @property
    def in_function(self) -> bool:
        """False in the body of a module or a class."""
        return self.function is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Knowledge:
    """What is known of the module."""

    members: dict[str, tuple[str, ...]]
    identifiers: frozenset[str]


def edits(tree: ast.Module, vocabulary: Vocabulary) -> Iterator[Edit]:
    """Every edit of ``tree``, in a fixed order."""
    known = _Knowledge(members=aliases(tree, vocabulary), identifiers=identifiers(tree))
    for place in places(tree):
        yield from _walk(place, Where(parent=tree), known)


def _walk(place: Place, where: Where, known: _Knowledge) -> Iterator[Edit]:
    node = place.get()
    at_module_level = isinstance(where.parent, ast.Module)
    if exclusions.is_left_out(node, at_module_level=at_module_level):
        return
    where = _inside(place, node, where)
    if not where.in_annotation:
        for family, new in _changes(place, node, where, known):
            yield Edit(family=family, place=place, new=new)
    inner = replace(where, parent=node)
    if isinstance(node, ast.Raise):
        return  # its text
    for child in places(node):
        if place.field != "decorator_list":
            yield from _walk(child, inner, known)


def _inside(place: Place, node: ast.AST, where: Where) -> Where:
    if place.field in {"annotation", "returns"} or exclusions.is_type(node):
        where = replace(where, in_annotation=True)
    elif (
        where.in_annotation
        and not where.in_dataclass
        and (
            (isinstance(node, ast.Call) and _is_named(node.func, "Field"))
            or _is_literal(where.parent)
        )
    ):
        where = replace(where, in_annotation=False)
    if isinstance(node, ast.ClassDef):
        where = replace(where, in_dataclass=exclusions.is_dataclass(node))
    if exclusions.is_text_argument(node) or exclusions.is_text_variable(node):
        where = replace(where, in_text=True)
    if isinstance(node, ast.FunctionDef):
        where = replace(where, function=node)
    return where


def _changes(
    place: Place, node: ast.AST, where: Where, known: _Knowledge
) -> Iterator[tuple[str, ast.AST | None]]:
    for family, find in _FAMILIES:
        for new in find(place, node, where, known):
            yield family, new


Finder = Callable[[Place, ast.AST, Where, _Knowledge], Iterator[ast.AST | None]]


def _operators(
    _place: Place, node: ast.AST, where: Where, _known: _Knowledge
) -> Iterator[ast.AST | None]:
    if where.in_function or not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr)):
        yield from operators(node)


def _constants(
    _place: Place, node: ast.AST, where: Where, _known: _Knowledge
) -> Iterator[ast.AST | None]:
    if isinstance(node, ast.Constant) and not (where.in_text and isinstance(node.value, str)):
        yield from constants(node)


def _conditions(
    place: Place, node: ast.AST, _where: Where, _known: _Knowledge
) -> Iterator[ast.AST | None]:
    """A condition that always holds, and one that never does."""
    if place.field in {"test", "ifs", "guard"} and not isinstance(place.parent, ast.Assert):
        if not (isinstance(node, ast.Constant) and node.value is True):
            yield ast.Constant(value=True)
        yield ast.Constant(value=False)
    if isinstance(node, ast.Assert):
        yield ast.Pass()


def _returns(
    _place: Place, node: ast.AST, where: Where, _known: _Knowledge
) -> Iterator[ast.AST | None]:
    if not isinstance(node, ast.Return) or node.value is None or where.function is None:
        return
    if isinstance(node.value, ast.Constant):
        return  # changed as a constant
    returned = where.function.returns
    if returned is not None and _is_named(returned, "bool"):
        yield ast.Return(value=ast.UnaryOp(op=ast.Not(), operand=node.value))
    else:
        yield ast.Return(value=ast.Constant(value=None))


def _statements(
    place: Place, node: ast.AST, where: Where, _known: _Knowledge
) -> Iterator[ast.AST | None]:
    """A statement less."""
    if where.function is None or place.index is None:
        return
    if isinstance(node, ast.Expr | ast.Raise | ast.AugAssign | ast.Continue | ast.Break) or (
        isinstance(node, ast.Assign) and _is_assigned_elsewhere(node, where.function)
    ):
        yield ast.Pass()


def _is_assigned_elsewhere(node: ast.Assign, function: ast.FunctionDef) -> bool:
    """Otherwise the name would not exist, and any test would see it."""
    stored = [
        n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    ]
    stored += [arg.arg for arg in (*function.args.args, *function.args.kwonlyargs)]
    for target in node.targets:
        names = target.elts if isinstance(target, ast.Tuple) else [target]
        for name in names:
            if isinstance(name, ast.Name) and stored.count(name.id) < 2:
                return False
    return True


def _elements(
    place: Place, node: ast.AST, where: Where, _known: _Knowledge
) -> Iterator[ast.AST | None]:
    """An element less: a row of a table, a member of a set, a part of a sequence."""
    if isinstance(node, ast.Dict):
        for index in range(len(node.values)):
            fewer = copy.deepcopy(node)
            del fewer.keys[index], fewer.values[index]
            yield fewer
    elif isinstance(node, ast.Set | ast.Tuple | ast.List) and _is_collection(place, node, where):
        for index in range(len(node.elts)):
            fewer_elements = copy.deepcopy(node)
            del fewer_elements.elts[index]
            is_empty_set = isinstance(fewer_elements, ast.Set) and not fewer_elements.elts
            yield ast.parse("frozenset()").body[0].value if is_empty_set else fewer_elements  # type: ignore[attr-defined]


def _is_collection(place: Place, node: ast.Set | ast.Tuple | ast.List, where: Where) -> bool:
    """Not a target, not the cells of a row, not two values that are returned together."""
    if isinstance(node, ast.Set):
        return True
    if isinstance(node.ctx, ast.Store) or place.field in {"slice", "targets", "target"}:
        return _is_literal(where.parent)
    if any(isinstance(element, ast.Starred) for element in node.elts):
        return True
    if all(isinstance(element, ast.Tuple | ast.Call) for element in node.elts):
        return True
    in_table = isinstance(where.parent, ast.Tuple | ast.List | ast.Return)
    return not in_table and place.field in {"iter", "comparators"}


def _cases(
    place: Place, node: ast.AST, _where: Where, _known: _Knowledge
) -> Iterator[ast.AST | None]:
    if isinstance(node, ast.match_case):
        assert isinstance(place.parent, ast.Match)
        if len(place.parent.cases) > 1:
            yield None
    elif isinstance(node, ast.MatchOr):
        for pattern in node.patterns:
            others = [other for other in node.patterns if other is not pattern]
            yield others[0] if len(others) == 1 else ast.MatchOr(patterns=others)


def _calls(
    _place: Place, node: ast.AST, _where: Where, _known: _Knowledge
) -> Iterator[ast.AST | None]:
    """min for max, any for all; and a step less: what narrows, clamps or makes absolute."""
    if not isinstance(node, ast.Call):
        return
    if isinstance(node.func, ast.Name):
        other = {"min": "max", "max": "min", "any": "all", "all": "any"}.get(node.func.id)
        if other is not None:
            yield ast.Call(
                func=ast.Name(id=other, ctx=ast.Load()), args=node.args, keywords=node.keywords
            )
        if node.func.id in {"abs", "round", "sorted", "set", "reversed"} and node.args:
            yield node.args[0]
        if node.func.id in {"min", "max"} and len(node.args) > 1:
            yield from node.args
    elif isinstance(node.func, ast.Attribute):
        if node.func.attr == "intersect":
            yield node.func.value
        elif node.func.attr in {"clamp", "narrow"}:
            yield next(a for a in node.args if not _is_named(a, "unit")) if node.args else None


def _slices(
    _place: Place, node: ast.AST, _where: Where, _known: _Knowledge
) -> Iterator[ast.AST | None]:
    if isinstance(node, ast.Slice):
        for bound in ("lower", "upper", "step"):
            if getattr(node, bound) is not None:
                wider = copy.copy(node)
                setattr(wider, bound, None)
                yield wider


def _names(
    place: Place, node: ast.AST, _where: Where, known: _Knowledge
) -> Iterator[ast.AST | None]:
    """Another member of the same enumeration, or the twin: charge for discharge."""
    if isinstance(node, ast.Attribute):
        if isinstance(node.value, ast.Name) and node.value.id in known.members:
            members = known.members[node.value.id]
            if node.attr in members and len(members) > 1:
                following = members[(members.index(node.attr) + 1) % len(members)]
                yield ast.Attribute(value=node.value, attr=following, ctx=ast.Load())
        elif isinstance(node.ctx, ast.Load):
            other = twin(node.attr, known.identifiers)
            if other is not None:
                yield ast.Attribute(value=node.value, attr=other, ctx=ast.Load())
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and place.field != "func":
        other = twin(node.id, known.identifiers)
        if other is not None:
            yield ast.Name(id=other, ctx=ast.Load())


def _decorators(
    place: Place, node: ast.AST, _where: Where, _known: _Knowledge
) -> Iterator[ast.AST | None]:
    if (
        place.field == "decorator_list"
        and isinstance(node, ast.expr)
        and not exclusions.is_skipped_decorator(node)
    ):
        yield None


_FAMILIES: tuple[tuple[str, Finder], ...] = (
    ("operator", _operators),
    ("constant", _constants),
    ("condition", _conditions),
    ("return", _returns),
    ("statement", _statements),
    ("element", _elements),
    ("case", _cases),
    ("call", _calls),
    ("slice", _slices),
    ("name", _names),
    ("decorator", _decorators),
)

FAMILIES = tuple(family for family, _ in _FAMILIES)


def _is_named(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _is_literal(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Subscript) and _is_named(node.value, "Literal")


def _dropped(before: ast.AST, after: ast.AST) -> str:
    """The first element that only ``before`` has."""
    left = _elements_of(after)
    for index, text in enumerate(_elements_of(before)):
        if left[index : index + 1] != [text]:
            return text
    raise AssertionError("nothing was dropped")


def _elements_of(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Dict):
        return [
            f"**{_text(value)}" if key is None else f"{_text(key)}: {_text(value)}"
            for key, value in zip(node.keys, node.values, strict=True)
        ]
    return [_text(element) for element in getattr(node, "elts", [])]


def _text(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 160 else f"{text[:120]} ... {text[-36:]}"
