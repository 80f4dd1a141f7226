//! `tuf-client`: the command-line protocol of the public conformance tests for The Update Framework.
//!
//! It exists for those tests and for nothing else. Its exit codes are the protocol's: 0, or 1 if anything failed.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use hashward_fetch::{Web, WebOptions};
use hashward_tuf::{Client, Limits, Store, TargetPath};
use jiff::Timestamp;

use crate::exit::Exit;
use crate::release::WebTransport;

/// What the protocol gives before the command.
#[derive(Args, Debug)]
pub(crate) struct TufClient {
    /// The folder with trusted metadata
    #[arg(long)]
    metadata_dir: PathBuf,
    /// The URL of the repository's metadata
    #[arg(long)]
    metadata_url: Option<String>,
    /// The target to download
    #[arg(long)]
    target_name: Option<String>,
    /// The URL of the repository's target files
    #[arg(long)]
    target_base_url: Option<String>,
    /// The folder for downloads
    #[arg(long)]
    target_dir: Option<PathBuf>,
    #[command(subcommand)]
    command: TufCommand,
}

/// The protocol's commands.
#[derive(Debug, Subcommand)]
pub(crate) enum TufCommand {
    /// Begins with a trusted root
    Init {
        /// The root
        trusted_root: PathBuf,
    },
    /// Brings the metadata up to date
    Refresh,
    /// Refreshes, and downloads a target
    Download,
}

/// Does what was asked. The protocol's 1 is the number that elsewhere says that something matched.
pub(crate) fn tuf_client(client: &TufClient) -> Exit {
    match client.run() {
        Ok(()) => Exit::Success,
        Err(error) => {
            eprintln!("{error:#}");
            Exit::Matched
        }
    }
}

impl TufClient {
    fn run(&self) -> Result<()> {
        match &self.command {
            TufCommand::Init { trusted_root } => {
                let root = fs::read(trusted_root).with_context(|| trusted_root.display().to_string())?;
                Ok(Store::open(&self.metadata_dir).begin(&root)?)
            }
            TufCommand::Refresh => self.refreshed("").map(|_| ()),
            TufCommand::Download => self.download(),
        }
    }

    fn refreshed(&self, targets_url: &str) -> Result<Client> {
        let metadata_url = self.metadata_url.as_ref().context("--metadata-url is missing")?;
        let web = Web::new(&WebOptions::default())?;
        let transport = WebTransport::new(web, metadata_url, targets_url);
        let mut client = Client::new(transport, Store::open(&self.metadata_dir), Limits::default());
        client.refresh(Timestamp::now())?;
        Ok(client)
    }

    fn download(&self) -> Result<()> {
        let url = self.target_base_url.as_ref().context("--target-base-url is missing")?;
        let path = self.target_name.as_ref().context("--target-name is missing")?;
        let folder = self.target_dir.as_ref().context("--target-dir is missing")?;
        let mut client = self.refreshed(url)?;
        let path: TargetPath = path.parse()?;
        let target = client.target(&path)?.with_context(|| format!("{path}: nobody lists it"))?;
        client.download(&target, &folder.join(path.file_name()))?;
        Ok(())
    }
}
