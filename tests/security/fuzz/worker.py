"""One target under atheris: `python -m tests.security.fuzz.worker TARGET FOLDER -OPTION=...`."""

import sys

import atheris

with atheris.instrument_imports(include=["gateway", "shared"]):
    from tests.security.fuzz.targets import TARGETS


def main() -> None:
    """Fuzz until the time that libFuzzer was told is over, or something fails."""
    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
