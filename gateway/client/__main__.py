"""`python -m gateway.client [URL]`: chat in a terminal."""

import sys

from gateway.client.terminal.main import main

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
