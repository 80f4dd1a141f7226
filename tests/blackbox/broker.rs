//! A real Apache Kafka broker on loopback, and the little a test needs to talk to it.
//!
//! [`Broker::shared`] is the broker of this test process; a test that stops its broker, or needs other
//! server properties, starts one of its own with [`Broker::start`]. A broker is one node (broker and
//! controller in one JVM) with a `PLAINTEXT` and a `SASL_SSL` listener, its data in a temporary directory.
//! Topics are never created by mere use: call [`Broker::create_topic`], with a name that no other test has.
//!
//! The jars come from Maven, as `tests/kafka/pom.xml` says, once per version into `kafka/<version>` of the
//! target directory. Java 17 or newer and Maven are needed; without them the tests fail, they do not skip.
//!
//! No JVM outlives its test process, however that ends: see [`SUPERVISE`].

use std::array;
use std::collections::BTreeSet;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::{self, Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::{ClientContext, DefaultClientContext};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, Headers as _, Message, OwnedHeaders};
use rdkafka::metadata::{MetadataPartition, MetadataTopic};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext};
use rdkafka::{Offset, TopicPartitionList};
use tempfile::TempDir;

/// The one user, known to both SASL mechanisms.
pub(crate) const USERNAME: &str = "hashward";
/// The password of [`USERNAME`].
pub(crate) const PASSWORD: &str = "correct-horse";
/// The largest batch the broker takes (8 MiB); a record must be a little smaller.
pub(crate) const MAX_MESSAGE_BYTES: &str = "8388608";

/// The bound of every single wait. A broker starts in a few seconds, but takes half a minute and more when a
/// busy machine with few cores starts several at once.
const LIMIT: Duration = Duration::from_mins(2);
/// How long a broker may take to end after SIGTERM before it is killed.
const GRACE: Duration = Duration::from_secs(20);

const POM: &str = include_str!("../kafka/pom.xml");
const CLUSTER_ID: &str = "aGFzaHdhcmQtdGVzdHMtMQ";
const STORE_PASSWORD: &str = "changeit";

/// Turns the shell into the JVM (`exec`, so that our child *is* the JVM) and leaves a watcher beside it. The
/// watcher reads a pipe whose other end this process holds. The kernel closes that end when the process ends,
/// even by SIGKILL: the watcher then kills the JVM and removes its directory (`$0`). A line on the pipe says
/// that the JVM has ended in good order. A parent-death signal would come when the *thread* ends that started
/// the JVM, and a test thread ends with its test; a pipe lasts as long as the process.
const SUPERVISE: &str = r#"
exec 3<&0
{ read -r line <&3 || { kill -KILL "$$"; sleep 1; rm -rf -- "$0"; }; } &
exec "$@" </dev/null 3<&-
"#;

/// A broker; dropping it kills it and removes its data.
#[derive(Debug)]
pub(crate) struct Broker {
    // Before `dir`, so that the JVM has ended when its directory is removed.
    jvm: Option<Jvm>,
    dir: TempDir,
    jars: PathBuf,
    bootstrap: String,
    sasl_ssl_bootstrap: String,
    ca_file: PathBuf,
}

impl Broker {
    /// The broker of this test process, started by whoever asks first.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Broker> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&[]))
    }

    /// Starts a broker of one's own; `properties` go over those in [`Self::server_properties`].
    pub(crate) fn start(properties: &[(&str, &str)]) -> Self {
        let jars = jars();
        let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
        fs::create_dir_all(parent).expect("the target directory is writable");
        let dir = TempDir::with_prefix_in("kafka-", parent).expect("a temporary directory");
        let [bootstrap, sasl_ssl_bootstrap, controller] =
            free_ports().map(|port| format!("127.0.0.1:{port}"));
        let ca_file = dir.path().join("ca.pem");
        let mut broker = Self { jvm: None, dir, jars, bootstrap, sasl_ssl_bootstrap, ca_file };
        fs::write(broker.properties_file(), broker.server_properties(&controller, properties))
            .expect("the temporary directory is writable");
        thread::scope(|scope| {
            scope.spawn(|| broker.make_certificate());
            broker.format_storage();
        });
        broker.launch();
        broker
    }

    /// Ends the broker with SIGTERM, as an operator would, and returns when its process is gone.
    pub(crate) fn stop(&mut self) {
        if let Some(jvm) = self.jvm.take() {
            jvm.terminate();
        }
    }

    /// Starts the broker again on the same ports and data; stops it first if it runs.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.launch();
    }

    /// The `bootstrap.servers` of the `PLAINTEXT` listener.
    pub(crate) fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// The `bootstrap.servers` of the `SASL_SSL` listener.
    pub(crate) fn sasl_ssl_bootstrap(&self) -> &str {
        &self.sasl_ssl_bootstrap
    }

    /// The certificate to trust, in PEM: the `ssl.ca.location` of a client.
    pub(crate) fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    /// Creates a topic, with `configs` such as `("cleanup.policy", "compact")`; returns when it can be used.
    pub(crate) fn create_topic(&self, name: &str, partitions: i32, configs: &[(&str, &str)]) {
        let admin: AdminClient<DefaultClientContext> =
            self.client(&[], &[]).create().expect("settings of an admin client");
        let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        let topic = configs.iter().fold(topic, |topic, &(key, value)| topic.set(key, value));
        let results =
            block_on(admin.create_topics([&topic], &AdminOptions::new())).expect("the broker answers");
        for result in results {
            result.unwrap_or_else(|(topic, error)| panic!("cannot create topic {topic}: {error}"));
        }
        // The controller answers before the broker serves the partitions.
        let wanted = usize::try_from(partitions).expect("a count");
        let consumer = self.consumer(&[]);
        eventually(&format!("topic {name} is served"), || {
            let metadata = consumer.fetch_metadata(Some(name), LIMIT).ok()?;
            let partitions = metadata.topics().first()?.partitions();
            (partitions.len() == wanted && partitions.iter().all(|each| each.leader() >= 0)).then_some(())
        });
    }

    /// A producer for [`produce_all`], with further `settings` such as `transactional.id`.
    pub(crate) fn producer(&self, settings: &[(&str, &str)]) -> Producer {
        let defaults = [
            ("message.max.bytes", MAX_MESSAGE_BYTES),
            // No record twice after a retry: tests count what they sent.
            ("enable.idempotence", "true"),
            // These two bound what is in flight.
            ("queue.buffering.max.messages", "10000"),
            ("queue.buffering.max.kbytes", "65536"),
        ];
        self.client(&defaults, settings).create_with_context(Acks::default()).expect("settings of a producer")
    }

    /// Sends `records` to `topic` and returns when the broker has acknowledged every one.
    pub(crate) fn produce_all(&self, topic: &str, records: impl IntoIterator<Item = NewRecord>) {
        produce_all(&self.producer(&[]), topic, records);
    }

    /// A consumer that commits nothing by itself, with further `settings`.
    pub(crate) fn consumer(&self, settings: &[(&str, &str)]) -> BaseConsumer {
        let defaults = [
            // rdkafka polls only with a group, even for `assign`, which joins none.
            ("group.id", "blackbox-reader"),
            ("enable.auto.commit", "false"),
            // How long a fetch waits at the end of a partition; the default, 500 ms, would slow `read_all`.
            ("fetch.wait.max.ms", "50"),
        ];
        self.client(&defaults, settings).create().expect("settings of a consumer")
    }

    /// All records of `topic` that a consumer at `isolation` sees, by partition and offset, as far as the
    /// partitions reach now. With [`Isolation::ReadCommitted`] a partition ends where a transaction is open.
    pub(crate) fn read_all(&self, topic: &str, isolation: Isolation) -> Vec<Record> {
        let isolation = match isolation {
            Isolation::ReadCommitted => "read_committed",
            Isolation::ReadUncommitted => "read_uncommitted",
        };
        // The end is an event, not an offset: transaction markers and aborted records have offsets but never
        // reach the consumer, so the last record it gets may lie well before the end of the partition.
        let consumer = self.consumer(&[("isolation.level", isolation), ("enable.partition.eof", "true")]);
        let mut unfinished: BTreeSet<i32> = self.partitions(topic).into_iter().collect();
        let mut assignment = TopicPartitionList::new();
        for &partition in &unfinished {
            let added = assignment.add_partition_offset(topic, partition, Offset::Beginning);
            added.expect("each partition has a beginning");
        }
        consumer.assign(&assignment).expect("partitions that exist");
        let mut records = Vec::new();
        let mut trouble = None;
        let deadline = Instant::now() + LIMIT;
        while !unfinished.is_empty() {
            match consumer.poll(Duration::from_millis(100)) {
                None => {}
                Some(Ok(message)) => records.push(Record::from(&message)),
                Some(Err(KafkaError::PartitionEOF(partition))) => _ = unfinished.remove(&partition),
                // The client recovers by itself, for instance when the broker restarts.
                Some(Err(error)) => trouble = Some(error),
            }
            assert!(
                Instant::now() < deadline,
                "{} records of topic {topic} after {LIMIT:?}; not at the end of partitions {unfinished:?}; last \
                 error: {trouble:?}",
                records.len(),
            );
        }
        records.sort_by_key(|record| (record.partition, record.offset));
        records
    }

    /// The offsets that `group` has committed for `topic`, as (partition, offset); a partition without one is
    /// left out.
    pub(crate) fn committed(&self, group: &str, topic: &str) -> Vec<(i32, i64)> {
        let consumer = self.consumer(&[("group.id", group)]);
        let mut asked = TopicPartitionList::new();
        for partition in self.partitions(topic) {
            asked.add_partition(topic, partition);
        }
        let answer = consumer.committed_offsets(asked, LIMIT).expect("the broker answers");
        let offsets = answer.elements().into_iter().filter_map(|each| match each.offset() {
            Offset::Offset(offset) => Some((each.partition(), offset)),
            _ => None,
        });
        offsets.collect()
    }

    /// The ends of the partitions of `topic`, as (partition, offset of the next record).
    pub(crate) fn end_offsets(&self, topic: &str) -> Vec<(i32, i64)> {
        // By default a client is told the end of what is committed.
        let consumer = self.consumer(&[("isolation.level", "read_uncommitted")]);
        let end = |partition| {
            let (_, high) = consumer.fetch_watermarks(topic, partition, LIMIT).expect("the broker answers");
            (partition, high)
        };
        self.partitions(topic).into_iter().map(end).collect()
    }

    /// Where the broker keeps its topics, each partition in a directory `<topic>-<partition>`.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// The segment files of `topic`: its record batches as they are on disk.
    pub(crate) fn data_files(&self, topic: &str) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for partition in self.partitions(topic) {
            let dir = self.data_dir().join(format!("{topic}-{partition}"));
            let entries = fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
            files.extend(entries.map(|entry| entry.expect("a readable directory").path()));
        }
        files.retain(|file| file.extension() == Some(OsStr::new("log")));
        files.sort();
        files
    }

    fn partitions(&self, topic: &str) -> Vec<i32> {
        let metadata = self.consumer(&[]).fetch_metadata(Some(topic), LIMIT).expect("the broker answers");
        let partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
        let mut ids: Vec<i32> = partitions.map(MetadataPartition::id).collect();
        assert!(!ids.is_empty(), "there is no topic {topic}");
        ids.sort_unstable();
        ids
    }

    fn client(&self, defaults: &[(&str, &str)], settings: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap);
        // By default a client waits up to 10 s before it tries again a broker that was away.
        config.set("reconnect.backoff.max.ms", "100");
        for &(key, value) in defaults.iter().chain(settings) {
            config.set(key, value);
        }
        config
    }

    fn properties_file(&self) -> PathBuf {
        self.dir.path().join("server.properties")
    }

    fn server_properties(&self, controller: &str, more: &[(&str, &str)]) -> String {
        let Self { bootstrap: plaintext, sasl_ssl_bootstrap: sasl_ssl, .. } = self;
        let data = self.data_dir();
        let key_store = self.key_store();
        let mut properties = format!(
            r#"process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers={controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{plaintext},SASL_SSL://{sasl_ssl},CONTROLLER://{controller}
advertised.listeners=PLAINTEXT://{plaintext},SASL_SSL://{sasl_ssl}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs={data}

ssl.keystore.type=PKCS12
ssl.keystore.location={key_store}
ssl.keystore.password={STORE_PASSWORD}
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config=\
    org.apache.kafka.common.security.plain.PlainLoginModule required user_{USERNAME}="{PASSWORD}";
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=\
    org.apache.kafka.common.security.scram.ScramLoginModule required;

# Topics are named by the tests, and records stay whatever their timestamps say.
auto.create.topics.enable=false
log.retention.ms=-1
message.max.bytes={MAX_MESSAGE_BYTES}

# One node cannot keep the three replicas that internal topics have by default.
# Few partitions open faster.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4

# A test does not wait for what a cluster takes its time with.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
transaction.abort.timed.out.transaction.cleanup.interval.ms=500
# By default the log cleaner takes a quarter of the heap.
log.cleaner.dedupe.buffer.size=2097152

"#,
            data = data.display(),
            key_store = key_store.display(),
        );
        // The last of equal keys counts.
        properties.extend(more.iter().map(|(key, value)| format!("{key}={value}\n")));
        properties
    }

    fn key_store(&self) -> PathBuf {
        self.dir.path().join("broker.p12")
    }

    /// Makes the key of the `SASL_SSL` listener and the self-signed certificate that clients trust.
    fn make_certificate(&self) {
        let keytool = |action: &str| {
            let mut command = Command::new(jdk("keytool"));
            command.arg(action).arg("-keystore").arg(self.key_store());
            command.args(["-storetype", "PKCS12", "-storepass", STORE_PASSWORD]);
            command
        };
        let key = ["-keyalg", "EC", "-groupname", "secp256r1", "-validity", "2"];
        let subject = ["-dname", "CN=localhost", "-ext", "SAN=IP:127.0.0.1,DNS:localhost"];
        run(keytool("-genkeypair").args(key).args(subject));
        run(keytool("-exportcert").arg("-rfc").arg("-file").arg(self.ca_file()));
    }

    /// Writes the first metadata of the cluster, SCRAM credentials among them, into the data directory.
    fn format_storage(&self) {
        let scram = format!("SCRAM-SHA-512=[name={USERNAME},password={PASSWORD}]");
        run(self
            .java("kafka.tools.StorageTool")
            .args(["format", "--standalone", "-t", CLUSTER_ID, "--add-scram", &scram, "-c"])
            .arg(self.properties_file()));
    }

    fn java(&self, class: &str) -> Command {
        let mut command = Command::new(jdk("java"));
        // The last two make a JVM start sooner, at the cost of speed that a short life does not need.
        command.args(["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
        command.arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn");
        command.arg("-Dorg.slf4j.simpleLogger.showDateTime=true");
        command.arg("-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS");
        command.arg("-cp").arg(self.jars.join("*")).arg(class);
        command
    }

    fn launch(&mut self) {
        let log = self.dir.path().join("broker.log");
        let output = File::options().create(true).append(true).open(&log).expect("a writable log file");
        let java = self.java("kafka.Kafka");
        let mut child = Command::new("sh")
            .args(["-c", SUPERVISE])
            .arg(self.dir.path())
            .arg(java.get_program())
            .args(java.get_args())
            .arg(self.properties_file())
            .stdin(Stdio::piped())
            .stdout(output.try_clone().expect("a second handle of the log file"))
            .stderr(output)
            // A signal to our group, such as an interrupt from the terminal, would reach the watcher too.
            .process_group(0)
            .spawn()
            .expect("there is a POSIX shell");
        let watcher = child.stdin.take().expect("the standard input is a pipe");
        let mut jvm = Jvm { child, watcher };
        let client = self.consumer(&[]);
        eventually("the broker answers", || {
            if jvm.has_ended() {
                let text = fs::read_to_string(&log).unwrap_or_default();
                let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("\tat ")).collect();
                panic!("the broker has ended:\n{}", lines[lines.len().saturating_sub(30)..].join("\n"));
            }
            client.fetch_metadata(None, Duration::from_millis(500)).ok()
        });
        self.jvm = Some(jvm);
    }
}

/// The process of a broker; dropping it kills it.
#[derive(Debug)]
struct Jvm {
    child: Child,
    // Taken out of `child`, because waiting for a child closes its standard input, and the watcher would act.
    watcher: ChildStdin,
}

impl Jvm {
    fn terminate(mut self) {
        // The standard library only sends SIGKILL.
        run(Command::new("sh").args(["-c", r#"kill -TERM "$0""#]).arg(self.child.id().to_string()));
        let deadline = Instant::now() + GRACE;
        while !self.has_ended() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("our own child").is_some()
    }
}

impl Drop for Jvm {
    fn drop(&mut self) {
        // Nothing to do about an error here; the watcher acts if this process did not get through.
        _ = self.child.kill();
        _ = self.child.wait();
        _ = self.watcher.write_all(b"ended\n");
    }
}

/// What a consumer makes of transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Isolation {
    /// Sees records of committed transactions only, and those outside of transactions.
    ReadCommitted,
    /// Sees every record.
    ReadUncommitted,
}

/// A record to send; without a partition, the key chooses one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NewRecord {
    pub(crate) partition: Option<i32>,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
    /// Milliseconds since 1970; the time of sending if `None`.
    pub(crate) timestamp: Option<i64>,
}

impl NewRecord {
    /// A record with this value and nothing else; `NewRecord::default()` has no value either.
    pub(crate) fn new(value: impl Into<Vec<u8>>) -> Self {
        Self { value: Some(value.into()), ..Self::default() }
    }

    pub(crate) fn partition(self, partition: i32) -> Self {
        Self { partition: Some(partition), ..self }
    }

    pub(crate) fn key(self, key: impl Into<Vec<u8>>) -> Self {
        Self { key: Some(key.into()), ..self }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), Some(value.into())));
        self
    }
}

/// A record as a consumer gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
    /// Milliseconds since 1970.
    pub(crate) timestamp: Option<i64>,
}

impl Record {
    /// The value of the first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find(|(each, _)| each == name)?.1.as_deref()
    }
}

impl<M: Message> From<&M> for Record {
    fn from(message: &M) -> Self {
        let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
        Self {
            partition: message.partition(),
            offset: message.offset(),
            key: message.key().map(Vec::from),
            value: message.payload().map(Vec::from),
            headers: headers.map(|header| (header.key.into(), header.value.map(Vec::from))).collect(),
            timestamp: message.timestamp().to_millis(),
        }
    }
}

/// A producer that keeps count of what the broker acknowledges.
pub(crate) type Producer = BaseProducer<Acks>;

/// What became of the records of a [`Producer`].
#[derive(Debug, Default)]
pub(crate) struct Acks {
    delivered: AtomicUsize,
    failures: Mutex<Vec<KafkaError>>,
}

impl ClientContext for Acks {}

impl ProducerContext for Acks {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        match result {
            Ok(_) => _ = self.delivered.fetch_add(1, Ordering::Relaxed),
            Err((error, _)) => {
                self.failures.lock().unwrap_or_else(PoisonError::into_inner).push(error.clone());
            }
        }
    }
}

/// Sends `records` to `topic` and returns when the broker has acknowledged every one. What is in flight is
/// bounded by the queue of the producer. Inside a transaction, committing or aborting is left to the caller.
pub(crate) fn produce_all(producer: &Producer, topic: &str, records: impl IntoIterator<Item = NewRecord>) {
    let acks = producer.context();
    let before = acks.delivered.load(Ordering::Relaxed);
    let mut sent = 0;
    for record in records {
        let mut message = BaseRecord::<[u8], [u8]>::to(topic);
        message.partition = record.partition;
        message.key = record.key.as_deref();
        message.payload = record.value.as_deref();
        message.timestamp = record.timestamp;
        message.headers = Some(record.headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: value.as_ref() })
        }));
        let deadline = Instant::now() + LIMIT;
        while let Err((error, rejected)) = producer.send(message) {
            let full = error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull);
            assert!(full && Instant::now() < deadline, "cannot send to topic {topic}: {error}");
            producer.poll(Duration::from_millis(20));
            message = rejected;
        }
        sent += 1;
    }
    producer.flush(LIMIT).expect("the broker acknowledges in time");
    let failures = acks.failures.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(failures.is_empty(), "topic {topic}: {} records failed, first: {}", failures.len(), failures[0]);
    let delivered = acks.delivered.load(Ordering::Relaxed) - before;
    assert_eq!(delivered, sent, "acknowledged records of topic {topic}");
}

/// The directory with the jars of the broker, fetched if it is not there.
fn jars() -> PathBuf {
    let version = POM.split_once("<kafka.version>").and_then(|(_, rest)| rest.split_once('<'));
    let (version, _) = version.expect("tests/kafka/pom.xml names the version");
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("kafka");
    let jars = parent.join(version);
    fs::create_dir_all(&parent).expect("the target directory is writable");
    // Tests run as threads and, with some runners, as processes: one fetches, the others wait.
    let lock = File::create(parent.join("lock")).expect("a writable lock file");
    lock.lock().expect("a file system with locks");
    // The folder takes its name when it is complete, and holds the pom it was made from.
    if fs::read_to_string(jars.join("pom.xml")).is_ok_and(|pom| pom == POM) {
        return jars;
    }
    let fetched = TempDir::new_in(&parent).expect("a temporary directory");
    let pom = fetched.path().join("pom.xml");
    fs::write(&pom, POM).expect("a writable directory");
    let mut into = OsString::from("-DoutputDirectory=");
    into.push(fetched.path());
    run(Command::new("mvn").args(["-q", "-B", "dependency:copy-dependencies", "-f"]).arg(pom).arg(into));
    if jars.exists() {
        fs::remove_dir_all(&jars).expect("a directory made here");
    }
    fs::rename(fetched.keep(), &jars).expect("a rename inside one directory");
    jars
}

/// A program of the JDK: that of `JAVA_HOME`, as for Maven, or else the one on the `PATH`.
fn jdk(program: &str) -> PathBuf {
    env::var_os("JAVA_HOME").map_or(program.into(), |home| Path::new(&home).join("bin").join(program))
}

/// Runs a command to its end; panics with its output if it fails.
fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| {
        let program = command.get_program().display();
        panic!("cannot run {program}: {error}; the Kafka tests need a JDK (17 or newer) and Maven")
    });
    assert!(
        output.status.success(),
        "{command:?} failed with {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
}

/// Loopback ports on which nobody listens, never the same twice in one process.
///
/// They lie below 32768, where Linux begins to give out ports to outgoing connections. Such a connection
/// could take the port of a broker that is stopped for a while; a client that calls there could even reach
/// itself.
fn free_ports<const N: usize>() -> [u16; N] {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    // Processes that run side by side start at different places.
    let start = process::id().wrapping_mul(97);
    array::from_fn(|_| {
        loop {
            let place = start.wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed)) % 12_000;
            let port = 20_000 + u16::try_from(place).expect("less than 12,000");
            if TcpListener::bind(("127.0.0.1", port)).is_ok() {
                break port;
            }
        }
    })
}

/// Asks again until there is an answer; panics after [`LIMIT`].
fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited {LIMIT:?} in vain: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Drives one future on this thread; rdkafka is built without an executor.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        thread::park();
    }
}
