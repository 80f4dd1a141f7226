//! How a path is chosen.

use std::env;
use std::process::Command;

use crate::{PATH_VARIABLE, Path, PathError};

/// What a child of [`the_environment_forces_a_path`] should find.
const EXPECTED: &str = "HASHWARD_TEST_EXPECTED_PATH";

#[test]
fn names_lead_to_paths_and_back() {
    let available: Vec<Path> = Path::available().collect();
    assert_eq!(available.last().map(|path| path.name()), Some("portable"));
    assert_eq!(available.first(), Some(&Path::best()));
    for path in available {
        assert_eq!(Path::named(path.name()), Ok(path));
        assert_eq!(format!("{path:?}"), format!("Path({})", path.name()));
    }
}

#[test]
fn an_unknown_name_is_refused() {
    let error = Path::named("AVX512").unwrap_err();
    assert_eq!(error, PathError::Unknown { name: "AVX512".to_owned() });
    let message = "unknown digest path \"AVX512\": expected avx512, avx2, portable";
    assert_eq!(error.to_string(), message);
}

#[test]
fn a_path_that_this_processor_lacks_is_refused() {
    let message = PathError::Unavailable { name: "avx512" }.to_string();
    assert!(
        message.starts_with("this processor cannot take the digest path avx512: it can take "),
        "{message}"
    );
    assert!(message.ends_with("portable"), "{message}");
    for name in Path::NAMES {
        if !Path::available().any(|path| path.name() == name) {
            assert_eq!(Path::named(name), Err(PathError::Unavailable { name }));
        }
    }
}

/// The environment of a process is chosen before it starts, so this test starts itself.
#[test]
fn the_environment_forces_a_path() {
    if let Ok(expected) = env::var(EXPECTED) {
        assert_eq!(Path::chosen().name(), expected);
        assert_eq!(
            Path::from_environment().is_ok(),
            env::var(PATH_VARIABLE).is_ok_and(|name| name == expected)
        );
        return;
    }
    let child = |name: &str, expected: &str| {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "tests::paths::the_environment_forces_a_path"]);
        let output = command.env(PATH_VARIABLE, name).env(EXPECTED, expected).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && printed.contains("1 passed"), "{name}: {printed}");
    };
    Path::available().for_each(|path| child(path.name(), path.name()));
    child("nonsense", Path::best().name());
}
