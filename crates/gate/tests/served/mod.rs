//! Doors that are served on a thread of their own.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses a part of it"
)]

use std::io::{self, Read};
use std::pin::Pin;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hashward_gate::Listener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::support::World;

/// The longest that anything here is waited for.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Serving {
    shutdown: Option<watch::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Serves a door at some listeners, each until the wish that comes with it.
pub fn serve<F: Future<Output = io::Result<()>> + Send + 'static>(
    listeners: Vec<Listener>,
    serve: impl Fn(Listener, Wish) -> F + Send + 'static,
) -> Serving {
    let (shutdown, is_shutdown) = watch::channel(());
    let thread = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut served = JoinSet::new();
            for listener in listeners {
                let mut is_shutdown = is_shutdown.clone();
                let wish: Wish = Box::pin(async move { drop(is_shutdown.changed().await) });
                served.spawn(serve(listener, wish));
            }
            served.join_all().await.into_iter().for_each(Result::unwrap);
        });
    });
    Serving { shutdown: Some(shutdown), thread: Some(thread) }
}

/// Completes when the shutdown begins.
pub type Wish = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Serving {
    pub fn begin_shutdown(&mut self) {
        drop(self.shutdown.take());
    }

    pub fn stop(&mut self) {
        self.begin_shutdown();
        self.thread.take().into_iter().for_each(|thread| thread.join().unwrap());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What comes up to the end of a connection.
pub fn rest_of(mut stream: impl Read) -> String {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

/// Waits until no upload is open.
pub fn wait_for_no_upload(world: &World) {
    let deadline = Instant::now() + PATIENCE;
    while world.desk.desk().uploads_open() > 0 {
        assert!(Instant::now() < deadline, "an upload was left behind");
        thread::sleep(Duration::from_millis(5));
    }
}
