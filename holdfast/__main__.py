"""``python -m holdfast`` is the command line, wherever its environment lies."""
"""``python -m holdfast`` is ``holdfast``: a unit that starts it so follows where Python is."""

import sys

from holdfast.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
sys.exit(main())
