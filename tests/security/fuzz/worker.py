"""One target under atheris, in a process of its own."""

import re
import sys
from typing import Final

from shared.command_line import command_line

EPILOG: Final = "Arguments such as -max_len=100 are those of libFuzzer."
SINGLE_DASH: Final = re.compile(r"-\w+=")


def main() -> None:
    """Fuzz until the time that libFuzzer was told is over, or something fails."""
    parser = command_line("tests.security.fuzz.worker", __doc__, EPILOG)
    parser.add_argument("target", metavar="TARGET", help="a name in targets.py")
    parser.add_argument("folder", metavar="FOLDER", help="where samples are kept")
    given, options = parser.parse_known_args()
    if unknown := [option for option in options if not SINGLE_DASH.match(option)]:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    import atheris  # noqa: PLC0415  absent without requirements/fuzz.txt, where --help works too

    # What is imported before has no counters in its branches: atheris would fuzz blindly.
    with atheris.instrument_imports(include=["gateway", "shared"]):
        from tests.security.fuzz.targets import TARGETS  # noqa: PLC0415

    atheris.Setup([sys.argv[0], given.folder, *options], TARGETS[given.target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
