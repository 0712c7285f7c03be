"""`python -m parley_chat [URL ...]`: chat in a terminal."""

from parley_chat.terminal.main import run

if __name__ == "__main__":
    run()
