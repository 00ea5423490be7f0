"""What is not mutated, and why."""

import ast

TEXT_ARGUMENTS = frozenset({"text", "source", "detail", "reason", "meaning"})
TEXT_VARIABLES = frozenset({"detail", "reason", "text", "message", "word", "beyond", "clearing"})
GENERIC = frozenset(
    {
        "Callable", "Collection", "Iterable", "Iterator", "Mapping", "Sequence", "TypeAdapter",
        "dict", "frozenset", "list", "set", "tuple", "type", "Any",
    }
)  # fmt: skip

EXCLUDED = {
    "docstrings": "they do nothing",
    "type annotations": "mypy checks them; but Field(...) and Literal[...] in them are mutated, "
    "since pydantic acts on them, not so in a dataclass",
    "imports and __all__": "a wrong one cannot be imported",
    "texts": "f-strings, strings with a space, and what is named text, source, detail, reason, "
    "message or meaning is for people; that it names the value and the limit is tested by example",
    "arguments of a raised exception": "a text; that it is raised is mutated",
    "assert at module level": "it judges a table when the module is imported, so that removing it "
    "changes nothing as long as the table is right; a wrong table is refused by it, which shows "
    "as stillborn. The functions _check_table are mutated.",
    "dataclass, property, classmethod decorators": "tests/test_style.py demands the first; without "
    "the others nothing runs",
    "strict=True of zip": "an assertion, that both are as long; while they are it changes nothing",
    "assert_never": "mypy proves that it is never reached",
    "type aliases": "as annotations",
}
"""Reasons, for people; the functions below do it."""


def is_docstring(node: ast.AST) -> bool:
    """A string that stands alone, or dots."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str | type(...))
    )


def is_dataclass(node: ast.ClassDef) -> bool:
    """A class that nothing checks while it runs."""
    return any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)


def is_type(node: ast.AST) -> bool:
    """``Mapping[str, int]``, or a union of types."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.value, ast.Name) and node.value.id in GENERIC
    return False


def is_assert_never(node: ast.AST) -> bool:
    """``case _: assert_never(...)``."""
    if isinstance(node, ast.match_case):
        return len(node.body) == 1 and is_assert_never(node.body[0])
    if isinstance(node, ast.Expr):
        return is_assert_never(node.value)
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "assert_never"
    )


def is_dunder_all(node: ast.AST) -> bool:
    """``__all__ = [...]``."""
    return (
        isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == "__all__"
    )


def is_strict(node: ast.AST) -> bool:
    """``zip(..., strict=True)``."""
    return isinstance(node, ast.keyword) and node.arg == "strict"


def is_text_argument(node: ast.AST) -> bool:
    """``text="..."``."""
    return isinstance(node, ast.keyword) and node.arg in TEXT_ARGUMENTS


def is_text_variable(node: ast.AST) -> bool:
    """``detail = "..."``."""
    return (
        isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in TEXT_VARIABLES
    )


def is_skipped_decorator(node: ast.expr) -> bool:
    """One whose removal proves nothing."""
    name = node.func if isinstance(node, ast.Call) else node
    return isinstance(name, ast.Name) and name.id in {
        "cache",
        "classmethod",
        "dataclass",
        "property",
        "staticmethod",
    }


def is_left_out(node: ast.AST, *, at_module_level: bool) -> bool:
    """True if neither ``node`` nor anything in it is mutated."""
    return (
        isinstance(node, ast.Import | ast.ImportFrom | ast.JoinedStr)
        or (at_module_level and isinstance(node, ast.Assert))
        or is_docstring(node)
        or is_assert_never(node)
        or is_dunder_all(node)
        or is_strict(node)
    )


def is_text(value: str) -> bool:
    """A string with a space is a text for people."""
    return " " in value
