"""Holds a bill of materials against CycloneDX's schema and Cargo's lock file: sbom.py FILE"""

import json
import subprocess
import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

# What every build of the program is linked with: the command that says so, one `name version` a line.
TREE = "cargo tree --locked --package hashward --edges normal,build --prefix none --format {p}"


def main():
    text = Path(sys.argv[1]).read_text()
    error = JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)
    assert error is None, error
    document = json.loads(text)
    listed = {(component["name"], component["version"]) for component in document["components"]}
    lines = subprocess.run(TREE.split(), capture_output=True, text=True, check=True).stdout.splitlines()
    linked = {tuple(line.split(" ")[:2]) for line in lines if line}
    linked = {(name, version.removeprefix("v")) for name, version in linked} - {("hashward", own_version(document))}
    missing = sorted(linked - listed)
    assert not missing, f"not in the bill of materials: {missing}"
    unlicensed = sorted(c["name"] for c in document["components"] if not c.get("licenses"))
    assert not unlicensed, f"without a licence: {unlicensed}"
    print(f"{len(listed)} components, {len(linked)} of them linked or built with")


def own_version(document):
    return document["metadata"]["component"]["version"]


main()
