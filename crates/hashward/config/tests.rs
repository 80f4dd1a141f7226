//! The layers, the texts of the errors, and the committed documents.

use std::fs;
use std::path::{Path, PathBuf};

use hashward_engine::{BreakerLimits, Policy, Rollout};

use super::*;

fn committed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("configs").join(name)
}

fn flag(key: &str, text: &str) -> Flag {
    Flag { name: "--set".to_owned(), key: key.to_owned(), value: FlagValue::Text(text.to_owned()) }
}

/// Loads a file with this text, these variables and these `--set` flags.
fn load_layers(text: &str, variables: &[(&str, &str)], set: &[(&str, &str)]) -> Result<Config, String> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("c.toml");
    fs::write(&file, text).unwrap();
    let environment =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let flags = set.iter().map(|(key, value)| flag(key, value)).collect();
    let sources = Sources { file: Some(file.clone()), environment, flags };
    load(&sources).map_err(|error| error.to_string().replace(&file.display().to_string(), "c.toml"))
}

fn error_of(text: &str) -> String {
    load_layers(text, &[], &[]).map(|_| ()).unwrap_err()
}

#[test]
fn each_layer_goes_over_the_one_before() {
    let file = "[line]\nopen_threads = 2\nprefetch_batches = 3\nundelivered_batches = 4";
    let variables = [("HASHWARD__LINE__PREFETCH_BATCHES", "5"), ("HASHWARD__LINE__UNDELIVERED_BATCHES", "6")];
    let line = load_layers(file, &variables, &[("line.undelivered_batches", "7")]).unwrap().line;
    assert_eq!((line.open_threads, line.prefetch_batches, line.undelivered_batches), (2, 5, 7));
    assert_eq!(line.in_flight_max, 65_536);
}

#[test]
fn variables_are_values_of_toml_or_text() {
    let variables = [
        ("HASHWARD__KAFKA__TOPICS", "[\"a\", \"b\"]"),
        ("HASHWARD__INSTANCE", "007"),
        ("HASHWARD__KAFKA__GROUP_ID", "\"quoted\""),
        ("HASHWARD__HTTP__ENABLED", "false"),
        ("HASHWARD__KAFKA__SETTINGS__SASL_PASSWORD", "1e5"),
        ("HASHWARD__KAFKA__CONSUMER_SETTINGS", "{\"fetch.min.bytes\" = 7}"),
        ("OTHER__INSTANCE", "no"),
    ];
    let config = load_layers("", &variables, &[]).unwrap();
    assert_eq!(config.kafka.topics, ["a", "b"]);
    assert_eq!((config.instance.as_str(), config.kafka.group_id.as_str()), ("007", "quoted"));
    assert_eq!(config.http, None);
    let settings: Vec<_> = config.kafka.settings.iter().collect();
    assert_eq!(settings, [("sasl.password", "1e5".to_owned())]);
    let settings: Vec<_> = config.kafka.consumer_settings.iter().collect();
    assert_eq!(settings, [("fetch.min.bytes", "7".to_owned())]);
}

#[test]
fn layers_add_to_tables_of_settings() {
    let file = "[kafka.settings]\n\"sasl.username\" = \"u\"\nssl.ca.location = \"/ca\"";
    let config = load_layers(file, &[], &[("kafka.settings.sasl.password", "p")]).unwrap();
    let names: Vec<&str> = config.kafka.settings.names().collect();
    assert_eq!(names, ["sasl.password", "sasl.username", "ssl.ca.location"]);
}

#[test]
fn layers_add_to_the_shares_of_lists() {
    let file = "[guard]\nrollout_percent = { a = 1, \"eu.common_1\" = 2 }";
    let variables = [
        ("HASHWARD__GUARD__ROLLOUT_PERCENT__NEW_LIST", "3"),
        ("HASHWARD__GUARD__ROLLOUT_PERCENT", "{\"B\" = 4}"),
    ];
    let config = load_layers(file, &variables, &[("guard.rollout_percent.a", "5")]).unwrap();
    let expected = [("B", 4), ("a", 5), ("eu.common_1", 2), ("new_list", 3)];
    let expected = expected.map(|(list, percent)| (list.parse().unwrap(), percent));
    assert_eq!(config.policy.rollout, Rollout::from_iter(expected));
}

#[test]
fn the_defaults_are_those_of_the_engine() {
    let config = load_layers("", &[], &[]).unwrap();
    assert_eq!((config.policy, config.breaker), (Policy::default(), BreakerLimits::default()));
}

#[test]
fn unknown_keys_are_told_with_place_and_near_word() {
    let text =
        "instanse = \"x\"\n[line]\nopen_thread = 2\n[kafak]\ntopics = []\n[alerts]\nfile = \"a\"\ncolour = 1";
    assert_eq!(
        error_of(text),
        "c.toml:1: instanse: unknown key; did you mean instance?\n\
         c.toml:3: line.open_thread: unknown key; did you mean line.open_threads?\n\
         c.toml:4: kafak: unknown key; did you mean kafka?\n\
         c.toml:8: alerts.colour: unknown key; `hashward config reference` shows every key"
    );
    let variable = [("HASHWARD__LIEN__OPEN_THREADS", "3")];
    assert_eq!(
        load_layers("", &variable, &[]).map(|_| ()).unwrap_err(),
        "HASHWARD__LIEN__OPEN_THREADS: lien.open_threads: unknown key; did you mean line.open_threads?"
    );
    assert_eq!(
        load_layers("", &[], &[("topics", "[]")]).map(|_| ()).unwrap_err(),
        "--set: topics: unknown key; did you mean kafka.topics?"
    );
}

#[test]
fn wrong_types_are_told_with_what_would_be_right() {
    for (text, expected) in [
        (
            "[line]\nopen_threads = \"two\"",
            "c.toml:2: line.open_threads: \"two\": expected a whole number, 0 or more, such as 32",
        ),
        (
            "[line]\nopen_threads = -1",
            "c.toml:2: line.open_threads: -1: expected a whole number, 0 or more, such as 32",
        ),
        (
            "[http]\nenabled = \"yes\"",
            "c.toml:2: http.enabled: \"yes\": expected true or false, such as false",
        ),
        (
            "[guard]\nrollout_percent = { a = \"half\" }",
            "c.toml:2: guard.rollout_percent.a: \"half\": expected a whole number, 0 or more",
        ),
        (
            "[kafka]\ntopics = \"a\"",
            "c.toml:2: kafka.topics: \"a\": expected a list in brackets, such as [\"uploads\"]",
        ),
        (
            "[kafka]\ntopics = [\"a\", 7]",
            "c.toml:2: kafka.topics: [\"a\", 7]: expected text in quotes, such as [\"uploads\"]",
        ),
        (
            "[source]\nkind = \"kafak\"",
            "c.toml:2: source.kind: \"kafak\": expected one of \"inbox\", \"kafka\", \"none\"; did you mean \"kafka\"?",
        ),
        ("kafka = 3", "c.toml:1: kafka: this is a section: set its fields, such as in [kafka]"),
    ] {
        assert_eq!(error_of(text), expected);
    }
    // Everything that is wrong is told at once.
    assert_eq!(error_of("[line]\nopen_threads = \"a\"\nin_flight_max = \"b\"").lines().count(), 2);
}

#[test]
fn bad_values_are_told_with_what_would_be_right() {
    for (text, expected) in [
        ("[line]\nopen_threads = 0", "c.toml:2: line.open_threads: 0: expected 1 to 1024"),
        (
            "[guard.rollout_percent]\n\"eu.common\" = 101",
            "c.toml:2: guard.rollout_percent.eu.common: 101: expected 0 to 100",
        ),
        (
            "[guard.rollout_percent]\n\"a b\" = 1",
            "c.toml:2: guard.rollout_percent.a b: bad list id \"a b\": expected 1 to 64 of A-Z, a-z, 0-9, \
             '.', '_' and '-'",
        ),
        ("[guard]\nbreaker_window_ms = 0", "c.toml:2: guard.breaker_window_ms: 0: expected 1 to 31622400000"),
        (
            "instance = \"a b\"",
            "c.toml:1: instance: \"a b\": expected 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'",
        ),
        (
            "[policy]\njurisdictions = [\"de\"]",
            "c.toml:2: policy.jurisdictions: unknown territory \"de\": expected an ISO 3166-1 code such as \
             DE, or EU; did you mean DE?",
        ),
        (
            "[http]\nlisten = \"localhost\"",
            "c.toml:2: http.listen: \"localhost\": expected IP:port, such as 127.0.0.1:9464 or [::1]:9464",
        ),
        (
            "[http]\nlisten = \"0.0.0.0:9464\"",
            "c.toml:2: http.listen: \"0.0.0.0:9464\": other machines can reach it, and it has no password: \
             take a loopback address, or set http.insecure = true",
        ),
        (
            "[kafka]\nbootstrap_servers = [\"kafka\"]",
            "c.toml:2: kafka.bootstrap_servers: \"kafka\": expected host:port, such as \
             kafka-1.example.net:9093",
        ),
        (
            "[log]\nlevel = \"inof\"",
            "c.toml:2: log.level: \"inof\": expected one of error, warn, info, debug, trace, off; \
             did you mean info?",
        ),
    ] {
        assert_eq!(error_of(text), expected);
    }
    assert!(load_layers("[http]\nlisten = \"0.0.0.0:9464\"\ninsecure = true", &[], &[]).is_ok());
    let owned = error_of("[kafka.settings]\n\"group.id\" = \"x\"");
    assert!(owned.starts_with("c.toml:2: kafka.settings.group.id: Hashward owns this setting"), "{owned}");
    assert!(owned.contains("kafka.group_id"), "{owned}");
}

#[test]
fn no_error_shows_a_secret() {
    for text in [
        "[kafka.settings]\n\"sasl.password\" = \"hunter2",
        "[kafka.settings]\n\"sasl.password\" = [\"hunter2\"]",
    ] {
        let error = error_of(text);
        assert!(!error.contains("hunter2"), "{error}");
    }
    let config = load_layers("[kafka.settings]\n\"sasl.password\" = \"hunter2\"", &[], &[]).unwrap();
    let shown = format!("{config:?} {} {}", show(&config, false), show(&config, true));
    assert!(!shown.contains("hunter2") && shown.contains("sasl.password"), "{shown}");
}

#[test]
fn syntax_errors_have_line_and_column() {
    let error = error_of("[line]\nopen_threads = = 2");
    assert!(error.starts_with("c.toml:2:16: "), "{error}");
    let missing = Sources { file: Some("no/such/file.toml".into()), ..Sources::default() };
    let error = load(&missing).map(|_| ()).unwrap_err().to_string();
    assert!(error.starts_with("no/such/file.toml: cannot be read: "), "{error}");
}

#[test]
fn parts_that_do_not_go_together() {
    let kafka = "[source]\nkind = \"kafka\"\n[alerts]\nkind = \"kafka\"\n";
    for (text, keys) in [
        (String::new(), &[][..]),
        (format!("{kafka}[kafka]\ntopics = [\"uploads\"]"), &[]),
        (kafka.to_owned(), &["kafka.topics"]),
        (format!("{kafka}[kafka]\ntopics = [\"a\", \"a\"]"), &["kafka.topics"]),
        (format!("{kafka}[kafka]\ntopics = [\"hashward.alerts\"]"), &["kafka.alerts_topic"]),
        (format!("{kafka}[kafka]\ntopics = [\"a\"]\nquarantine_topic = \"a\""), &["kafka.quarantine_topic"]),
        (
            format!("{kafka}[kafka]\ntopics = [\"a\"]\nquarantine_topic = \"hashward.alerts\""),
            &["kafka.quarantine_topic"],
        ),
        (
            format!("{kafka}[kafka]\ntopics = [\"a\"]\ndelivery = \"transactional\""),
            &["kafka.transactional_id"],
        ),
        (
            "[kafka]\ndelivery = \"transactional\"\ntransactional_id = \"t\"".to_owned(),
            &["source.kind", "alerts.kind"],
        ),
        ("[alerts]\nfile = \"x\"\nquarantine_file = \"x\"".to_owned(), &["alerts.quarantine_file"]),
        ("[alerts]\nfile = \"hashward-data/inbox/x\"".to_owned(), &["alerts.file"]),
        ("[lists]\nfiles = [\"x\", \"x\"]".to_owned(), &["lists.files"]),
    ] {
        let config = load_layers(&text, &[], &[]).unwrap();
        let found: Vec<String> =
            topology::check(&config).into_iter().filter_map(|finding| finding.key).collect();
        assert_eq!(found, keys, "{text}");
    }
}

#[test]
fn what_does_not_go_together_is_told_with_its_place() {
    let kafka = "[source]\nkind = \"kafka\"\n[alerts]\nkind = \"kafka\"\n[kafka]\n";
    let topic = ("HASHWARD__KAFKA__ALERTS_TOPIC", "a");
    let none: &[(&str, &str)] = &[];
    for (text, variables, set, expected) in [
        (format!("{kafka}topics = []"), none, none, "c.toml:6: kafka.topics: empty: "),
        (
            format!("{kafka}topics = [\"a\"]"),
            &[topic],
            none,
            "HASHWARD__KAFKA__ALERTS_TOPIC: kafka.alerts_topic: ",
        ),
        (
            format!("{kafka}topics = [\"a\"]"),
            &[topic],
            &[("kafka.alerts_topic", "a")],
            "--set: kafka.alerts_topic: ",
        ),
        (
            "[lists]\nskip_bad_lines = true\nfiles = [\"x\", \"x\"]".to_owned(),
            none,
            none,
            "c.toml:3: lists.files: ",
        ),
        // The default is at fault with another field: it stands nowhere.
        (kafka.to_owned(), none, none, "kafka.topics: empty: "),
    ] {
        let config = load_layers(&text, variables, set).unwrap();
        let ConfigError(findings) = check_topology(&config).unwrap_err();
        let told = findings[0].to_string();
        let file = told.find("c.toml").unwrap_or_default();
        assert!(told[file..].starts_with(expected), "{told}");
    }
}

/// Both documents are written by `hashward config`; run it again after changing a field.
#[test]
fn committed_documents_are_up_to_date() {
    assert_eq!(fs::read_to_string(committed("reference.toml")).unwrap(), reference());
    assert_eq!(fs::read_to_string(committed("hashward.schema.json")).unwrap(), schema_text());
}

#[test]
fn the_reference_says_the_defaults() {
    let sources = Sources { file: Some(committed("reference.toml")), ..Sources::default() };
    assert_eq!(load(&sources).unwrap().raw, RawConfig::default());
    for line in reference().lines() {
        assert!(line.chars().count() <= 110, "{line}");
    }
}

#[test]
fn every_committed_configuration_is_good() {
    let files = fs::read_dir(committed("")).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|is| is == "toml")).collect();
    assert!(files.len() >= 2);
    for file in files {
        let config = load(&Sources { file: Some(file.clone()), ..Sources::default() });
        let config = config.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert_eq!(topology::check(&config), [], "{}", file.display());
    }
}
