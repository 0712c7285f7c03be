"""A bill of materials of the pinned packages and of what is inside them, as CycloneDX in sbom.json.

The packages are those of requirements/runtime.txt; what is inside them is that of the wheels that
are installed here, so it differs from platform to platform.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from deploy.supply.inventory import FAILED, Inside, look_inside
from shared.command_line import command_line

ROOT: Final = Path(__file__).parents[2]

CPE_NAMES: Final[Mapping[str, str]] = {
    "HAProxy": "haproxy:haproxy",
    "OpenSSL": "openssl:openssl",
    "PCRE": "pcre:pcre",
    "Lua": "lua:lua",
    "zlib": "zlib:zlib",
    "libuv": "libuv:libuv",
    "Valkey": "lfprojects:valkey",
    "Go": "golang:go",
}
"""Vendor and product of the National Vulnerability Database."""


def with_inside(bill: dict[str, Any], components: Iterable[Inside]) -> dict[str, Any]:
    """Add to each package of a bill what is inside it.

    Args:
        bill: CycloneDX as JSON; it is changed.
        components: in any order.
    """
    packages = {each["name"]: each for each in bill["components"]}
    for inside in sorted(set(components)):
        if inside.package in packages:
            packages[inside.package].setdefault("components", []).append(_component(inside))
    return bill


def _component(inside: Inside) -> dict[str, str]:
    name, version = inside.component
    number = f"v{version}" if inside.purl.startswith("pkg:golang/") else version
    found = {
        "bom-ref": f"{inside.package}/{name}@{version}",
        "name": name,
        "purl": f"{inside.purl}@{number}" if version else inside.purl,
        "type": "library",
    }
    if version:
        found["version"] = version
    if version and name in CPE_NAMES:
        found["cpe"] = f"cpe:2.3:a:{CPE_NAMES[name]}:{version}:*:*:*:*:*:*:*"
    return found


def main() -> int:
    """Write sbom.json; return the exit code."""
    command_line("deploy.supply.bill", __doc__).parse_args()
    made = subprocess.run(  # noqa: S603  our own files
        (
            *(sys.executable, "-W", "ignore", "-m", "cyclonedx_py", "requirements"),
            *("requirements/runtime.txt", "--pyproject", "pyproject.toml", "--output-reproducible"),
        ),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    try:
        inside = look_inside()
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    bill = with_inside(json.loads(made.stdout), inside)
    (ROOT / "sbom.json").write_text(json.dumps(bill, indent=2, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
