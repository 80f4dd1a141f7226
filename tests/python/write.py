"""Writes a repository with python-tuf: all kinds of keys, delegations, several roots.

usage: write.py FOLDER

Into FOLDER/metadata and FOLDER/targets, with the target `folder/list` delegated to a role.
"""

import os
import sys

from repository import Repository, key

folder = sys.argv[1]
written = Repository(kind="rsa")
old = written.signers["root"]
written.new_keys("root", [key("ed25519"), key("ecdsa"), key("rsa")], 3)
written.signers["root"] = written.signers["root"] + old
written.new_keys("targets", [key("ecdsa"), key("rsa")], 2)
written.new_keys("timestamp", [key("ed25519")])
written.with_hashes = True
written.publish("root")
written.delegate("targets", "role", ["folder/*"])
written.put("folder/list", b"written by others", "role")
written.release("role", "targets")

metadata = os.path.join(folder, "metadata")
targets = os.path.join(folder, "targets", "folder")
os.makedirs(metadata)
os.makedirs(targets)
for role, versions in written.published.items():
    for version, content in versions.items():
        name = f"{role}.json" if version == "newest" else f"{version}.{role}.json"
        if (role == "timestamp") == (version == "newest"):
            with open(os.path.join(metadata, name), "wb") as file:
                file.write(content)
listed = written.signed("role").targets["folder/list"]
with open(os.path.join(targets, f"{listed.hashes['sha256']}.list"), "wb") as file:
    file.write(b"written by others")
