"""Clients of the same user that talk without end, each in a way of its own.

Each is a process that keeps a core busy with it, as one that has gone mad would.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HEAD = """\
import json, os, signal, socket, sys, time
signal.alarm(int(sys.argv[2]))
path, parent = sys.argv[1], os.getppid()
def connected():
    while True:
        talk = socket.socket(socket.AF_UNIX)
        try:
            talk.connect(path)
            return talk
        except OSError:
            talk.close()
def pours(content, reads):
    content = content * max(65536 // len(content), 1)
    while os.getppid() == parent:
        talk = connected()
        if reads:
            talk.setblocking(False)
        try:
            rest = b""
            while os.getppid() == parent:
                rest = rest or content
                try:
                    rest = rest[talk.send(rest):]
                    if reads:
                        talk.recv(1 << 20)
                except BlockingIOError:
                    pass
        except OSError:
            talk.close()
def command(name):
    issued_ns, nonce = time.monotonic_ns(), os.urandom(16).hex()
    line = {"kind": "command", "command": name, "issued_ns": issued_ns, "nonce": nonce}
    return json.dumps(line).encode() + b"\\n"
"""
FLOODS = {
    "empty lines": r'pours(b"\n", True)',
    "empty lines, answers unread": r'pours(b"\n", False)',
    "bytes without an end": r'pours(b"x", True)',
    "long plans that are wrong": r"""
pours(b'{"kind":"plan","plan":{"slots":[' + b"{}," * 300000 + b"0]}}\n", True)""",
    "commands that are refused": """
while os.getppid() == parent:
    talk = connected()
    try:
        while os.getppid() == parent:
            talk.sendall(command("start") * 20)
            talk.recv(1 << 20)
    except OSError:
        talk.close()""",
    "byte by byte": """
while os.getppid() == parent:
    talk = connected()
    try:
        while os.getppid() == parent:
            talk.send(b"x")
    except OSError:
        talk.close()""",
    "connections": """
while os.getppid() == parent:
    connected().close()""",
}
"""What each does, by what it sends."""


@contextmanager
def flood(kind: str, path: Path, limit_s: float) -> Iterator[None]:
    """One such client at the socket ``path``; it ends with this process, and after ``limit_s``."""
    command = [sys.executable, "-c", _HEAD + FLOODS[kind], str(path), str(max(round(limit_s), 1))]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()
