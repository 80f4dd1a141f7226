//! What is generated from the command line's definition: completions and the manual.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use clap_complete::Shell;

use crate::cli;
use crate::exit::Exit;
use crate::output::{Color, Output};

/// Prints the completion script of a shell.
pub(crate) fn completions(shell: Shell) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut cli::command(), "hashward", &mut script);
    print(&script)
}

/// Prints the main page, or writes every page into `directory`.
pub(crate) fn man(directory: Option<&Path>) -> Result<Exit> {
    if let Some(directory) = directory {
        fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
        clap_mangen::generate_to(cli::command(), directory)
            .with_context(|| directory.display().to_string())?;
        return Ok(Exit::Success);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(cli::command()).render(&mut page)?;
    print(&page)
}

fn print(text: &[u8]) -> Result<Exit> {
    Output::stdout(Color::Never).text(&String::from_utf8_lossy(text))?;
    Ok(Exit::Success)
}
