//! `run`: configuration → lists → judge → gate and line → signal → bounded drain.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use hashward_engine::{
    Decider, Health, Judge, JudgeOptions, Live, Metrics, Part, PortError, Stop, pipeline::Ended,
};
use prometheus::Registry;
use tracing::{error, info};

use crate::config::{self, AlertsKind, Config, SourceKind};
use crate::control;
use crate::evidence::{Recorder, RecordingSink};
use crate::exit::Exit;
use crate::gate::Bound;
use crate::lists::{self, First, Keeping, Loader, Teller, Told, Waker};
use crate::logging;
use crate::notify;
use crate::output::Style;
use crate::print::Printer;
use crate::subscribe;
use crate::wiring::{self, Line, LineError, Sinks};

/// How much longer than `line.drain_timeout_ms` the process may live after a stop.
const WATCHDOG_GRACE: Duration = Duration::from_secs(1);
/// How often a worker without a line looks whether it is to stop.
const STOP_TICK: Duration = Duration::from_millis(20);
/// How often the watchdog looks.
const WATCHDOG_TICK: Duration = Duration::from_millis(50);
/// How often it is looked whether there is a list, where nothing says so.
const LISTS_LOOK: Duration = Duration::from_secs(1);

/// Runs until it is stopped.
pub(crate) fn run(config: &Config, style: Style) -> Result<Exit> {
    config::check_topology(config)?;
    let human = logging::start(&config.log_level, config.log_format, style.color)?;
    match serve(config, style) {
        // Whoever reads the log as JSON reads this too.
        Err(error) if !human => {
            error!(error = format!("{error:#}"), "cannot go on");
            Ok(Exit::Failed)
        }
        other => other,
    }
}

/// Runs the pipeline, and the listener beside it.
fn serve(config: &Config, style: Style) -> Result<Exit> {
    let worker = Worker::new(config)?;
    let address = control::start(config.http, &worker.stop, &worker.metrics, &worker.health)?;
    if let Some(address) = address {
        info!(%address, "serving /metrics, /livez, /readyz and /version");
    }
    let _notifying = notify::start(&worker.stop, &worker.health)?;
    let printer = config.alerts.print.then(|| Printer::new(style));
    worker.work(printer)
}

/// Everything that one running pipeline consists of.
pub(crate) struct Worker<'a> {
    config: &'a Config,
    /// The wish to stop.
    pub(crate) stop: Stop,
    /// What is counted.
    pub(crate) metrics: Metrics,
    /// What is well.
    pub(crate) health: Health,
    /// Makes the thread that watches the lists look at once.
    pub(crate) waker: Waker,
}

impl<'a> Worker<'a> {
    /// A worker that has not started.
    pub(crate) fn new(config: &'a Config) -> Result<Self> {
        let metrics = Metrics::register(Registry::new()).context("registering the metrics")?;
        let mut parts = vec![Part::Lists];
        if config.source != SourceKind::None {
            parts.extend([Part::Source, Part::Delivery]);
        }
        parts.extend(config.gate.as_ref().map(|_| Part::Gate));
        let health = Health::of(&parts);
        Ok(Self { config, stop: Stop::default(), metrics, health, waker: Waker::default() })
    }

    /// Loads the lists and runs the line until it is stopped. Meanwhile the lists are watched, and what they say anew is
    /// swapped in.
    pub(crate) fn work(&self, printer: Option<Printer>) -> Result<Exit> {
        let config = self.config;
        let mut recorder = Recorder::open(config, &self.metrics, &self.health)?;
        let mut loader = Loader::new(config, Keeping::AsConfigured)?;
        let ledger = recorder.as_ref().map(Recorder::ledger);
        let teller =
            Teller::new(self.metrics.clone(), config.policy.rollout.clone(), &config.instance, ledger);
        subscribe::worker::start(config, (&self.metrics, &self.health), &self.waker, &self.stop)?;
        if !self.wait_for_lists(&mut loader)? {
            return Ok(Exit::Success);
        }
        let (live, teller) = self.first(&mut loader, teller)?;
        let bound = config.gate.as_ref().map(|gate| Bound::bind(config, gate)).transpose()?;
        let mut printer = printer;
        let sinks = match Sinks::open(config, &self.metrics, &mut printer) {
            Ok(sinks) => sinks,
            Err(error) => return exit(Err(error)),
        };
        let decides = self.decides(&live)?;
        log_start(config);
        let (finished, watched) = channel::<()>();
        let watchdog = {
            let (stop, limit) = (self.stop.clone(), config.line.drain_timeout + WATCHDOG_GRACE);
            thread::Builder::new().name("watchdog".to_owned()).spawn(move || watch(&stop, limit, &watched))
        };
        watchdog.context("starting the watchdog")?;
        self.watch_lists(loader, live, teller)?;
        let (stop, metrics, health) = (&self.stop, &self.metrics, &self.health);
        let gate = match (bound, sinks.gate) {
            (Some(bound), Some(sink)) => {
                let sink = match Recorder::open(config, metrics, health)? {
                    Some(recorder) => Box::new(RecordingSink::new(sink, recorder)),
                    None => sink,
                };
                Some(bound.serve(decides.decider().clone(), sink, stop, metrics, health)?)
            }
            _ => None,
        };
        let ended = match &decides {
            Decides::Line(judge) => wiring::run(Line {
                config,
                judge,
                stop,
                metrics,
                health,
                file: sinks.file,
                printer,
                recorder,
            }),
            Decides::GateAlone(_) => {
                while !stop.is_requested() {
                    recorder.iter_mut().for_each(Recorder::rest);
                    thread::sleep(STOP_TICK);
                }
                Ok(Ended::Drained)
            }
        };
        // Whatever made the line end, nobody needs newer lists, and the gate ends with it.
        stop.request();
        if let Some(gate) = gate {
            gate.wait();
        }
        drop(finished);
        exit(ended)
    }

    /// Waits until of every subscription all was there once: until then this worker is not ready, and takes nothing in,
    /// since what it let pass would not be looked at again. Says whether to go on.
    fn wait_for_lists(&self, loader: &mut Loader) -> Result<bool> {
        let mut told = None;
        while let Some(what) = loader.waits_for()? {
            if told.as_ref() != Some(&what) {
                let waiting = format!("waiting for {what}");
                info!("lists are not complete yet: {waiting}");
                self.health.not_ready(Part::Lists, waiting);
                told = Some(what);
            }
            if !self.waker.wait(Instant::now() + LISTS_LOOK, &self.stop) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What makes verdicts: the judge of the line, whom the gate shares, or what the gate needs of it.
    fn decides(&self, live: &Live) -> Result<Decides> {
        let (config, live, metrics) = (self.config, live.clone(), self.metrics.clone());
        let policy = config.policy.clone();
        if config.source == SourceKind::None {
            return Ok(Decides::GateAlone(Decider::new(live, policy, config.breaker, metrics)));
        }
        let judge = Judge::new(live, policy, judge_options(config), metrics);
        Ok(Decides::Line(Box::new(judge.context("starting the digesting threads")?)))
    }

    /// The first generation.
    fn first(&self, loader: &mut Loader, teller: Teller) -> Result<(Live, Teller)> {
        let mut teller = teller;
        let First { snapshot, fell_back } = loader.first()?;
        if let Some(error) = fell_back {
            teller.told(loader, Told::Kept(&error));
        }
        teller.told(loader, Told::Swapped(&snapshot));
        self.health.ready(Part::Lists);
        Ok((Live::new(snapshot), teller))
    }

    /// Starts the thread that watches the lists. It may be in the middle of a build when the process ends.
    fn watch_lists(&self, mut loader: Loader, live: Live, mut teller: Teller) -> Result<()> {
        let lists = &self.config.lists;
        let Some(every) = lists.watch else { return Ok(()) };
        let (times, stop, waker) = ((every, lists.fold_after), self.stop.clone(), self.waker.clone());
        let guard = Watched { stop: self.stop.clone(), health: self.health.clone() };
        let watcher = thread::Builder::new().name("lists".to_owned());
        let watching = move || {
            let _guard = guard;
            lists::watch(&mut loader, &live, times, (&waker, &stop), &mut |loader, told| {
                teller.told(loader, told);
            });
        };
        watcher.spawn(watching).map(drop).context("starting the thread that watches the lists")
    }
}

/// Who makes verdicts in this process.
enum Decides {
    /// The judge of the line, and the gate with him.
    Line(Box<Judge>),
    /// There is no line.
    GateAlone(Decider),
}

impl Decides {
    fn decider(&self) -> &Decider {
        match self {
            Self::Line(judge) => judge.decider(),
            Self::GateAlone(decider) => decider,
        }
    }
}

/// The lists are watched as long as this lives. If that ends unasked, the worker is not ready any more.
struct Watched {
    stop: Stop,
    health: Health,
}

impl Drop for Watched {
    fn drop(&mut self) {
        if !self.stop.is_requested() {
            self.health.not_ready(Part::Lists, "the lists are not watched any more: restart this worker");
        }
    }
}

fn judge_options(config: &Config) -> JudgeOptions {
    let line = &config.line;
    JudgeOptions {
        digest_threads: line.digest_threads,
        open_threads: line.open_threads,
        read_buffer_bytes: line.read_buffer_bytes,
        content_bytes_max: line.content_bytes_max,
        quarantine_bytes: config.quarantine_bytes,
        breaker: config.breaker,
    }
}

/// What an operator wants to know of a worker that starts.
fn log_start(config: &Config) {
    let (version, instance) = (env!("CARGO_PKG_VERSION"), &config.instance);
    let digest_threads = config.line.digest_threads;
    info!(version, instance, digest_threads, "worker starting");
    match config.source {
        SourceKind::Inbox => {
            let path = config.inbox.directory.join("inbox");
            info!(source = "inbox", path = %path.display(), "put content into this folder");
        }
        SourceKind::Kafka => {
            let kafka = &config.kafka;
            let (servers, topics) = (kafka.bootstrap_servers.join(","), kafka.topics.join(","));
            info!(source = "kafka", servers, topics, group_id = kafka.group_id, "reading content from kafka");
        }
        SourceKind::None => info!(source = "none", "answering at the gate alone"),
    }
    match config.alerts.kind {
        AlertsKind::File => {
            let (alerts, quarantine) =
                (config.alerts.file.display(), config.alerts.quarantine_file.display());
            info!(sink = "file", %alerts, %quarantine, "appending alerts to a file");
        }
        AlertsKind::Kafka => {
            let (alerts, quarantine) = (&config.kafka.alerts_topic, &config.kafka.quarantine_topic);
            let delivery = format!("{:?}", config.kafka.delivery);
            info!(sink = "kafka", alerts, quarantine, delivery, "sending alerts to kafka");
        }
    }
}

/// Ends the process if the line does not end by itself within `limit` after a stop.
fn watch(stop: &Stop, limit: Duration, finished: &std::sync::mpsc::Receiver<()>) {
    while !stop.is_requested() {
        match finished.recv_timeout(WATCHDOG_TICK) {
            Err(RecvTimeoutError::Timeout) => {}
            _ => return,
        }
    }
    if finished.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
        let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        error!(limit_ms, "the line did not end in time; what was not delivered is not committed");
        std::process::exit(Exit::DrainTimedOut as i32);
    }
}

/// How the process ends after the line ended like this.
fn exit(ended: Result<Ended, LineError>) -> Result<Exit> {
    match ended {
        Ok(Ended::Drained) => {
            info!("stopped, everything in flight is finished");
            Ok(Exit::Success)
        }
        Ok(Ended::DrainTimedOut) => {
            error!("time ran out; what was not delivered is not committed, and will be read again");
            Ok(Exit::DrainTimedOut)
        }
        Err(LineError::Setup(error)) => Err(error),
        Err(LineError::Port(error)) => {
            error!(%error, "stopped: a port cannot go on");
            Ok(match error {
                PortError::Unavailable { .. } => Exit::Unavailable,
                PortError::Fenced { .. } => Exit::Fenced,
                PortError::Refused { .. } => Exit::Failed,
            })
        }
    }
}
