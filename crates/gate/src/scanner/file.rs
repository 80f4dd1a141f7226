use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use hashward_engine::core::Identity;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::spawn_blocking;

use super::{Rules, Ruling, Taken};
use crate::AsyncDesk;

/// How much of a file is read at a time, in bytes.
const PIECE_BYTES: usize = 64 << 10;
/// Pieces of a file that are read ahead.
const PIECES_AHEAD: usize = 4;

/// Room for files that are read at a time, each by a thread.
#[derive(Clone, Debug)]
pub(crate) struct FileReads(Arc<Semaphore>);

impl FileReads {
    pub(crate) fn new(files_max: usize) -> Self {
        Self(Arc::new(Semaphore::new(files_max)))
    }

    /// Reads a file from its beginning to its end.
    async fn read(&self, file: File) -> mpsc::Receiver<io::Result<Bytes>> {
        let (pieces, to_come) = mpsc::channel(PIECES_AHEAD);
        let room = Arc::clone(&self.0).acquire_owned().await;
        let room = room.expect("the semaphore is never closed");
        spawn_blocking(move || read_pieces(&file, &pieces, room));
        to_come
    }
}

fn read_pieces(file: &File, pieces: &mpsc::Sender<io::Result<Bytes>>, room: OwnedSemaphorePermit) {
    let mut offset = 0;
    loop {
        let mut piece = vec![0; PIECE_BYTES];
        let read = file.read_at(&mut piece, offset).map(|length| {
            piece.truncate(length);
            offset += length as u64;
            Bytes::from(piece)
        });
        let is_over = !matches!(&read, Ok(piece) if !piece.is_empty());
        // Nobody listens once the upload has failed.
        if pieces.blocking_send(read).is_err() || is_over {
            break;
        }
    }
    drop(room);
}

/// What to say about a whole file. `Err` tells that it cannot be read.
pub(crate) async fn read_whole(
    desk: &AsyncDesk,
    reads: &FileReads,
    rules: &Rules,
    file: File,
    identity: Identity,
) -> io::Result<Ruling> {
    let mut taken = Taken::open(desk, identity);
    let mut pieces = reads.read(file).await;
    while !taken.is_over() {
        match pieces.recv().await {
            Some(Ok(piece)) if piece.is_empty() => break,
            Some(Ok(piece)) => taken.push(piece).await,
            Some(Err(error)) => return Err(error),
            None => return Err(io::Error::other("the reading thread has failed")),
        }
    }
    Ok(taken.finish(rules).await)
}
