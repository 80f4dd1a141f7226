//! Drives the real binary: starts it, listens to its log, asks its HTTP listener, stops it gently or not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// The longest that anything here is waited for. Only a hanging worker takes that long.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// A `hashward run` under test.
pub struct Worker {
    child: Child,
    log: Arc<Mutex<String>>,
    out: Arc<Mutex<String>>,
    address: Option<String>,
    addresses: Receiver<String>,
}

/// A command of the binary with nothing inherited that could change what it does.
pub fn hashward() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hashward"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("HASHWARD") {
            command.env_remove(name);
        }
    }
    command.env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

/// Runs the binary to its end.
pub fn hashward_output(directory: &Path, arguments: &[&str]) -> Output {
    hashward().current_dir(directory).args(arguments).output().expect("the binary starts")
}

/// Ways to run what a fixture's `command(&self, &[&str]) -> Command` makes.
macro_rules! runs {
    () => {
        pub fn run(&self, arguments: &[&str]) -> std::process::Output {
            self.command(arguments).output().expect("the binary starts")
        }

        /// What a command prints that must succeed.
        pub fn ok(&self, arguments: &[&str]) -> String {
            let output = self.run(arguments);
            let told = crate::worker::text(&output.stdout) + &crate::worker::text(&output.stderr);
            assert_eq!(output.status.code(), Some(0), "{arguments:?}: {told}");
            crate::worker::text(&output.stdout)
        }

        /// The JSON that it prints, object by object.
        #[allow(dead_code, reason = "not every fixture is asked for JSON")]
        pub fn json(&self, arguments: &[&str]) -> Vec<serde_json::Value> {
            let printed = self.ok(&[arguments, &["--json"]].concat());
            printed.lines().map(|line| crate::fixture::json(line.as_bytes())).collect()
        }

        /// What a command says, on either stream, that must fail.
        pub fn refused(&self, arguments: &[&str]) -> String {
            let output = self.run(arguments);
            let told = crate::worker::text(&output.stdout) + &crate::worker::text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
            told
        }
    };
}
pub(crate) use runs;

/// What a command printed, as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Waits until `done` gives something, and fails with `what` after [`PATIENCE`].
pub fn wait_for<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = done() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain for: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

impl Worker {
    /// Starts `hashward run` in `directory` with the configuration file `config` and more arguments.
    pub fn start(directory: &Path, config: &str, arguments: &[&str]) -> Self {
        let path = directory.join(format!("worker-{}.toml", arguments.concat().len()));
        std::fs::write(&path, config).expect("the configuration can be written");
        let mut command = hashward();
        command.current_dir(directory).args(["run", "--log-format", "json", "--config"]).arg(&path);
        command.args(["--set", "http.listen=127.0.0.1:0"]).args(arguments);
        Self::spawn(command)
    }

    /// Starts a command that ends in a `hashward run` with JSON logs.
    pub fn spawn(mut command: Command) -> Self {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let (log, out): (Arc<Mutex<String>>, Arc<Mutex<String>>) = Default::default();
        let (tell_address, addresses) = channel();
        let stderr = child.stderr.take().expect("stderr is piped");
        let to_log = Arc::clone(&log);
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if let Some(address) = address_in(&line) {
                    // The test may have ended already.
                    drop(tell_address.send(address));
                }
                let mut log = to_log.lock().expect("no reader panics");
                log.push_str(&line);
                log.push('\n');
            }
        });
        let mut stdout = child.stdout.take().expect("stdout is piped");
        let to_out = Arc::clone(&out);
        thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(length @ 1..) = stdout.read(&mut buffer) {
                to_out.lock().expect("no reader panics").push_str(&text(&buffer[..length]));
            }
        });
        Self { child, log, out, address: None, addresses }
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        self.log.lock().expect("no reader panics").clone()
    }

    /// What it printed so far.
    pub fn out(&self) -> String {
        self.out.lock().expect("no reader panics").clone()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a child can be asked").is_some()
    }

    /// `GET path`: status and body.
    pub fn get(&mut self, path: &str) -> (u16, String) {
        if self.address.is_none() {
            self.address = self.addresses.recv_timeout(PATIENCE).ok();
        }
        let address = self.address.as_deref().unwrap_or_else(|| panic!("no HTTP listener\n{}", self.log()));
        get(address, path).unwrap_or((0, String::new()))
    }

    /// The sum of all series of a metric whose labels contain `labels`.
    pub fn metric(&mut self, name: &str, labels: &str) -> f64 {
        sum_of(&self.get("/metrics").1, name, labels)
    }

    /// Waits until `/readyz` says so.
    pub fn wait_ready(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (status, body) = self.get("/readyz");
            if status == 200 {
                return;
            }
            let late = Instant::now() >= deadline || self.has_ended();
            assert!(!late, "not ready: {status} {body}\n{}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends SIGTERM and waits for the end.
    pub fn terminate(mut self) -> (ExitStatus, String) {
        self.signal("TERM");
        let status = self.wait();
        (status, self.log())
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        let killed = Command::new("kill").args(["-s", name, &self.pid().to_string()]).status();
        assert!(killed.is_ok_and(|status| status.success()), "kill -s {name} fails");
    }

    /// Waits for the end.
    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                return status;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("still running after {PATIENCE:?}\n{}", self.log());
    }

    /// `kill -9`: no last word, no flush, no goodbye to the broker.
    pub fn kill(mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a killed child ends");
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the worker of a test that failed logged:\n{}", self.log());
        }
        // A test that fails leaves no worker behind; one that ended it already has nothing to kill.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The address of the HTTP listener, if this log line tells it.
fn address_in(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    let fields = line.get("fields").unwrap_or(&line);
    let message = fields.get("message")?.as_str()?;
    message.contains("/metrics").then(|| fields.get("address")?.as_str().map(str::to_owned))?
}

/// A plain HTTP/1.1 request, so that nothing but the server is under test.
pub fn get(address: &str, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

/// The sum of all series of `name` whose labels contain `labels`, in Prometheus' text format.
pub fn sum_of(metrics: &str, name: &str, labels: &str) -> f64 {
    metrics
        .lines()
        .filter_map(|line| line.rsplit_once(' '))
        .filter(|(series, _)| series.split('{').next() == Some(name) && series.contains(labels))
        .map(|(_, value)| value.parse::<f64>().expect("a metric is a number"))
        .sum()
}
