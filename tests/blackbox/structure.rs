//! The house: who may know whom. ARCHITECTURE.md states it, this holds it.

use std::process::Command;

/// The crates that `package` needs to be built, itself included.
fn needs(package: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--locked",
            "--package",
            package,
            "--edges",
            "normal,build",
            "--prefix",
            "none",
        ])
        .args(["--format", "{p}", "--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
        .output()
        .expect("cargo is there, it built this test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("names are text");
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

fn own(package: &str) -> Vec<String> {
    let mut own = needs(package);
    own.retain(|name| name.starts_with("hashward") && name != package);
    own.sort();
    own.dedup();
    own.into_iter().map(|name| name.replacen("hashward-", "", 1)).collect()
}

#[test]
fn dependencies_point_one_way() {
    for (package, expected) in [
        ("hashward-core", &[][..]),
        ("hashward-digest", &["core"]),
        ("hashward-index", &["core"]),
        ("hashward-list", &["core"]),
        ("hashward-release", &["core", "list"]),
        ("hashward-tuf", &[]),
        ("hashward-evidence", &["core"]),
        ("hashward-engine", &["core", "digest", "index", "list"]),
        ("hashward-kafka", &["core", "digest", "engine", "index", "list"]),
        ("hashward-local", &["core", "digest", "engine", "index", "list"]),
        ("hashward-fetch", &["core", "digest", "engine", "index", "list"]),
        ("hashward-gate", &["core", "digest", "engine", "index", "list"]),
    ] {
        let extra: Vec<String> =
            own(package).into_iter().filter(|name| !expected.contains(&name.as_str())).collect();
        assert_eq!(extra, Vec::<String>::new(), "{package} knows what it should not");
    }
}

#[test]
fn the_engine_knows_no_kafka_no_http_and_no_async_runtime() {
    for package in [
        "hashward-core",
        "hashward-digest",
        "hashward-index",
        "hashward-list",
        "hashward-release",
        "hashward-engine",
        "hashward-evidence",
        "hashward-tuf",
    ] {
        for stranger in ["tokio", "rdkafka", "rdkafka-sys", "hyper", "axum", "http", "ureq"] {
            assert!(!needs(package).iter().any(|name| name == stranger), "{package} knows {stranger}");
        }
    }
}
