"""A place in a syntax tree, where a node stands and another can be put."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A field of a node, or one of a list of them."""

    parent: ast.AST
    field: str
    index: int | None

    @property
    def line(self) -> int:
        """Line of what stands here, or of what is around it."""
        node = self.get()
        if isinstance(node, ast.match_case):
            return node.pattern.lineno
        line: int = getattr(node, "lineno", getattr(self.parent, "lineno", 1))
        return line

    def get(self) -> ast.AST:
        """What stands here."""
        value = getattr(self.parent, self.field)
        node = value if self.index is None else value[self.index]
        assert isinstance(node, ast.AST)
        return node

    def put(self, node: ast.AST | None) -> None:
        """Put ``node`` here; None takes away what stands here."""
        if self.index is None:
            setattr(self.parent, self.field, node)
        elif node is None:
            del getattr(self.parent, self.field)[self.index]
        else:
            getattr(self.parent, self.field)[self.index] = node


def places(node: ast.AST) -> Iterator[Place]:
    """The places of the children of ``node``, in the order of the source."""
    for field, value in ast.iter_fields(node):
        if isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, ast.AST):
                    yield Place(parent=node, field=field, index=index)
        elif isinstance(value, ast.AST):
            yield Place(parent=node, field=field, index=None)
