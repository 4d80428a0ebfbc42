"""`python -m frl.cli` is the command line, where no script is installed."""

import sys

from frl.cli import main

if __name__ == "__main__":
    sys.exit(main())
