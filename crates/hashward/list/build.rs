//! `list build`.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use hashward_engine::lists::{BuildOptions, ListIndex, ListIndexBuilder, Rails, verify_against};
use hashward_index::Layout;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::args::{Build, LayoutChoice};
use super::sealed::{harmless, listed, needed_key, open_all, tell_lists};
use crate::exit::Exit;
use crate::output::{Output, Paint, Style, counted, grouped};

/// Builds a sealed file, checks it, and puts it in its place.
pub(super) fn build(arguments: &Build, style: Style) -> Result<Exit> {
    let key = needed_key(&arguments.key)?;
    let known_good = harmless(&arguments.harmless, &key)?;
    let unchecked = beside(&arguments.sealed)?;
    let options = BuildOptions {
        path: Some(&unchecked),
        layout: match arguments.layout {
            LayoutChoice::Auto => None,
            LayoutChoice::Filter => Some(Layout::FilterAndSet),
            LayoutChoice::Lines => Some(Layout::LineTable),
        },
        rails: Rails { known_good: known_good.as_ref(), ..Rails::default() },
        now: Timestamp::now().as_second(),
    };
    let bar = bar();
    let mut builder = ListIndexBuilder::new(&key, options)?;
    for list in open_all(&arguments.lists)? {
        bar.set_message(format!("reading {}", list.info.id));
        builder.add(list, &mut |entries| bar.set_position(entries))?;
    }
    bar.set_message("sorting and writing");
    let built = builder.finish(&mut |progress| {
        bar.set_length(progress.total);
        bar.set_position(progress.written);
    })?;
    bar.set_message("checking");
    let checked = check(&built, arguments, known_good.as_ref());
    bar.finish_and_clear();
    if let Err(error) = checked {
        fs::remove_file(&unchecked).with_context(|| unchecked.display().to_string())?;
        return Err(error.context(format!("{}: nothing is written there", arguments.sealed.display())));
    }
    put_in_place(&unchecked, &arguments.sealed).with_context(|| arguments.sealed.display().to_string())?;
    tell(&built, &arguments.sealed, style)
}

fn check(
    built: &ListIndex,
    arguments: &Build,
    known_good: Option<&hashward_engine::lists::KnownGood>,
) -> Result<()> {
    built.verify()?;
    verify_against(built, open_all(&arguments.lists)?, known_good)?
        .context("the built index is not what the lists say: was one of them changed meanwhile?")
}

/// Where the file stands until it is checked.
fn beside(sealed: &Path) -> Result<PathBuf> {
    let name = sealed.file_name().with_context(|| format!("{}: expected a file's name", sealed.display()))?;
    let mut unchecked = OsString::from(".");
    unchecked.push(name);
    unchecked.push(".unchecked");
    Ok(sealed.with_file_name(unchecked))
}

fn put_in_place(unchecked: &Path, sealed: &Path) -> std::io::Result<()> {
    fs::rename(unchecked, sealed)?;
    let folder = sealed.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn tell(built: &ListIndex, sealed: &Path, style: Style) -> Result<Exit> {
    let mut output = Output::stdout(style.color);
    let (entries, digests) = (built.index().entries(), built.index().signals());
    if style.json {
        let lists: Vec<Value> = built.lists().iter().map(listed).collect();
        output.json(&json!({
            "sealed": sealed, "entries": entries, "digests": digests, "lists": lists,
            "hot_bytes": built.hot_bytes(), "layout": format!("{:?}", built.layout()),
        }))?;
        return Ok(Exit::Success);
    }
    tell_lists(&mut output, built)?;
    let done = output.paint(Paint::Green, "sealed");
    let entries = counted(entries, "entry", "entries");
    output.line(format_args!(
        "{done}: {} holds {entries}, {}; checked against its lists",
        sealed.display(),
        counted(digests, "digest", "digests")
    ))?;
    output.line(format_args!("  {} bytes of it should stay in memory", grouped(built.hot_bytes())))?;
    Ok(Exit::Success)
}

/// Hidden by itself where standard error is no terminal.
fn bar() -> ProgressBar {
    let template = "{msg:<24} {wide_bar} {human_pos}/{human_len} {per_sec} [{elapsed}]";
    let style = ProgressStyle::with_template(template).expect("the template is well-formed");
    let bar = ProgressBar::new(0).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
