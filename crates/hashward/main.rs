//! The `hashward` program: command line, configuration, wiring.

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "rates are computed in floats, and told as whole numbers"
)]
mod bench;
mod cli;
mod config;
mod control;
mod cpu_time;
mod demo;
mod digest_text;
mod documents;
mod evidence;
mod exit;
mod explain;
mod gate;
mod generations;
mod list;
mod lists;
mod logging;
mod nearest;
mod notify;
mod output;
mod print;
mod progress;
mod release;
mod run;
mod scan;
mod scanners;
mod shares;
mod subscribe;
mod subscriptions;
mod tuf_client;
mod validate;
mod wiring;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser as _;

use cli::{Cli, Command, ConfigCommand, GateCommand};
use config::Config;
use exit::Exit;
use output::{Output, Paint, painted};
use release::ReleaseCommand;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let color = cli.global.color;
    let exit = dispatch(&cli).unwrap_or_else(|error| {
        let head = painted(color.on(&std::io::stderr()), Paint::Red, "error:");
        eprintln!("{head} {error:#}");
        Exit::Failed
    });
    exit.into()
}

/// Does what was asked.
fn dispatch(cli: &Cli) -> Result<Exit> {
    let style = cli.global.style();
    hashward_digest::Path::from_environment().context(hashward_digest::PATH_VARIABLE)?;
    let config = || -> Result<Config> { Ok(config::load(&cli.global.sources()?)?) };
    refuse_idle_flags(cli)?;
    match &cli.command {
        Command::Demo(demo) => demo::demo(demo, cli.global.flags()?, style),
        Command::Run => run::run(&config()?, style),
        Command::Scan(scan) => scan::scan(&config()?, &scan.paths, style),
        Command::Bench(bench) => bench::bench(&config()?, bench, style),
        Command::Explain(explain) => explain::explain(&config()?, &explain.subject, style),
        Command::List(command) => list::list(command, style),
        Command::Release(command) => release::release(command, config, style),
        Command::TufClient(client) => Ok(tuf_client::tuf_client(client)),
        Command::Evidence(command) => evidence::evidence(command, style),
        Command::Generations(command) => generations::generations(&config()?, command, style),
        Command::Subscribe(command) => subscribe::subscribe(&config()?, command, style),
        Command::Gate(GateCommand::Key(key)) => gate::key(key, style),
        Command::Validate(validate) => validate::validate(&cli.global, validate.stage, style),
        Command::Config(ConfigCommand::Schema) => print(&config::schema_text()),
        Command::Config(ConfigCommand::Reference) => print(&config::reference()),
        Command::Config(ConfigCommand::Show) => print(&config::show(&config()?, style.json)),
        Command::Completions { shell } => documents::completions(*shell),
        Command::Man { directory } => documents::man(directory.as_deref()),
    }
}

/// Refuses global flags that the command would not heed.
fn refuse_idle_flags(cli: &Cli) -> Result<()> {
    let global = &cli.global;
    let name = match &cli.command {
        Command::Run
        | Command::Scan(_)
        | Command::Explain(_)
        | Command::Bench(_)
        | Command::Validate(_)
        | Command::Generations(_)
        | Command::Subscribe(_)
        | Command::Release(ReleaseCommand::Publish(_) | ReleaseCommand::Sign(_))
        | Command::Config(ConfigCommand::Show) => return Ok(()),
        Command::Demo(_) => return Ok(global.refuse_configuration("demo", &["--log-level", "--log-format"])?),
        Command::List(_) => return Ok(global.refuse_configuration("list", &[])?),
        Command::Release(_) => return Ok(global.refuse_configuration("release", &[])?),
        Command::TufClient(_) => "tuf-client",
        Command::Evidence(_) => return Ok(global.refuse_configuration("evidence", &[])?),
        Command::Gate(_) => return Ok(global.refuse_configuration("gate", &[])?),
        Command::Config(ConfigCommand::Schema) => "config schema",
        Command::Config(ConfigCommand::Reference) => "config reference",
        Command::Completions { .. } => "completions",
        Command::Man { .. } => "man",
    };
    global.refuse_configuration(name, &[])?;
    Ok(global.refuse_json(name)?)
}

fn print(text: &str) -> Result<Exit> {
    Output::stdout(output::Color::Never).text(text)?;
    Ok(Exit::Success)
}
