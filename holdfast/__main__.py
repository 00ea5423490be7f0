"""``python -m holdfast`` is ``holdfast``: a unit that starts it so follows where Python is."""

import sys

from holdfast.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
