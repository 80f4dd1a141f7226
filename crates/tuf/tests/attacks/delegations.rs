//! The search through delegations: its order, its ends, and who may speak about what.

use hashward_tuf::{TargetPath, TufError};
use serde_json::{Value, json};

use crate::editor::{Bench, after, now, sha256, signer, time};

/// The key of all delegated roles here.
const DELEGATED: u8 = 20;

struct Delegation {
    from: &'static str,
    to: &'static str,
    paths: &'static [&'static str],
    terminating: bool,
}

const fn to(from: &'static str, to: &'static str) -> Delegation {
    Delegation { from, to, paths: &["*"], terminating: false }
}

/// A repository with these delegations; `files` are targets by role.
fn bench(delegations: &[Delegation], files: &[(&str, &str)]) -> Bench {
    let mut bench = Bench::new();
    let mut roles: Vec<(String, Value)> = Vec::new();
    for delegation in delegations {
        if !roles.iter().any(|(name, _)| name == delegation.to) {
            let fresh = json!({
                "_type": "targets", "spec_version": "1.0.34", "version": 1,
                "expires": time(after(500)), "targets": {}
            });
            roles.push((delegation.to.to_owned(), fresh));
        }
    }
    for delegation in delegations {
        let child = json!({
            "name": delegation.to, "keyids": [signer(DELEGATED).id()], "threshold": 1,
            "paths": delegation.paths, "terminating": delegation.terminating
        });
        let parent = match delegation.from {
            "targets" => &mut bench.targets,
            from => &mut roles.iter_mut().find(|(name, _)| name == from).unwrap().1,
        };
        if parent.get("delegations").is_none() {
            let mut keys = json!({});
            keys[signer(DELEGATED).id()] = signer(DELEGATED).key();
            parent["delegations"] = json!({ "keys": keys, "roles": [] });
        }
        parent["delegations"]["roles"].as_array_mut().unwrap().push(child);
    }
    for (role, path) in files {
        let file = json!({ "length": path.len(), "hashes": { "sha256": sha256(path.as_bytes()) } });
        roles.iter_mut().find(|(name, _)| name == role).unwrap().1["targets"][*path] = file;
    }
    for (name, signed) in &roles {
        let file = json!({ "signed": signed, "signatures": [signer(DELEGATED).signature(signed)] });
        let encoded = name.replace('/', "%2F").replace('?', "%3F").replace('#', "%23");
        bench.serve(&format!("metadata/1.{encoded}.json"), &serde_json::to_vec(&file).unwrap());
        bench.snapshot["meta"][format!("{name}.json")] = json!({ "version": 1 });
    }
    bench.next(&["targets", "snapshot", "timestamp"]);
    bench
}

/// Searches, and tells which roles were asked.
fn search(bench: &Bench, path: &str) -> (Result<bool, TufError>, Vec<String>) {
    let mut client = bench.client();
    client.refresh(now()).unwrap();
    bench.files.0.lock().unwrap().asked.clear();
    let found = client.target(&path.parse::<TargetPath>().unwrap());
    let asked = bench.files.0.lock().unwrap().asked.clone();
    let roles = asked.iter().map(|url| url.trim_start_matches("1.").trim_end_matches(".json").to_owned());
    (found.map(|target| target.is_some()), roles.collect())
}

#[test]
fn roles_are_asked_depth_first_in_the_order_in_which_they_stand() {
    let ending = |from, to| Delegation { from, to, paths: &["*"], terminating: true };
    let python = |from, to| Delegation { from, to, paths: &["*.py"], terminating: false };
    for (name, delegations, expected) in [
        ("one", vec![to("targets", "A")], "A"),
        ("two", vec![to("targets", "A"), to("targets", "B")], "A B"),
        ("below", vec![to("targets", "A"), to("targets", "B"), to("B", "C")], "A B C"),
        ("depth first", vec![to("targets", "A"), to("targets", "B"), to("A", "C"), to("A", "D")], "A C D B"),
        ("deeper", vec![to("targets", "A"), to("targets", "B"), to("A", "C"), to("C", "D")], "A C D B"),
        ("terminating", vec![to("targets", "A"), to("targets", "B"), ending("A", "C"), to("A", "D")], "A C"),
        (
            "below terminating",
            vec![to("targets", "A"), to("targets", "B"), ending("A", "C"), to("C", "D")],
            "A C D",
        ),
        ("other paths", vec![python("targets", "A"), to("targets", "B"), to("A", "C")], "B"),
        (
            "other paths below",
            vec![to("targets", "A"), to("targets", "B"), python("A", "C"), to("C", "D")],
            "A B",
        ),
        (
            "a circle",
            vec![to("targets", "A"), to("targets", "B"), to("B", "C"), to("C", "D"), to("D", "B")],
            "A B C D",
        ),
        ("two ways", vec![to("targets", "A"), to("targets", "B"), to("B", "C"), to("A", "C")], "A C B"),
        (
            "two ways, one open",
            vec![to("targets", "A"), to("targets", "B"), to("B", "C"), python("A", "C")],
            "A B C",
        ),
    ] {
        let (found, asked) = search(&bench(&delegations, &[]), "missing");
        assert!(!found.unwrap(), "{name}");
        assert_eq!(asked.join(" "), expected, "{name}");
    }
}

#[test]
fn a_role_speaks_only_about_the_paths_that_lead_to_it() {
    let paths = |from, to, paths| Delegation { from, to, paths, terminating: false };
    let tree = [
        paths("targets", "A", &["*.doc", "*.md"]),
        paths("targets", "B", &["releases/*/*"]),
        paths("B", "C", &["releases/x/*"]),
        paths("B", "D", &["releases/y/*.zip"]),
    ];
    let files = [
        ("A", "README.md"),
        ("C", "releases/x/x_v1"),
        ("D", "releases/y/y_v1.zip"),
        ("D", "releases/z/z_v1.zip"),
    ];
    let bench = bench(&tree, &files);
    for (path, expected, asked) in [
        ("list", true, ""),
        ("README.md", true, "A"),
        ("releases/x/x_v1", true, "B C"),
        ("releases/y/y_v1.zip", true, "B D"),
        ("releases/z/z_v1.zip", false, "B"),
    ] {
        let fresh = bench.folder.path().join("trusted");
        for role in ["A", "B", "C", "D"] {
            let _ = std::fs::remove_file(fresh.join(format!("{role}.json")));
        }
        let (found, roles) = search(&bench, path);
        assert_eq!((found.unwrap(), roles.join(" ").as_str()), (expected, asked), "{path}");
    }
}

#[test]
fn hash_prefixes_lead_to_bins() {
    let mut bench = bench(&[to("targets", "low"), to("targets", "high")], &[("low", "a"), ("high", "b")]);
    // SHA-256 of `a` begins with ca, that of `b` with 3e.
    for (i, prefixes) in [(0, json!(["0", "1", "2", "3"])), (1, json!(["c"]))] {
        let role = bench.targets["delegations"]["roles"][i].as_object_mut().unwrap();
        role.remove("paths");
        role.insert("path_hash_prefixes".into(), prefixes);
    }
    bench.next(&["targets", "snapshot", "timestamp"]);
    assert_eq!(search(&bench, "a").1, ["high"]);
    assert_eq!(search(&bench, "b").1, ["low"]);
}

#[test]
fn odd_names_of_roles_are_neither_urls_nor_folders() {
    for (role, asked) in
        [("?", "%3F"), ("#", "%23"), ("/delegated", "%2Fdelegated"), ("../delegated", "..%2Fdelegated")]
    {
        let bench = bench(&[to("targets", role)], &[]);
        let before = bench.trusted();
        let (found, roles) = search(&bench, "missing");
        assert!(!found.unwrap());
        assert_eq!(roles, [asked]);
        let changed = bench.changed(&before);
        assert!(changed.contains(&format!("{asked}.json")), "{changed:?}");
    }
}

#[test]
fn a_delegated_role_must_be_signed_fresh_and_of_no_great_name() {
    let mut unsigned = bench(&[to("targets", "A")], &[("A", "file")]);
    let role: Value = serde_json::from_slice(&unsigned.file("metadata/1.A.json")).unwrap();
    let forged = json!({ "signed": role["signed"], "signatures": [signer(1).signature(&role["signed"])] });
    unsigned.serve("metadata/1.A.json", &serde_json::to_vec(&forged).unwrap());
    let (found, _) = search(&unsigned, "file");
    assert!(matches!(found, Err(TufError::TooFewSignatures { strangers: 1, .. })), "{found:?}");

    let mut expired = role["signed"].clone();
    expired["expires"] = "2026-02-01T00:00:00Z".into();
    let file = json!({ "signed": expired, "signatures": [signer(DELEGATED).signature(&expired)] });
    unsigned.serve("metadata/1.A.json", &serde_json::to_vec(&file).unwrap());
    let (found, _) = search(&unsigned, "file");
    assert!(matches!(found, Err(TufError::Expired { .. })), "{found:?}");
    assert!(!unsigned.trusted().contains_key("A.json"));

    unsigned.targets["delegations"]["roles"][0]["name"] = "timestamp".into();
    unsigned.next(&["targets", "snapshot", "timestamp"]);
    let (found, asked) = search(&unsigned, "file");
    assert!(matches!(found, Err(TufError::Malformed { .. })), "{found:?}");
    assert!(asked.is_empty());
}

#[test]
fn a_search_ends_at_its_limit() {
    let names: Vec<&'static str> = (0..40).map(|i| &*format!("r{i}").leak()).collect();
    let delegations: Vec<Delegation> = names.iter().map(|name| to("targets", name)).collect();
    let (found, asked) = search(&bench(&delegations, &[]), "missing");
    assert!(matches!(found, Err(TufError::TooManyDelegations { max: 32, .. })), "{found:?}");
    assert_eq!(asked.len(), 32);
}

#[test]
fn a_role_that_the_snapshot_does_not_list_says_nothing() {
    let mut bench = bench(&[to("targets", "A"), to("targets", "B")], &[("A", "file")]);
    bench.snapshot["meta"].as_object_mut().unwrap().remove("A.json");
    bench.next(&["snapshot", "timestamp"]);
    let (found, asked) = search(&bench, "file");
    assert_eq!((found.unwrap(), asked), (false, vec!["B".to_owned()]));
}
