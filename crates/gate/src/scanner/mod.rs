//! What the clamd and the ICAP door share: listeners, connections, and what a door makes of an answer.

mod connection;
mod file;
mod identities;
mod listener;
mod rules;

pub(crate) use connection::{Connection, Received};
pub(crate) use file::{FileReads, read_whole};
pub(crate) use identities::Identities;
pub use listener::{Address, Bound, ListenError};
pub(crate) use rules::Ruling;
pub use rules::{Fail, Rules};

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// The pause after a connection could not be accepted, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Serves connections until `shutdown` completes; then finishes what is in flight, within `grace`. `room` has a permit for
/// each connection; more wait in the system's queue. Fails only if the runtime does not take the listener over.
pub(crate) async fn serve<S>(
    bound: Bound,
    grace: Duration,
    room: Arc<Semaphore>,
    shutdown: impl Future<Output = ()>,
    session: impl Fn(Connection) -> S,
) -> io::Result<()>
where
    S: Future<Output = ()> + Send + 'static,
{
    let listener = bound.listen()?;
    let (closing, is_closing) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accept = async {
            let room = Arc::clone(&room).acquire_owned().await;
            (room, listener.accept().await)
        };
        let (room, accepted) = tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept => accepted,
        };
        let Ok(stream) = accepted else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let session = session(Connection::new(stream, is_closing.clone()));
        connections.spawn(async move {
            session.await;
            drop(room);
        });
    }
    drop(listener);
    drop(closing);
    let all_closed = async { while connections.join_next().await.is_some() {} };
    // Whoever is still there is cut off when `connections` is dropped.
    drop(timeout(grace, all_closed).await);
    Ok(())
}
