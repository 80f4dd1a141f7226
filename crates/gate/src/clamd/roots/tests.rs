use std::os::unix::fs::symlink;
use std::{fs, io};

use rustix::fs::{CWD, mknodat};

use super::*;

/// What a walk of `path` tells, in order: the path, and the content or why there is none.
fn told(roots: &Roots, path: &Path) -> Vec<(String, String)> {
    let (sender, mut found) = mpsc::channel(1000);
    roots.walk(path.to_path_buf(), &sender);
    drop(sender);
    let mut all = Vec::new();
    while let Some(found) = found.blocking_recv() {
        let content = found.file.map_or_else(str::to_owned, |file| io::read_to_string(file).unwrap());
        all.push((found.path.to_str().unwrap().to_owned(), content));
    }
    all.sort();
    all
}

#[test]
fn nothing_outside_of_the_roots_is_opened_or_told() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().canonicalize().unwrap();
    let at = |name: &str| dir.join(name);
    for folder in ["root/sub/deep", "root-2", "outside"] {
        fs::create_dir_all(at(folder)).unwrap();
    }
    for name in ["root/a", "root/sub/b", "root/sub/deep/c", "root-2/x", "outside/secret"] {
        fs::write(at(name), name).unwrap();
    }
    symlink("sub/b", at("root/link-in")).unwrap();
    symlink("../outside", at("root/way-out")).unwrap();
    symlink(at("outside/secret"), at("root/link-out")).unwrap();
    symlink(at("outside/missing"), at("root/link-to-nothing")).unwrap();
    symlink("loop", at("root/loop")).unwrap();
    mknodat(CWD, at("root/pipe"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let roots = Roots::open(&[at("root")]).unwrap();

    let one = |name: &str| {
        let all = told(&roots, &at(name));
        assert_eq!(all.len(), 1, "{name}: {all:?}");
        all[0].1.clone()
    };
    for (name, expected) in [
        ("root/a", "root/a"),
        ("root//sub/./b", "root/sub/b"),
        ("root/sub/../a", "root/a"),
        ("outside/../root/a", "root/a"),
        ("root/link-in", "root/sub/b"),
        ("root/missing", MISSING),
        ("root/a/b", MISSING),
        ("root/pipe", NOT_A_FILE),
        ("root/loop", DENIED),
        ("root/link-out", DENIED),
        ("root/link-to-nothing", DENIED),
        ("root/way-out", DENIED),
        ("root/way-out/secret", DENIED),
        ("root/way-out/missing", DENIED),
        ("root/../outside/secret", DENIED),
        ("root/../outside/missing", DENIED),
        ("root-2/x", DENIED),
        ("outside/missing", DENIED),
    ] {
        assert_eq!(one(name), expected, "{name}");
    }
    let all = told(&roots, &at("root"));
    let names: Vec<&str> =
        all.iter().map(|(path, _)| path.strip_prefix(dir.to_str().unwrap()).unwrap()).collect();
    assert_eq!(names, ["/root/a", "/root/sub/b", "/root/sub/deep/c"]);
    assert_eq!(told(&roots, Path::new("relative"))[0].1, MISSING);
    assert_eq!(told(&Roots::open(&[]).unwrap(), &at("root/a"))[0].1, DENIED);
}

#[test]
fn a_walk_is_of_bounded_depth() {
    let dir = tempfile::tempdir().unwrap();
    let mut path = dir.path().to_path_buf();
    for _ in 0..DEPTH_MAX {
        path.push("d");
    }
    fs::create_dir_all(&path).unwrap();
    fs::write(path.join("file"), "far").unwrap();
    let roots = Roots::open(&[dir.path().to_path_buf()]).unwrap();
    assert_eq!(told(&roots, dir.path()), [(path.to_str().unwrap().to_owned(), TOO_DEEP.to_owned())]);
    assert_eq!(told(&roots, &path)[0].1, "far");
}

#[test]
fn roots_are_folders() {
    let told = |path: &str| Roots::open(&[path.into()]).unwrap_err().to_string();
    assert_eq!(told("relative"), "roots: relative is not absolute");
    assert!(told("/nowhere/at/all").contains("/nowhere/at/all: No such file"));
    assert!(told("/etc/passwd").contains("Not a directory"));
}
