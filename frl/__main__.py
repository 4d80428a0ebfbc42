"""`python -m frl` is the command line."""

import sys

from frl.cli import main

if __name__ == "__main__":
    sys.exit(main())
