//! Passphrases: from a file, the environment, or the terminal, in this order.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use hashward_tuf::{KeyError, Passphrase};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::args::PassphraseArgs;

const VARIABLE: &str = "HASHWARD_PASSPHRASE";
/// The longest passphrase, in bytes.
const BYTES_MAX: u64 = 4096;

impl PassphraseArgs {
    /// The passphrase of a key that is there. `None`: there is neither a file nor a variable nor a terminal.
    pub(super) fn of(&self, key: &Path) -> Result<Option<Passphrase>> {
        match self.without_terminal()? {
            Some(passphrase) => Ok(Some(passphrase)),
            None => asked(&format!("passphrase of {}: ", key.display())),
        }
    }

    /// The passphrase for a key that is made: at a terminal it is asked for twice.
    pub(super) fn new_one(&self, key: &Path) -> Result<Passphrase> {
        if let Some(passphrase) = self.without_terminal()? {
            return Ok(passphrase);
        }
        let prompts = [format!("a passphrase for {}: ", key.display()), "the same again: ".to_owned()];
        match (asked(&prompts[0])?, asked(&prompts[1])?) {
            (Some(first), Some(second)) if first == second => Ok(first),
            (Some(_), Some(_)) => bail!("the two are not the same"),
            _ => bail!(
                "no passphrase was given: use --passphrase-file or {VARIABLE}, or --no-passphrase to do without"
            ),
        }
    }

    fn without_terminal(&self) -> Result<Option<Passphrase>> {
        if let Some(path) = &self.passphrase_file {
            let read = || {
                let file = File::open(path)?;
                let mode = file.metadata()?.mode() & 0o777;
                let mut text = String::new();
                file.take(BYTES_MAX).read_to_string(&mut text)?;
                Ok::<_, io::Error>((text, mode))
            };
            let (text, mode) = read().with_context(|| path.display().to_string())?;
            let passphrase = Passphrase::new(text);
            if mode & 0o077 != 0 {
                return Err(KeyError::ReadableByOthers { path: path.clone(), mode }.into());
            }
            return Ok(Some(passphrase));
        }
        match std::env::var(VARIABLE) {
            Ok(text) => Ok(Some(Passphrase::new(text))),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => bail!("{VARIABLE} is not UTF-8"),
        }
    }
}

/// Asks at the terminal, which does not show what is typed. `None`: there is no terminal.
fn asked(prompt: &str) -> Result<Option<Passphrase>> {
    let Ok(mut terminal) = OpenOptions::new().read(true).write(true).open("/dev/tty") else {
        return Ok(None);
    };
    terminal.write_all(prompt.as_bytes())?;
    let shown = tcgetattr(&terminal).context("the terminal")?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&terminal, OptionalActions::Flush, &hidden).context("the terminal")?;
    let mut line = String::new();
    let read = BufReader::new((&terminal).take(BYTES_MAX)).read_line(&mut line);
    let passphrase = Passphrase::new(line);
    tcsetattr(&terminal, OptionalActions::Flush, &shown).context("the terminal")?;
    terminal.write_all(b"\n")?;
    read.context("the terminal")?;
    Ok(Some(passphrase))
}
