//! `list import`.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use hashward_list::format::{self, Item, ReadOptions, Role, Source};
use hashward_list::store::{Outcome, Step, Store, StoreError, WHY_BYTES_MAX};

use super::args::{Import, ReadAs};
use super::taken::{Refusals, Taken, TakenFile};
use crate::exit::Exit;
use crate::output::{Style, tame};
use crate::progress::Progress;

/// A file that is open, and what is said of it at the end.
struct Opened<'a> {
    source: Source<'static>,
    path: &'a Path,
    told: TakenFile,
}

/// Imports files in one step.
pub(super) fn import(arguments: &Import, style: Style) -> Result<Exit> {
    let mut store = Store::open(&arguments.at.folder)?;
    let opened: Vec<Opened> =
        arguments.files.iter().map(|path| open(path, arguments)).collect::<Result<_>>()?;
    let list = store.info()?.id;
    let why = arguments.why.clone().unwrap_or_else(|| why(&arguments.files));
    let mut step = store.begin(arguments.who.step(why)?)?;
    let mut refusals = Refusals::default();
    let mut files = Vec::new();
    let progress = Progress::start();
    progress.add_total(opened.iter().map(|opened| opened.source.total_bytes()).sum());
    progress.total_known();
    let read = opened.into_iter().try_for_each(|Opened { source, path, told }| {
        step.set_source(&told.source)?;
        files.push(told);
        let options = ReadOptions { pdq: arguments.pdq };
        read(source, path, options, &mut step, &mut refusals, &progress)
    });
    progress.finish();
    read?;
    refusals.tell();
    let stopped = arguments.strict && refusals.count() > 0;
    let keeps = !arguments.dry_run && !stopped;
    let summary = if keeps { step.commit()? } else { step.dry_run()? };
    let state = store.state_number()?;
    let taken = Taken { list, keeps, dry_run: arguments.dry_run, state, files, refusals, summary };
    taken.tell(style)?;
    if stopped {
        bail!("items were refused, and nothing is written: correct them, or import without --strict");
    }
    Ok(Exit::Success)
}

fn open<'a>(path: &'a Path, arguments: &Import) -> Result<Opened<'a>> {
    let format = match arguments.format {
        ReadAs::Auto => None,
        ReadAs::Told(format) => Some(format),
    };
    let source = format::open(path, format)?;
    let format = source.format();
    let shown = path.display();
    if format.role() == Role::KnownGood {
        bail!(
            "{shown}: {format} is a list of known files, nearly all of them harmless: a list that is matched must never \
             hold it; it belongs to the guard rails of lists"
        );
    }
    let name = || path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let told =
        TakenFile { file: shown.to_string(), format, source: arguments.source.clone().unwrap_or_else(name) };
    Ok(Opened { source, path, told })
}

/// Takes all that a file says into the step. Fails if the file cannot be read to its end.
fn read(
    source: Source<'_>,
    path: &Path,
    options: ReadOptions,
    step: &mut Step<'_>,
    refusals: &mut Refusals,
    progress: &Progress,
) -> Result<()> {
    let mut failed: Option<StoreError> = None;
    let mut told_bytes = 0;
    let mut take = |Item { place, said, read_bytes }: Item| {
        progress.read(read_bytes.saturating_sub(told_bytes));
        told_bytes = read_bytes;
        match said.map(|statement| step.apply(&statement)) {
            Err(problem) => {
                let reason = || format!("{problem}: expected {}", problem.expected());
                refusals.take(path, place, reason);
            }
            Ok(Ok(Outcome::Refused(refusal))) => refusals.take(path, place, || refusal.to_string()),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                failed = Some(error);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    };
    let read = source.read(&options, &mut take);
    failed.map_or(Ok(()), Err)?;
    Ok(read?)
}

/// The reason of a step that has no other.
fn why(files: &[PathBuf]) -> String {
    let names = files.iter().map(|path| tame(&path.file_name().unwrap_or_default().to_string_lossy()));
    let why = format!("import of {}", names.collect::<Vec<_>>().join(", "));
    if why.len() <= WHY_BYTES_MAX { why } else { format!("import of {} files", files.len()) }
}
