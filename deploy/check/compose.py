"""What the schema of compose files does not say: python3 deploy/check/compose.py deploy/compose.yaml"""

import sys
from pathlib import Path

import yaml


def main():
    path = Path(sys.argv[1])
    document = yaml.safe_load(path.read_text())
    volumes = set(document["volumes"])
    findings = []
    for name, service in document["services"].items():
        def expect(holds, what):
            if not holds:
                findings.append(f"{name}: {what}")

        for port in service.get("ports", []):
            expect(port.startswith("127.0.0.1:"), f"{port} is published beyond loopback")
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            there = (path.parent / source).exists() if source.startswith(".") else source in volumes
            expect(there, f"{volume}: its source is not there")
        expect(service.get("cap_drop") == ["ALL"], "has capabilities")
        expect("no-new-privileges:true" in service.get("security_opt", []), "may get new privileges")
        tag = service["image"].rpartition(":")[2]
        expect("/" not in tag and tag != "latest", f"{service['image']} names no version")
        for other in service.get("depends_on", []):
            expect(other in document["services"], f"depends on {other}, which is not there")
    sys.exit("\n".join(findings) or 0)


main()
