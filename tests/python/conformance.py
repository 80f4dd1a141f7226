"""What a conforming client does, behaviour by behaviour, through the protocol of the public conformance tests.

usage: conformance.py BINARY

Prints one line of JSON for each behaviour. Our own tests, for the same behaviours: the public suite is on no registry.
"""

import copy
import hashlib
import json
import sys
import traceback
from urllib.parse import quote

from repository import Client, Repository, Server, in_days, key
from tuf.api.metadata import Metadata, MetaFile

BEHAVIOURS = {}
BINARY = sys.argv[1]


def behaviour(function):
    BEHAVIOURS[function.__name__] = function
    return function


def table(name, cases):
    """One behaviour for each case of a table."""

    def add(function):
        for label, case in cases.items():
            BEHAVIOURS[f"{name}[{label}]"] = lambda r, c, case=case: function(r, c, *case)
        return function

    return add


def same(found, expected, what=""):
    assert found == expected, f"{what}: found {found}, expected {expected}"


FIRST = [("root", 2), ("timestamp", None), ("snapshot", 1), ("targets", 1)]


@behaviour
def a_refresh_asks_for_each_role_once_and_in_order(r, c):
    same(c.refresh(), 0)
    same(r.asked, FIRST)
    same(c.roles(), [("root", 1), ("snapshot", 1), ("targets", 1), ("timestamp", 1)])


@behaviour
def a_download_refreshes_first(r, c):
    same(c.download("nobody lists this"), 1)
    same(r.asked, FIRST)
    same(len(c.roles()), 4)


@behaviour
def trusted_metadata_is_kept_byte_for_byte(r, c):
    text = json.loads(r.published["timestamp"][1])
    r.published["timestamp"]["newest"] = json.dumps(text, indent=7).encode()
    same(c.refresh(), 0)
    for role in ("root", "timestamp", "snapshot", "targets"):
        same(c.trusted(role), r.published[role]["newest"], role)


@behaviour
def a_first_root_without_a_version_is_refused_before_anything_is_asked(r, c):
    root = json.loads(r.published["root"][1])
    del root["signed"]["version"]
    fresh = Client(BINARY, c.url)
    fresh.init(json.dumps(root).encode())
    same(fresh.refresh(), 1)
    same(r.asked, [])


@behaviour
def a_first_root_with_a_wrong_signature_is_refused_before_anything_is_asked(r, c):
    root = Metadata.from_bytes(r.published["root"][1])
    other = key()
    next(iter(root.signatures.values())).signature = other.sign(b"something else").signature
    fresh = Client(BINARY, c.url)
    fresh.init(root.to_bytes())
    same(fresh.refresh(), 1)
    same(r.asked, [])


@table("a_role_without_a_signature_ends_the_refresh_there", {
    "root": ("root", [("root", 1)]),
    "timestamp": ("timestamp", [("root", 1)]),
    "snapshot": ("snapshot", [("root", 1), ("timestamp", 1)]),
    "targets": ("targets", [("root", 1), ("snapshot", 1), ("timestamp", 1)]),
})
def unsigned(r, c, role, expected):
    r.signers[role] = []
    if role == "root":
        r.publish("root")
    else:
        r.publish("targets", "snapshot", "timestamp", bump=False)
    same(c.refresh(), 1)
    same(c.roles(), expected)


@behaviour
def a_timestamp_with_the_trusted_number_is_discarded_without_an_error(r, c):
    same(c.refresh(), 0)
    before = c.trusted("timestamp")
    r.signed("timestamp").snapshot_meta.version = 100
    r.publish("timestamp", bump=False)
    same(c.refresh(), 0)
    same(r.asked[-1], ("timestamp", None))
    same(c.trusted("timestamp"), before)


@behaviour
def digests_of_metadata_are_verified(r, c):
    r.with_hashes = True
    r.release("targets")
    same(c.refresh(), 0)
    r.publish("targets")
    r.signed("snapshot").meta["targets.json"].hashes["sha256"] = "46" * 32
    r.publish("snapshot", "timestamp")
    same(c.refresh(), 1)
    same((c.version("snapshot"), c.version("targets")), (3, 2))


@behaviour
def targets_that_the_snapshot_does_not_name_are_not_asked_for(r, c):
    same(c.refresh(), 0)
    r.publish("targets")
    same(c.refresh(), 0)
    same(r.asked[-1], ("timestamp", None))
    same(c.version("targets"), 1)


@behaviour
def fields_that_are_not_known_are_part_of_what_is_signed(r, c):
    r.root.unrecognized_fields["custom"] = "value"
    first = r.root.keys[r.root.roles["root"].keyids[0]]
    first.unrecognized_fields["extra"] = {"a": 1, "b": [None, True]}
    r.root.roles["root"].unrecognized_fields["another"] = "value"
    r.publish("root")
    same(c.refresh(), 0)
    same(c.version("root"), 2)


@table("keys_of_this_kind_are_verified", {kind: (kind,) for kind in ("ed25519", "ecdsa", "rsa")})
def kinds(r, c, kind):
    r.kind = kind
    for role in ("root", "timestamp", "snapshot", "targets"):
        old = r.signers[role]
        r.new_keys(role)
        if role == "root":
            r.signers[role] += old
    r.publish("root", "targets", "snapshot", "timestamp")
    same(c.refresh(), 0, c.told)
    same(c.version("root"), 2)


def with_threshold(r, keys, threshold, signing):
    signers = [key() for _ in range(keys)]
    r.new_keys("snapshot", signers, threshold)
    r.signers["snapshot"] = signers[:signing]
    r.publish("root", "snapshot", "timestamp")


@table("a_threshold_counts_keys", {
    "3 of 4 signed by 4": (4, 3, 4, 0), "3 of 4 signed by 3": (4, 3, 3, 0), "3 of 4 signed by 2": (4, 3, 2, 1),
    "6 of 5 signed by 5": (5, 6, 5, 1),
})
def thresholds(r, c, keys, threshold, signing, expected):
    same(c.refresh(), 0)
    with_threshold(r, keys, threshold, signing)
    same(c.refresh(), expected)
    same(c.version("root"), 2)
    same(c.version("snapshot"), 2 if expected == 0 else None)


@behaviour
def a_listed_id_without_a_key_counts_for_nothing(r, c):
    with_threshold(r, 3, 3, 2)
    r.root.roles["snapshot"].keyids.append(key().public_key.keyid)
    r.publish("root")
    same(c.refresh(), 1)


@behaviour
def hash_algorithms_beside_a_key_have_no_meaning(r, c):
    first = r.root.keys[r.root.roles["snapshot"].keyids[0]]
    first.unrecognized_fields["keyid_hash_algorithms"] = ["md5"]
    r.publish("root", "snapshot", "timestamp")
    same(c.refresh(), 0)


@behaviour
def one_key_under_many_ids_counts_once(r, c):
    same(c.refresh(), 0)
    signer = key()
    r.new_keys("snapshot", [signer], 1)
    ids = r.root.roles["snapshot"].keyids
    for number in range(9):
        alias = copy.deepcopy(signer.public_key)
        alias.keyid = f"{number:064x}"
        r.root.add_key(alias, "snapshot")
    same(len(ids), 10)
    r.root.roles["snapshot"].threshold = 6
    r.publish("root", "snapshot", "timestamp")
    snapshot = json.loads(r.published["snapshot"]["newest"])
    snapshot["signatures"] = [dict(snapshot["signatures"][0], keyid=keyid) for keyid in ids]
    r.published["snapshot"][2] = json.dumps(snapshot).encode()
    same(c.refresh(), 1)
    assert c.version("snapshot") in (None, 1)


@behaviour
def a_snapshot_that_is_trusted_is_not_replaced_by_an_older_one(r, c):
    r.publish("snapshot", "timestamp")
    same(c.refresh(), 0)
    r.published["snapshot"]["newest"] = r.published["snapshot"][1]
    same(c.refresh(), 0)
    same((c.version("snapshot"), r.asked[-1]), (2, ("timestamp", None)))


@behaviour
def an_older_timestamp_is_refused(r, c):
    r.publish("timestamp")
    same(c.refresh(), 0)
    r.published["timestamp"]["newest"] = r.published["timestamp"][1]
    same(c.refresh(), 1)
    same((c.version("timestamp"), r.asked[-1]), (2, ("timestamp", None)))


HASHES = {"basic": (False,), "with hashes": (True,)}


@table("a_timestamp_that_names_an_older_snapshot_is_refused", HASHES)
def older_snapshot(r, c, with_hashes):
    r.with_hashes = with_hashes
    r.publish("snapshot", "timestamp")
    same(c.refresh(), 0)
    r.signed("timestamp").snapshot_meta = r.meta("snapshot", 1, r.published["snapshot"][1])
    r.publish("timestamp")
    same(c.refresh(), 1)
    same((c.version("timestamp"), c.version("snapshot"), r.asked[-1]), (2, 2, ("timestamp", None)))


@table("a_snapshot_that_names_older_targets_is_refused", HASHES)
def older_targets(r, c, with_hashes):
    r.with_hashes = with_hashes
    r.release("targets")
    same(c.refresh(), 0)
    r.signed("snapshot").meta["targets.json"] = r.meta("targets", 1, r.published["targets"][1])
    r.publish("snapshot", "timestamp")
    same(c.refresh(), 1)
    same((c.version("snapshot"), c.version("targets")), (2, 2))


def recovers(r, c, role, *rotated):
    r.signed(role).version = 99998
    r.release(*([role] if role == "targets" else []))
    if role == "timestamp":
        r.signed("timestamp").version = 99998
        r.publish("timestamp")
    same(c.refresh(), 0, c.told)
    for name in rotated:
        r.new_keys(name)
    r.publish("root")
    r.signed(role).version = 0
    if role == "targets":
        r.release("targets")
    else:
        for name in ("snapshot", "timestamp"):
            if name != role:
                r.signed(name).version += 1
        r.signed(role).version = 1
        r.publish("snapshot", "timestamp", bump=False)
    same(c.refresh(), 0, c.told)
    same(c.version(role), 1)


@table("a_fast_forward_is_undone_by_new_keys", {
    "timestamp": ("timestamp", "timestamp"),
    "snapshot": ("snapshot", "snapshot", "timestamp"),
    "targets": ("targets", "snapshot"),
})
def fast_forward(r, c, role, *rotated):
    recovers(r, c, role, *rotated)


@behaviour
def a_snapshot_of_another_version_than_the_timestamps_is_refused(r, c):
    r.signed("snapshot").version = 2
    r.published["snapshot"][1] = r.sign("snapshot")
    same(c.refresh(), 1)
    same(c.roles(), [("root", 1), ("timestamp", 1)])
    same(r.asked[-1], ("snapshot", 1))


@behaviour
def an_expired_root_is_kept_and_nothing_follows(r, c):
    same(c.refresh(), 0)
    r.root.expires = in_days(-1)
    r.publish("root", "targets", "snapshot", "timestamp")
    same(c.refresh(), 1)
    same(c.roles(), [("root", 2), ("snapshot", 1), ("targets", 1), ("timestamp", 1)])


@behaviour
def an_expired_root_between_two_is_passed(r, c):
    r.root.expires = in_days(-1)
    r.publish("root")
    r.root.expires = in_days(20)
    r.publish("root")
    same(c.refresh(), 0)
    same(c.version("root"), 3)


@table("an_expired_role_is_not_kept", {role: (role,) for role in ("timestamp", "snapshot", "targets")})
def expired(r, c, role):
    same(c.refresh(), 0)
    r.signed(role).expires = in_days(-5)
    r.release("targets")
    same(c.refresh(), 1)
    same(c.version(role), 1)


@behaviour
def what_expired_here_is_replaced_by_what_has_not(r, c):
    r.signed("timestamp").expires = in_days(7)
    r.publish("timestamp")
    same(c.refresh(), 0)
    r.signed("timestamp").expires = in_days(21)
    r.release("targets")
    same(c.refresh(days=18), 0, c.told)
    same((c.version("timestamp"), c.version("targets")), (3, 2))


@behaviour
def a_trusted_timestamp_does_not_outlive_its_expiry(r, c):
    r.signed("timestamp").expires = in_days(7)
    r.publish("timestamp")
    same(c.refresh(), 0)
    same(c.refresh(days=18), 1)


@behaviour
def an_expired_delegated_role_is_not_used(r, c):
    r.delegate("targets", "role", ["folder/*"], expires=in_days(-1))
    r.put("folder/file", b"content", "role")
    r.release("role", "targets")
    same(c.refresh(), 0)
    same(c.download("folder/file"), 1)
    same((c.downloads(), [name for name, _ in c.roles()]), ([], ["root", "snapshot", "targets", "timestamp"]))


@behaviour
def a_delegated_role_does_not_outlive_its_expiry(r, c):
    r.delegate("targets", "role", ["folder/*"], expires=in_days(7))
    r.put("folder/one", b"one", "role")
    r.put("folder/two", b"two", "role")
    r.release("role", "targets")
    same(c.download("folder/one"), 0, c.told)
    same(c.download("folder/two", days=18), 1)
    r.signed("role").expires = in_days(21)
    r.release("role")
    same(c.download("folder/two", days=18), 0, c.told)
    same(c.downloads(), [b"one", b"two"])


@behaviour
def a_target_is_downloaded_once(r, c):
    r.put("file.txt", b"content")
    r.release("targets")
    same(c.refresh(), 0)
    same(c.downloads(), [])
    same(c.download("file.txt"), 0, c.told)
    same(c.download("file.txt"), 0)
    same((c.downloads(), len(r.asked_contents)), ([b"content"], 1))


@behaviour
def a_target_in_folders_has_its_digest_before_its_last_name(r, c):
    r.put("path/to/a/file.txt", b"content")
    r.release("targets")
    same(c.download("path/to/a/file.txt"), 0, c.told)
    same(c.downloads(), [b"content"])
    same(r.asked_contents, [f"path/to/a/{hashlib.sha256(b'content').hexdigest()}.file.txt"])


@behaviour
def a_repository_without_consistent_snapshots_has_plain_names(r, c):
    plain = Repository(consistent=False)
    server = Server(plain)
    fresh = Client(BINARY, server.url)
    same(fresh.init(plain.published["root"][1]), 0)
    plain.put("folder/file", b"content")
    plain.release("targets")
    same(fresh.download("folder/file"), 0, fresh.told)
    same(plain.asked, [("root", 2), ("timestamp", None), ("snapshot", None), ("targets", None)])
    same((fresh.downloads(), plain.asked_contents), ([b"content"], ["folder/file"]))
    server.close()


@behaviour
def a_substituted_target_is_not_taken(r, c):
    r.put("one", b"first content")
    r.put("two", b"other content")
    r.release("targets")
    same(c.download("one"), 0)
    r.contents.update(one=b"malicious", two=b"malicious and longer")
    c.download("one")
    same(c.download("two"), 1)
    same(c.downloads(), [b"first content"])


@behaviour
def a_target_that_changes_is_replaced_each_time_and_only_rightly(r, c):
    for step in range(5):
        content = f"content {step}".encode()
        r.put("file", content)
        r.release("targets")
        same(c.download("file"), 0, c.told)
        same(c.downloads(), [content])
        r.contents["file"] = b"malicious"
        r.release("targets")
        c.download("file")
        same(c.downloads(), [content])


@table("odd_names_of_roles_are_quoted", {name: (name,) for name in ("?", "#", "/role", "../role")})
def quoting(r, c, name):
    r.delegate("targets", name)
    r.release(name, "targets")
    same(c.download("nobody lists this"), 1)
    assert (quote(name, ""), 1) in r.asked, r.asked
    same(len(c.roles()), 5)


PYTHON = ["*.py"]


@table("delegations_are_searched_depth_first", {
    "one": ("A", [("targets", "A")]),
    "two": ("A B", [("targets", "A"), ("targets", "B")]),
    "two levels": ("A B C", [("targets", "A"), ("targets", "B"), ("B", "C")]),
    "depth first": ("A C D B", [("targets", "A"), ("targets", "B"), ("A", "C"), ("A", "D")]),
    "three levels": ("A C D B", [("targets", "A"), ("targets", "B"), ("A", "C"), ("C", "D")]),
    "terminating": ("A C", [("targets", "A"), ("targets", "B"), ("A", "C", ["*"], True), ("A", "D")]),
    "below terminating": ("A C D", [("targets", "A"), ("targets", "B"), ("A", "C", ["*"], True), ("C", "D")]),
    "paths": ("B", [("targets", "A", PYTHON), ("targets", "B"), ("A", "C")]),
    "paths below": ("A B", [("targets", "A"), ("targets", "B"), ("A", "C", PYTHON), ("C", "D")]),
    "a circle": ("A B C D", [("targets", "A"), ("targets", "B"), ("B", "C"), ("C", "D"), ("D", "B")]),
    "two ways": ("A C B", [("targets", "A"), ("targets", "B"), ("B", "C"), ("A", "C")]),
    "two ways, one open": ("A B C", [("targets", "A"), ("targets", "B"), ("B", "C"), ("A", "C", PYTHON)]),
})
def graph(r, c, expected, delegations):
    for delegation in delegations:
        r.delegate(*delegation)
    r.release(*dict.fromkeys(name for _, name, *_ in delegations), "targets")
    same(c.download("missing"), 1)
    same([role for role, _ in r.asked[4:]], expected.split())


@table("targets_are_found_where_paths_lead", {
    "top": ("file", True, ""), "one level": ("README.md", True, "A"), "two levels": ("releases/x/x_v1", True, "B C"),
    "the other branch": ("releases/y/y_v1.zip", True, "B D"),
    "not delegated all the way": ("releases/z/z_v1.zip", False, "B"),
})
def search(r, c, path, found, expected):
    r.delegate("targets", "A", ["*.doc", "*.md"])
    r.delegate("targets", "B", ["releases/*/*"])
    r.delegate("B", "C", ["releases/x/*"])
    r.delegate("B", "D", ["releases/y/*.zip"])
    for role, name in (
        ("targets", "file"), ("A", "README.md"), ("C", "releases/x/x_v1"), ("D", "releases/y/y_v1.zip"),
        ("D", "releases/z/z_v1.zip"),
    ):
        r.put(name, name.encode(), role)
    r.release("A", "B", "C", "D", "targets")
    same(c.download(path), 0 if found else 1, c.told)
    same([role for role, _ in r.asked[4:]], expected.split())
    same(c.downloads(), [path.encode()] if found else [])


@behaviour
def hash_prefixes_lead_to_bins(r, c):
    r.delegate("targets", "low", prefixes=[f"{digit:x}" for digit in range(8)])
    r.delegate("targets", "high", prefixes=[f"{digit:x}" for digit in range(8, 16)])
    for name in ("a", "b", "c", "d"):
        is_low = hashlib.sha256(name.encode()).hexdigest()[0] < "8"
        r.put(name, name.encode(), "low" if is_low else "high")
    r.release("low", "high", "targets")
    for name in ("a", "b", "c", "d"):
        same(c.download(name), 0, c.told)


# For each root its keys, its threshold, and who signs it.
ROTATIONS = {
    "1 of 1": ([((1,), 1, (1,)), ((2,), 1, (2, 1)), ((2,), 1, (2,))], True),
    "signatures of others": ([((1,), 1, (3, 1, 4)), ((2,), 1, (3, 2, 1, 4)), ((2,), 1, (3, 2, 4))], True),
    "3 of 5 in turn": ([((0, 1, 2, 3, 4), 3, who) for who in ((0, 2, 4), (0, 4, 1), (0, 1, 3), (0, 1, 3))], True),
    "3 of 5, one key": ([((0, 1, 2, 3, 4), 3, (0, 2, 4)), ((0, 1, 3, 4, 5), 3, (0, 4, 1))], True),
    "3 of 5, by six": ([((0, 1, 2, 3, 4), 3, (0, 2, 4)), ((0, 1, 3, 4, 5), 3, (0, 2, 4, 5)),
                        ((0, 1, 3, 4, 5), 3, (0, 4, 5))], True),
    "3 of 5, all keys": ([((0, 1, 2, 3, 4), 3, (0, 2, 4)), ((5, 6, 7, 8, 9), 3, (0, 2, 4, 5, 6, 7)),
                          ((5, 6, 7, 8, 9), 3, (5, 6, 7))], True),
    "threshold up": ([((1, 2, 3), 1, (1,)), ((1, 2, 3), 2, (1, 2))], True),
    "threshold down": ([((1, 2, 3), 2, (1, 2)), ((1, 2, 3), 1, (1, 2)), ((1, 2, 3), 1, (1,))], True),
    "1 of 2 to 2 of 2": ([((1,), 1, (1,)), ((1, 2), 2, (1, 2))], True),
    "not by the old key": ([((1,), 1, (1,)), ((2,), 1, (2, 3, 4))], False),
    "not by the new key": ([((1,), 1, (1,)), ((2,), 1, (1, 3, 4))], False),
    "not by 3 new ones": ([((0, 1, 2, 3, 4), 3, (0, 2, 4)), ((0, 1, 3, 4, 5), 3, (0, 2, 4))], False),
    "not by 3 old ones": ([((0, 1, 2, 3, 4), 3, (0, 2, 4)), ((0, 1, 3, 4, 5), 3, (0, 4, 5))], False),
    "new threshold not reached": ([((1, 2, 3), 1, (1,)), ((1, 2, 3), 2, (2,))], False),
    "old threshold not reached": ([((1, 2, 3), 2, (1, 2)), ((1, 2, 3), 1, (1,))], False),
}


@table("roots_are_rotated_by_old_and_new_keys", ROTATIONS)
def rotation(r, c, versions, is_right):
    signers = [key("ed25519") for _ in range(10)]
    r.published["root"] = {}
    for number, (keys, threshold, signing) in enumerate(versions, 1):
        r.new_keys("root", [signers[i] for i in keys], threshold)
        r.signers["root"] = [signers[i] for i in signing]
        r.root.version = number
        r.publish("root", bump=False)
    fresh = Client(BINARY, c.url)
    same(fresh.init(r.published["root"][1]), 0, fresh.told)
    same(fresh.refresh(), 0 if is_right else 1, fresh.told)
    same(fresh.trusted("root"), r.published["root"][len(versions) - (0 if is_right else 1)])


@table("other_roles_are_rotated_by_the_root", {
    f"{role}, {label}": (role, keys, threshold, signing, expected)
    for role in ("timestamp", "snapshot", "targets")
    for label, keys, threshold, signing, expected in (
        ("new key", (2,), 1, (2,), 0), ("signatures of others", (1,), 1, (3, 1, 4), 0), ("old key", (2,), 1, (1, 3), 1),
        ("3 of 5", (0, 1, 2, 3, 4), 3, (0, 2, 4), 0), ("one is old", (0, 1, 3, 4, 5), 3, (0, 2, 4), 1),
        ("one is missing", (0, 1, 3, 4, 5), 3, (0, 4), 1),
    )
})
def others(r, c, role, keys, threshold, signing, expected):
    signers = [key("ed25519") for _ in range(6)]
    same(c.refresh(), 0)
    r.new_keys(role, [signers[i] for i in keys], threshold)
    r.signers[role] = [signers[i] for i in signing]
    r.publish("root")
    r.release("targets")
    same(c.refresh(), expected, c.told)
    if expected == 0:
        same(c.trusted(role), r.published[role]["newest"])


def main():
    for name, function in BEHAVIOURS.items():
        repository = Repository()
        server = Server(repository)
        client = Client(BINARY, server.url)
        try:
            same(client.init(repository.published["root"][1]), 0, client.told)
            same(repository.asked, [])
            function(repository, client)
            why = None
        except Exception:
            why = traceback.format_exc(limit=-2) + client.told
        server.close()
        print(json.dumps({"behaviour": name, "why_not": why}), flush=True)


main()
