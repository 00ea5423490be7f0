"""A site.yaml is shown without its secrets to those who may not change it.

Most of them stand elsewhere: the file names variables and other files. Here goes what somebody has
written into it all the same.
"""

import re
from collections.abc import Iterator
from typing import Final

import yaml

HIDDEN: Final = "********"
_KEY: Final = r"[\w-]*(?:password|passwd|passphrase|secret|token|api_key|apikey|private_key)"
_IS_SECRET: Final = re.compile(_KEY, re.IGNORECASE)
_TOLD: Final = re.compile(rf"(#.*?\b{_KEY}\b\s*[:=]\s*)(\S+)", re.IGNORECASE)
"""Finds a secret in a comment."""
_USER: Final = re.compile(r"(://[^/\s:@'\"]*:)([^@/\s'\"]+)(@)")
"""Finds the password in an address."""
_UNREADABLE: Final = "# This file is no YAML now; who may change it can see it.\n"


def without_secrets(text: str) -> str:
    """Returns ``text`` of a site.yaml, each secret in it replaced.

    >>> without_secrets("broker: {username: me, password: 'open sesame'}")
    'broker: {username: me, password: ********}'
    """
    try:
        places = sorted(set(_places(yaml.compose(text, Loader=yaml.SafeLoader))), reverse=True)
    except (yaml.YAMLError, RecursionError):
        return _UNREADABLE
    for begin, end in places:
        after = text[end:]
        if text[begin:end].endswith("\n"):  # a block of lines
            after = f"\n{after}"
        text = f"{text[:begin]}{HIDDEN}{after}"
    return _USER.sub(rf"\1{HIDDEN}\3", _TOLD.sub(rf"\1{HIDDEN}", text))


def _places(root: yaml.Node | None) -> Iterator[tuple[int, int]]:
    """Yields where in the text secrets begin and end; one that is named twice is one."""
    waiting, seen = [root], set[int]()
    while waiting:
        node = waiting.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if _IS_SECRET.fullmatch(str(key.value)):
                    yield value.start_mark.index, value.end_mark.index
                else:
                    waiting.append(value)
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value
