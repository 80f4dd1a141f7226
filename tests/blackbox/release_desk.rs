//! `hashward release` as people use it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::release_house::ReleaseHouse;
use crate::worker::text;

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

#[test]
fn two_people_sign_on_two_machines_and_a_missing_signature_says_whose() {
    let house = ReleaseHouse::new();
    house.init();
    let signed = house.json(&words("sign first.draft --key anna.key"));
    assert_eq!(signed[0]["signed_by_enough"], false);
    assert_eq!(signed[0]["files"][0]["signed_by"], serde_json::json!(["anna"]));
    let publish = words("sign first.draft --repository repo --online-key desk.key");
    let told = house.refused(&publish);
    assert!(told.contains("missing: ben, cleo"), "{told}");
    assert!(!house.path("repo/metadata/1.root.json").exists());
    // Cleo signs a copy on her machine, and both are joined.
    fs::copy(house.path("first.draft"), house.path("copy.draft")).unwrap();
    house.ok(&words("sign copy.draft --key cleo.key"));
    let told = house.ok(&words("sign first.draft --merge copy.draft"));
    assert!(
        told.contains("root 1 (root in root 1): signed by") && told.contains("anna") && told.contains("cleo")
    );
    house.ok(&publish);
    house.ok(&["status", "repo"]);
    let status = &house.json(&["status", "repo"])[0];
    let roles: Vec<_> = status["roles"].as_array().unwrap().iter().map(|role| role["role"].clone()).collect();
    assert_eq!(roles, ["root", "targets", "snapshot", "timestamp"]);
    let told = house.refused(&words("sign first.draft --key desk.key"));
    assert!(told.contains("desk.key") && told.contains("anna, ben, cleo"), "{told}");
}

#[test]
fn a_folder_is_verified_without_a_network_and_every_step_is_told() {
    let house = ReleaseHouse::founded();
    house.publish("lists/a", b"content");
    let told = house.ok(&words("verify repo --root repo/metadata/1.root.json"));
    for step in ["5.3.2", "5.3.10", "5.4", "5.5", "5.6", "5.7.2"] {
        assert!(told.contains(&format!("ok    {step}")), "{step}: {told}");
    }
    let steps = house.json(&words("verify repo"));
    assert!(steps.iter().all(|step| step["error"].is_null()));
    let folder = fs::read_dir(house.path("repo/targets/lists")).unwrap();
    let file = folder.map(|entry| entry.unwrap().path()).next().unwrap();
    fs::write(&file, b"contenX").unwrap();
    let output = house.run(&words("verify repo"));
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stdout).contains("WRONG 5.7.2"), "{}", text(&output.stdout));
    let other = ReleaseHouse::founded();
    let root = other.path("repo/metadata/1.root.json");
    let output = house.run(&["verify", "repo", "--root", root.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
    let output = house.run(&["verify", "nowhere"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
}

#[test]
fn keys_lie_under_passphrases_and_are_never_shown() {
    let house = ReleaseHouse::new();
    let secret = "correct horse battery";
    let mut new = house.command(&words("keys new eve"));
    let made = new.env("HASHWARD_PASSPHRASE", secret).output().unwrap();
    assert!(made.status.success(), "{}", text(&made.stderr));
    let pem = fs::read_to_string(house.path("eve.key")).unwrap();
    assert!(pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    let mode = fs::metadata(house.path("eve.key")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    fs::write(house.path("passphrase"), format!("{secret}\n")).unwrap();
    let told = house.refused(&words("keys show eve.key --passphrase-file passphrase"));
    assert!(told.contains("mode 0644") || told.contains("may be read by others"), "{told}");
    fs::set_permissions(house.path("passphrase"), fs::Permissions::from_mode(0o600)).unwrap();
    let shown = house.ok(&words("keys show eve.key --passphrase-file passphrase"));
    let public = house.ok(&words("keys show eve.pub"));
    assert_eq!(public, format!("eve: {shown}"));
    let wrong = house
        .command(&words("keys show eve.key"))
        .env("HASHWARD_PASSPHRASE", "wrong wrong")
        .output()
        .unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("the passphrase does not open it"), "{}", text(&wrong.stderr));
    for output in [&shown, &public, &text(&wrong.stderr), &text(&made.stdout)] {
        assert!(!output.contains(secret) && !output.contains("PRIVATE"));
    }
    let again = house.refused(&words("keys new anna --no-passphrase"));
    assert!(again.contains("not written over"), "{again}");
    let told = house.refused(&words("keys new ../x --no-passphrase"));
    assert!(told.contains("a key's name"), "{told}");
    fs::set_permissions(house.path("anna.key"), fs::Permissions::from_mode(0o644)).unwrap();
    house.init();
    let told = house.refused(&words("sign first.draft --key anna.key"));
    assert!(told.contains("chmod 600"), "{told}");
}

#[test]
fn openssl_reads_our_keys_and_we_read_its() {
    let house = ReleaseHouse::new();
    let openssl = |line: &str| {
        let output = std::process::Command::new("openssl")
            .args(line.split(' '))
            .current_dir(house.path(""))
            .output()
            .expect("openssl starts");
        assert!(output.status.success(), "{line}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    assert!(openssl("pkey -in anna.key -noout -text_pub").contains("ED25519"));
    openssl("genpkey -algorithm ed25519 -aes256 -pass pass:someone-elses -out theirs.key");
    fs::set_permissions(house.path("theirs.key"), fs::Permissions::from_mode(0o600)).unwrap();
    let shown = house
        .command(&words("keys show theirs.key"))
        .env("HASHWARD_PASSPHRASE", "someone-elses")
        .output()
        .unwrap();
    assert!(text(&shown.stdout).starts_with("ed25519 "), "{}", text(&shown.stderr));
    let mut new = house.command(&words("keys new ours"));
    assert!(new.env("HASHWARD_PASSPHRASE", "ours-and-ours").output().unwrap().status.success());
    assert!(openssl("pkey -in ours.key -passin pass:ours-and-ours -noout -text_pub").contains("ED25519"));
}

#[test]
fn a_key_is_rotated_away_and_counts_no_more() {
    let house = ReleaseHouse::founded();
    house.ok(&words("keys new dora --no-passphrase"));
    house.ok(&words("rotate-root repo --add dora.pub --remove anna --draft second.draft"));
    let told =
        house.refused(&words("sign second.draft --key dora.key --repository repo --online-key desk.key"));
    assert!(told.contains("missing: anna, ben, cleo"), "{told}");
    house
        .ok(&words("sign second.draft --key ben.key --key cleo.key --repository repo --online-key desk.key"));
    house.ok(&["verify", "repo"]);
    let status = &house.json(&["status", "repo"])[0];
    assert_eq!(status["roles"][0]["version"], 2);
    let told = house.refused(&words("rotate-root repo --remove anna --draft third.draft"));
    assert!(told.contains("no key is named anna"), "{told}");
    let told = house.refused(&words("status repo --config x.toml"));
    assert!(told.contains("--config"), "{told}");
}
