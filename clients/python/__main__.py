"""`python -m clients.python [URL]`: chat in a terminal."""

import sys

from clients.python.terminal.main import main

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
