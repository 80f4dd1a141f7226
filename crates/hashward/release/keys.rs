//! `release keys`, and key files for the other commands.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use hashward_tuf::{Key, PrivateKey};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::args::{KeysCommand, NewKey, PassphraseArgs, ShowKey};
use crate::exit::Exit;
use crate::output::{Output, Style};

/// The largest file of a public key, in bytes.
const FILE_BYTES_MAX: u64 = 64 << 10;
/// The longest name, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// A public key and whose it is: what NAME.pub holds.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct PublicKey {
    name: String,
    key: Key,
}

/// Does what was asked.
pub(super) fn keys(command: &KeysCommand, style: Style) -> Result<Exit> {
    match command {
        KeysCommand::New(arguments) => new(arguments, style),
        KeysCommand::Show(arguments) => show(arguments, style),
    }
}

fn new(arguments: &NewKey, style: Style) -> Result<Exit> {
    let name = &arguments.name;
    verify_name(name)?;
    let private = arguments.folder.join(format!("{name}.key"));
    let public = arguments.folder.join(format!("{name}.pub"));
    if private.exists() || public.exists() {
        bail!("{} or {} is there already: keys are not written over", private.display(), public.display());
    }
    let key = PrivateKey::generate()?;
    let passphrase =
        if arguments.no_passphrase { None } else { Some(arguments.passphrase.new_one(&private)?) };
    key.save(&private, passphrase.as_ref())?;
    let mut text = serde_json::to_vec_pretty(&PublicKey { name: name.clone(), key: key.key().clone() })?;
    text.push(b'\n');
    write_new(&public, &text)?;
    let mut output = Output::stdout(style.color);
    if style.json {
        output.json(&json!({"name": name, "id": key.id(), "private": private, "public": public}))?;
    } else {
        output.line(format_args!("{}: keep it, and let nobody have it", private.display()))?;
        output.line(format_args!("{}: give it away, key id {}", public.display(), key.id()))?;
    }
    Ok(Exit::Success)
}

fn show(arguments: &ShowKey, style: Style) -> Result<Exit> {
    let (name, key) = if is_pem(&arguments.file) {
        (None, read_private(&arguments.file, &arguments.passphrase)?.key().clone())
    } else {
        let (name, key) = read_public(&arguments.file)?;
        (Some(name), key)
    };
    let mut output = Output::stdout(style.color);
    if style.json {
        output.json(&json!({"name": name, "id": key.id(), "key": key}))?;
    } else {
        let name = name.map(|name| format!("{name}: ")).unwrap_or_default();
        output.line(format_args!("{name}{} {}, key id {}", key.scheme, key.keyval.public, key.id()))?;
    }
    Ok(Exit::Success)
}

/// Reads NAME.pub.
pub(super) fn read_public(path: &Path) -> Result<(String, Key)> {
    let named = || path.display().to_string();
    let mut text = Vec::new();
    File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut text)).with_context(named)?;
    let PublicKey { name, key } = serde_json::from_slice(&text)
        .with_context(|| format!("{}: it is no public key of `hashward release keys new`", path.display()))?;
    verify_name(&name).with_context(named)?;
    Ok((name, key))
}

/// Reads a private key.
pub(super) fn read_private(path: &Path, passphrase: &PassphraseArgs) -> Result<PrivateKey> {
    // What goes wrong with a passphrase's own source is told as it is.
    let mut not_had = None;
    let key = PrivateKey::load(path, || {
        Ok(passphrase.of(path).unwrap_or_else(|error| {
            not_had = Some(error);
            None
        }))
    });
    match not_had {
        Some(error) => Err(error),
        None => Ok(key?),
    }
}

/// Reads private keys.
pub(super) fn read_privates(paths: &[PathBuf], passphrase: &PassphraseArgs) -> Result<Vec<PrivateKey>> {
    paths.iter().map(|path| read_private(path, passphrase)).collect()
}

fn is_pem(path: &Path) -> bool {
    let mut head = [0; 10];
    File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok() && head == *b"-----BEGIN"
}

fn verify_name(name: &str) -> Result<()> {
    let is_right = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.len() > NAME_BYTES_MAX || name.starts_with('.') || !name.chars().all(is_right)
    {
        bail!("a key's name must have 1 to 64 letters, digits, `-`, `_` and `.`, and not begin with `.`");
    }
    Ok(())
}

/// Writes a file that must not be there yet, and waits until it is on the disk.
pub(super) fn write_new(path: &Path, content: &[u8]) -> Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .with_context(|| path.display().to_string())?;
    file.write_all(content).and_then(|()| file.sync_all()).with_context(|| path.display().to_string())
}
