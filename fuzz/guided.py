"""One target under atheris, which follows the coverage of our code: a process of its own.

``python -m fuzz.guided TARGET SECONDS RUNS FOLDER``. With RUNS above 0 it tries so many inputs at
most, and the same ones each time. Ends with another status than 0 once it has found something; the
input then lies in FOLDER.
"""

import logging
import sys
from pathlib import Path
from random import Random

import atheris

from fuzz.mutation import mutated

_HANGS_S = 30
"""An input that takes longer is told as one that hangs."""
_MOST_MB = 4096


def main(name: str, seconds: str, runs: str, folder: str) -> None:
    """Looks for inputs until the time is over, or one is found."""
    logging.disable(logging.CRITICAL)  # each bad file would be told of
    with atheris.instrument_imports(include=["holdfast", "yaml"], enable_loader_override=False):
        from fuzz.table import TARGETS
    target = TARGETS[name]
    corpus = Path(folder) / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for index, seed in enumerate(target.seeds()):
        (corpus / f"seed-{index:03}").write_bytes(seed)

    def run(data: bytes) -> None:
        target.run(data)

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        """Changes words and lines as often as bytes."""
        random = Random(seed)
        if random.random() < 0.5:
            return mutated(bytes(data), random, most)
        changed: bytes = atheris.Mutate(data, most)
        return changed

    repeatable = [f"-runs={runs}", "-seed=1"] if int(runs) else []
    options = [
        *repeatable,
        f"-max_total_time={seconds}",
        f"-timeout={_HANGS_S}",
        f"-rss_limit_mb={_MOST_MB}",
        f"-max_len={target.longest}",
        f"-artifact_prefix={folder}/",
        "-print_final_stats=1",
        "-verbosity=1",
    ]
    atheris.Setup(["fuzz", *options, str(corpus)], run, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
