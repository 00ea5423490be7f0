"""This module tells the controller's answer to a command."""

import json
import sys
from dataclasses import asdict

from holdfast.client.messages import Reply


def tell(reply: Reply, *, as_json: bool) -> int:
    """Prints ``reply``; 1 if it is a refusal."""
    if as_json:
        print_plain_json(asdict(reply))
    else:
        stream = sys.stdout if reply.accepted else sys.stderr
        word = "" if reply.accepted else "refused: "
        print(f"{word}{reply.reason}; the site is in {reply.state.name}", file=stream)
    return 0 if reply.accepted else 1


def print_plain_json(content: dict[str, object]) -> None:
    """Prints what JSON knows by itself: a stop waits for no library."""
    print(json.dumps(content, ensure_ascii=False, indent=2))
