//! Checks of paths: what a walk finds goes through the desk, and what is said of it goes to the client.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::{JoinSet, spawn_blocking};

use super::roots::{Found, regular};
use super::{Parts, Reach, reply};
use crate::DoorKind;
use crate::scanner::{Ruling, read_whole, unnamed};

/// Files of one `MULTISCAN` that are checked at a time.
const FILES_TOGETHER: usize = 8;

/// What was found out about one file.
struct Checked {
    path: PathBuf,
    ruling: Result<Ruling, &'static str>,
}

/// Replies to a command that names a path. They end with the walk.
pub(super) fn scan(door: Arc<Parts>, path: PathBuf, reach: Reach) -> mpsc::Receiver<Vec<u8>> {
    let (replies, to_come) = mpsc::channel(1);
    // The task ends with the walk, or when nobody wants its replies any more.
    tokio::spawn(async move { walk(door, path, reach, replies).await });
    to_come
}

async fn walk(door: Arc<Parts>, path: PathBuf, reach: Reach, replies: mpsc::Sender<Vec<u8>>) {
    let (sender, mut found) = mpsc::channel(FILES_TOGETHER);
    let (roots, walked) = (door.roots.clone(), path.clone());
    spawn_blocking(move || roots.walk(walked, &sender));
    let side_by_side = if reach == Reach::Together { FILES_TOGETHER } else { 1 };
    let (mut files, mut is_told) = (JoinSet::new(), false);
    loop {
        while files.len() < side_by_side {
            let Some(Found { path, file }) = found.recv().await else { break };
            let door = Arc::clone(&door);
            files.spawn(async move {
                let ruling = match file {
                    Ok(file) => rule(&door, file, Some(&path)).await,
                    Err(reason) => Err(reason),
                };
                Checked { path, ruling }
            });
        }
        let checked = tokio::select! {
            checked = files.join_next() => checked,
            () = replies.closed() => return,
        };
        let Some(checked) = checked else { break };
        let Ok(Checked { path: file, ruling }) = checked else { continue };
        // Of a folder only what is wrong is told.
        if ruling == Ok(Ruling::Pass) && file != path {
            continue;
        }
        let is_first = matches!(ruling, Ok(Ruling::Block(_))) && reach == Reach::First;
        is_told = true;
        if replies.send(told(&reply::shown(&file), ruling)).await.is_err() || is_first {
            return;
        }
    }
    if !is_told {
        // Nobody listens any more, or this is the last word.
        drop(replies.send(reply::ruled(&reply::shown(&path), &Ruling::Pass)).await);
    }
}

/// The reply about a file whose descriptor the client sent.
pub(super) async fn descriptor(door: &Parts, descriptor: OwnedFd) -> Vec<u8> {
    let name = format!("fd[{}]", descriptor.as_raw_fd());
    let ruling = match regular(descriptor) {
        Ok(file) => rule(door, file, None).await,
        Err(reason) => Err(reason),
    };
    told(name.as_bytes(), ruling)
}

fn told(name: &[u8], ruling: Result<Ruling, &'static str>) -> Vec<u8> {
    match ruling {
        Ok(ruling) => reply::ruled(name, &ruling),
        Err(reason) => reply::failed(name, reason),
    }
}

async fn rule(door: &Parts, file: std::fs::File, path: Option<&PathBuf>) -> Result<Ruling, &'static str> {
    let identity = unnamed(DoorKind::Clamd, path.map(|path| path.display().to_string()));
    let read = read_whole(&door.desk, &door.reads, &door.rules, file, identity).await;
    read.map_err(|error: io::Error| match error.kind() {
        io::ErrorKind::PermissionDenied => "Access denied.",
        _ => "Can't read file",
    })
}
