"""The kinds of an expression's parts are found before it is used, and what does not fit is told."""

import difflib
import math
from collections.abc import Mapping

from lark import Token, Tree

from holdfast.core.errors import ConfigError
from holdfast.core.texts import MAX_NAME, shown
from holdfast.scheduling.rules.fact_table import FactKind, FactRow

MAX_NUMBER = 1e12
_WITH_TWO = {"conditionalor", "conditionaland", "relation", "addition", "multiplication"}
_COMPARED = {"relation_lt", "relation_le", "relation_gt", "relation_ge"}
_EQUAL = {"relation_eq", "relation_ne"}
_SIGNS = {
    "relation_lt": "<", "relation_le": "<=", "relation_gt": ">", "relation_ge": ">=",
    "relation_eq": "==", "relation_ne": "!=", "relation_in": "in", "conditionalor": "||",
    "conditionaland": "&&", "addition_add": "+", "addition_sub": "-", "multiplication_mul": "*",
    "multiplication_div": "/", "unary_not": "!", "unary_neg": "-",
}  # fmt: skip
FUNCTIONS = {"min": 2, "max": 2, "abs": 1}
"""What may be called, with the number of its arguments, which are numbers."""
_NUMBERS = ("INT_LIT", "FLOAT_LIT")
_KINDS = {
    "INT_LIT": FactKind.NUMBER,
    "FLOAT_LIT": FactKind.NUMBER,
    "STRING_LIT": FactKind.TEXT,
    "BOOL_LIT": FactKind.TRUTH,
}
A_KIND = {
    FactKind.NUMBER: "a number",
    FactKind.TRUTH: "true or false",
    FactKind.TEXT: "a text",
}


class KindReader:
    """Finds the kind of each part, and what is used; makes each number one with a fraction."""

    def __init__(self, rows: Mapping[str, FactRow], text: str) -> None:
        self._rows, self._text = rows, text
        self.names: set[str] = set()
        self.numbers: set[float] = set()
        self.texts: set[str] = set()

    def kind_of(self, tree: "Tree[Token]") -> FactKind:
        """Returns the kind of what ``tree`` becomes. Raises ConfigError."""
        rule, children = str(tree.data), tree.children
        if rule in {"literal", "ident", "ident_arg"}:
            return self._leaf(rule, tree)
        if len(children) == 1 and rule in {"primary", "member", "unary", "paren_expr", *_WITH_TWO}:
            return self.kind_of(_tree(children[0]))
        if rule == "expr":
            return self._choice(tree)
        if rule == "unary":
            return self._signed(tree)
        if rule in _WITH_TWO and len(children) == 2:
            return self._joined(tree)
        raise _wrong(tree, "this is not part of the language of rules (docs/rules.md)")

    def _leaf(self, rule: str, tree: "Tree[Token]") -> FactKind:
        token = _token(tree)
        if rule == "ident":
            row = self._rows.get(token)
            if row is None:
                name, near = shown(token, MAX_NAME), _near(token, self._rows)
                raise _wrong(tree, f"{name} is no name that a rule may use{near}")
            self.names.add(row.name)
            return row.kind
        if rule == "ident_arg":
            return self._called(tree, token)
        kind = _KINDS.get(token.type)
        if kind is None:
            raise _wrong(tree, f"{shown(token, MAX_NAME)} is no value that a rule may use")
        if kind is FactKind.NUMBER:
            number = _number(token)
            if not abs(number) <= MAX_NUMBER:
                raise _wrong(tree, f"{shown(token, 20)} is above {MAX_NUMBER:g}")
            self.numbers.add(number)
            # CEL has no whole numbers beside others: soc_pct + 1 would be a mistake.
            tree.children[0] = Token.new_borrow_pos("FLOAT_LIT", repr(number), token)
        elif kind is FactKind.TEXT:
            self.texts.add(token[1:-1])
        return kind

    def _called(self, tree: "Tree[Token]", name: str) -> FactKind:
        wanted = FUNCTIONS.get(name)
        if wanted is None:
            known = ", ".join(FUNCTIONS)
            raise _wrong(tree, f"{shown(name, MAX_NAME)}() cannot be called; {known} can")
        given = _tree(tree.children[1]).children if len(tree.children) > 1 else []
        if len(given) != wanted:
            raise _wrong(tree, f"{name}() takes {wanted} numbers, not {len(given)}")
        for argument in given:
            self._expect(_tree(argument), FactKind.NUMBER, f"{name}()")
        return FactKind.NUMBER

    def _choice(self, tree: "Tree[Token]") -> FactKind:
        children = [_tree(child) for child in tree.children]
        if len(children) == 1:
            return self.kind_of(children[0])
        self._expect(children[0], FactKind.TRUTH, "?")
        kind = self.kind_of(children[1])
        self._expect(children[2], kind, "?:")
        return kind

    def _signed(self, tree: "Tree[Token]") -> FactKind:
        operator, operand = (_tree(child) for child in tree.children)
        kind = FactKind.TRUTH if operator.data == "unary_not" else FactKind.NUMBER
        self._expect(operand, kind, _SIGNS[str(operator.data)])
        return kind

    def _joined(self, tree: "Tree[Token]") -> FactKind:
        """Checks two sides and what stands between them."""
        left, right = (_tree(child) for child in tree.children)
        rule = str(tree.data)
        if rule in {"relation", "addition", "multiplication"}:
            rule, left = str(left.data), _tree(left.children[0])
        sign = _SIGNS.get(rule)
        if sign is None:
            raise _wrong(tree, "% is not part of the language of rules")
        if rule == "multiplication_div" and _is_zero(right):
            raise _wrong(right, "it divides by zero")
        if rule in {"conditionalor", "conditionaland"}:
            self._expect(left, FactKind.TRUTH, sign)
            self._expect(right, FactKind.TRUTH, sign)
            return FactKind.TRUTH
        if rule == "relation_in":
            return self._within(left, right)
        if rule in _EQUAL:
            self._same(left, right, sign)
            return FactKind.TRUTH
        self._expect(left, FactKind.NUMBER, sign)
        self._expect(right, FactKind.NUMBER, sign)
        return FactKind.TRUTH if rule in _COMPARED else FactKind.NUMBER

    def _within(self, left: "Tree[Token]", right: "Tree[Token]") -> FactKind:
        listed = _bare(right)
        if listed.data != "list_lit" or not listed.children:
            raise _wrong(right, 'after in stands a list, such as ["sat", "sun"]')
        for entry in _tree(listed.children[0]).children:
            self._same(left, _tree(entry), "in")
        return FactKind.TRUTH

    def _same(self, left: "Tree[Token]", right: "Tree[Token]", sign: str) -> None:
        self._expect(right, self.kind_of(left), sign)
        for name, text in ((left, right), (right, left)):
            row, word = self._rows.get(_said(name)), _said(text)[1:-1]
            if _bare(name).data == "ident" and row is not None and row.words:
                given = _bare(text).data == "literal"
                if given and word not in row.words:
                    known = ", ".join(row.words)
                    raise _wrong(text, f'{row.name} is never "{shown(word, 20)}"; it is {known}')

    def _expect(self, tree: "Tree[Token]", kind: FactKind, sign: str) -> None:
        found = self.kind_of(tree)
        if found is not kind:
            said = self._source(tree)
            raise _wrong(tree, f"{sign} takes {A_KIND[kind]} there, and {said} is {A_KIND[found]}")

    def _source(self, tree: "Tree[Token]") -> str:
        """Returns how ``tree`` is written."""
        placed = _placed(tree)
        if not placed:
            return _said(tree)
        return shown(self._text[placed[0].start_pos : placed[-1].end_pos], MAX_NAME)


def _tree(child: object) -> "Tree[Token]":
    assert isinstance(child, Tree)
    return child


def _token(tree: "Tree[Token]") -> Token:
    return next(tree.scan_values(lambda _: True))


def _bare(tree: "Tree[Token]") -> "Tree[Token]":
    """Returns what is left without the levels that say nothing."""
    while len(tree.children) == 1 and isinstance(tree.children[0], Tree):
        if tree.data == "list_lit":
            break
        tree = tree.children[0]
    return tree


def _is_zero(tree: "Tree[Token]") -> bool:
    bare = _bare(tree)
    return bare.data == "literal" and _token(bare).type in _NUMBERS and not _number(_token(bare))


def _said(tree: "Tree[Token]") -> str:
    """Returns the name or value that ``tree`` is, or begins with."""
    return shown(str(next(tree.scan_values(lambda _: True), "this")), MAX_NAME)


def _wrong(tree: "Tree[Token]", text: str) -> ConfigError:
    placed = _placed(tree)
    return ConfigError(f"column {placed[0].column}: {text}" if placed else text)


def _placed(tree: "Tree[Token]") -> list[Token]:
    """Returns the tokens that know where they stand; true and false do not."""
    return [token for token in tree.scan_values(lambda _: True) if token.start_pos is not None]


def _near(name: str, rows: Mapping[str, FactRow]) -> str:
    close = difflib.get_close_matches(name, rows, n=3)
    return (
        f"; do you mean {' or '.join(close)}?" if close else " (`holdfast rules facts` lists them)"
    )


def _number(token: Token) -> float:
    """Returns the number; infinity for one that is too large."""
    if token.type == "FLOAT_LIT" or "x" not in token.lower():
        return float(token)
    try:
        return float(int(token, 16))
    except OverflowError:
        return math.inf
