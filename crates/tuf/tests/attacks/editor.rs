//! A repository in memory that can be made to say anything, right or wrong. It shares no code with the crate: metadata
//! is plain JSON, signed with ring.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hashward_tuf::{Area, Client, Limits, RepoPath, Store, Target, TargetPath, Transport, TransportError};
use jiff::{SignedDuration, Timestamp};
use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

/// What is signed. Of what these tests hold, the compact form with sorted keys is the canonical one, but for line ends.
pub(crate) fn message(value: &Value) -> Vec<u8> {
    serde_json::to_string(value).unwrap().replace("\\n", "\n").into_bytes()
}

/// The moment at which all tests begin.
pub(crate) fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

pub(crate) fn after(hours: i64) -> Timestamp {
    now() + SignedDuration::from_hours(hours)
}

/// A key, by its number.
pub(crate) struct Signer(Ed25519KeyPair);

pub(crate) fn signer(number: u8) -> Signer {
    Signer(Ed25519KeyPair::from_seed_unchecked(&[number; 32]).unwrap())
}

impl Signer {
    pub(crate) fn key(&self) -> Value {
        json!({ "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": hex(self.0.public_key().as_ref()) } })
    }

    pub(crate) fn id(&self) -> String {
        sha256(&message(&self.key()))
    }

    pub(crate) fn signature(&self, signed: &Value) -> Value {
        json!({ "keyid": self.id(), "sig": hex(self.0.sign(&message(signed)).as_ref()) })
    }
}

/// How a file is served.
#[derive(Clone)]
pub(crate) enum Served {
    Whole(Vec<u8>),
    /// Goes on for ever.
    Endless,
    /// A byte in a while.
    Trickled(Vec<u8>, Duration),
    /// Breaks off with an error behind so many bytes.
    Cut(Vec<u8>, usize),
}

#[derive(Default)]
pub(crate) struct Files {
    pub(crate) served: BTreeMap<String, Served>,
    pub(crate) asked: Vec<String>,
}

#[derive(Clone, Default)]
pub(crate) struct Shared(pub(crate) Arc<Mutex<Files>>);

impl Transport for Shared {
    fn open(&self, path: &RepoPath, offset_bytes: u64) -> Result<Box<dyn Read + Send>, TransportError> {
        let area = if path.area() == Area::Metadata { "metadata" } else { "targets" };
        let url = format!("{area}/{}", path.url());
        let mut files = self.0.lock().unwrap();
        files.asked.push(path.url());
        let offset = usize::try_from(offset_bytes).unwrap();
        match files.served.get(&url).ok_or(TransportError::NotFound)? {
            Served::Whole(bytes) => Ok(Box::new(io::Cursor::new(bytes[offset.min(bytes.len())..].to_vec()))),
            Served::Endless => Ok(Box::new(io::repeat(b' '))),
            Served::Trickled(bytes, pause) => Ok(Box::new(Trickle(bytes[offset..].to_vec(), 0, *pause))),
            Served::Cut(bytes, at) => {
                let begin = io::Cursor::new(bytes[offset.min(*at)..*at].to_vec());
                Ok(Box::new(begin.chain(Broken)))
            }
        }
    }
}

struct Trickle(Vec<u8>, usize, Duration);

impl Read for Trickle {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        std::thread::sleep(self.2);
        let Some(byte) = self.0.get(self.1) else { return Ok(0) };
        self.1 += 1;
        out[0] = *byte;
        Ok(1)
    }
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _out: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

/// A repository, a client, and what the client keeps.
pub(crate) struct Bench {
    pub(crate) root: Value,
    pub(crate) targets: Value,
    pub(crate) snapshot: Value,
    pub(crate) timestamp: Value,
    /// Who signs, by role.
    pub(crate) signers: BTreeMap<String, Vec<u8>>,
    pub(crate) files: Shared,
    pub(crate) folder: TempDir,
    pub(crate) limits: Limits,
}

pub(crate) const OFFLINE: [u8; 3] = [1, 2, 3];
pub(crate) const ONLINE: u8 = 9;

impl Bench {
    /// Version 1 of everything: offline keys 1, 2 and 3 with threshold 2, online key 9. One target `list`.
    pub(crate) fn new() -> Self {
        let fresh = |kind: &str, hours: i64| json!({ "_type": kind, "spec_version": "1.0.34", "version": 1, "expires": time(after(hours)) });
        let mut bench = Self {
            root: fresh("root", 1000),
            targets: fresh("targets", 500),
            snapshot: fresh("snapshot", 200),
            timestamp: fresh("timestamp", 100),
            signers: BTreeMap::new(),
            files: Shared::default(),
            folder: tempfile::tempdir().unwrap(),
            limits: Limits { metadata_time_max: Duration::from_secs(60), ..Limits::default() },
        };
        bench.root["consistent_snapshot"] = true.into();
        bench.root["keys"] = json!({});
        bench.root["roles"] = json!({});
        bench.targets["targets"] = json!({});
        bench.snapshot["meta"] = json!({});
        bench.timestamp["meta"] = json!({});
        bench.keys("root", &OFFLINE, 2);
        bench.keys("targets", &OFFLINE, 2);
        bench.keys("snapshot", &[ONLINE], 1);
        bench.keys("timestamp", &[ONLINE], 1);
        bench.put("list", b"first content");
        bench.publish(&["root", "targets", "snapshot", "timestamp"]);
        bench.client_store().begin(&bench.file("metadata/1.root.json")).unwrap();
        bench
    }

    /// Lists keys for a role in the root, and signs with all of them from now on.
    pub(crate) fn keys(&mut self, role: &str, numbers: &[u8], threshold: u32) {
        let ids: Vec<String> = numbers.iter().map(|number| signer(*number).id()).collect();
        for number in numbers {
            self.root["keys"][signer(*number).id()] = signer(*number).key();
        }
        self.root["roles"][role] = json!({ "keyids": ids, "threshold": threshold });
        self.signers.insert(role.to_owned(), numbers.to_vec());
    }

    pub(crate) fn part(&mut self, role: &str) -> &mut Value {
        match role {
            "root" => &mut self.root,
            "targets" => &mut self.targets,
            "snapshot" => &mut self.snapshot,
            _ => &mut self.timestamp,
        }
    }

    /// Lists a target, and serves it.
    pub(crate) fn put(&mut self, path: &str, content: &[u8]) {
        let digest = sha256(content);
        self.targets["targets"][path] = json!({ "length": content.len(), "hashes": { "sha256": digest }, "custom": { "list": "sample" } });
        let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
        let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        self.serve(&format!("targets/{folder}{digest}.{name}"), content);
    }

    pub(crate) fn bump(&mut self, role: &str) {
        let part = self.part(role);
        part["version"] = (part["version"].as_u64().unwrap() + 1).into();
    }

    /// Signs and serves roles as they are, and lists targets in the snapshot and that in the timestamp.
    pub(crate) fn publish(&mut self, roles: &[&str]) {
        for role in roles {
            let numbers = self.signers[*role].clone();
            let bytes = self.signed(role, &numbers);
            self.serve_as(role, &bytes);
        }
    }

    /// New versions of some roles.
    pub(crate) fn next(&mut self, roles: &[&str]) {
        for role in roles {
            self.bump(role);
            self.publish(&[role]);
        }
    }

    /// A role's file, signed by these keys.
    pub(crate) fn signed(&mut self, role: &str, numbers: &[u8]) -> Vec<u8> {
        let signed = self.part(role).clone();
        let signatures: Vec<Value> =
            numbers.iter().map(|number| signer(*number).signature(&signed)).collect();
        serde_json::to_vec(&json!({ "signed": signed, "signatures": signatures })).unwrap()
    }

    /// Serves a file under its role's name and version, and lists it above.
    pub(crate) fn serve_as(&mut self, role: &str, bytes: &[u8]) {
        let version = self.part(role)["version"].clone();
        let meta =
            json!({ "version": version, "length": bytes.len(), "hashes": { "sha256": sha256(bytes) } });
        match role {
            "targets" => self.snapshot["meta"]["targets.json"] = meta,
            "snapshot" => self.timestamp["meta"]["snapshot.json"] = meta,
            _ => {}
        }
        match role {
            "timestamp" => self.serve("metadata/timestamp.json", bytes),
            _ => self.serve(&format!("metadata/{version}.{role}.json"), bytes),
        }
    }

    pub(crate) fn serve(&self, url: &str, bytes: &[u8]) {
        self.serve_so(url, Served::Whole(bytes.to_vec()));
    }

    pub(crate) fn serve_so(&self, url: &str, served: Served) {
        self.files.0.lock().unwrap().served.insert(url.to_owned(), served);
    }

    pub(crate) fn file(&self, url: &str) -> Vec<u8> {
        match &self.files.0.lock().unwrap().served[url] {
            Served::Whole(bytes) => bytes.clone(),
            _ => panic!("{url} is served in some odd way"),
        }
    }

    pub(crate) fn all_files(&self) -> BTreeMap<String, Served> {
        self.files.0.lock().unwrap().served.clone()
    }

    pub(crate) fn serve_all(&self, files: BTreeMap<String, Served>) {
        self.files.0.lock().unwrap().served = files;
    }

    pub(crate) fn client_store(&self) -> Store {
        Store::with_disk(self.folder.path().join("trusted"), Arc::new(crate::faults::Hasty))
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.files.clone(), self.client_store(), self.limits.clone())
    }

    /// The trusted files, byte for byte.
    pub(crate) fn trusted(&self) -> BTreeMap<String, Vec<u8>> {
        let folder = std::fs::read_dir(self.folder.path().join("trusted")).unwrap();
        let files = folder.map(|entry| entry.unwrap().path());
        files
            .map(|path| {
                (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(path).unwrap())
            })
            .collect()
    }

    /// The names of files that differ between two states of the store.
    pub(crate) fn changed(&self, before: &BTreeMap<String, Vec<u8>>) -> BTreeSet<String> {
        let after = self.trusted();
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        names.into_iter().filter(|name| before.get(*name) != after.get(*name)).cloned().collect()
    }

    /// The target `list` as the client sees it.
    pub(crate) fn list(&self, client: &mut Client) -> Target {
        client.target(&"list".parse::<TargetPath>().unwrap()).unwrap().unwrap()
    }
}

pub(crate) fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
