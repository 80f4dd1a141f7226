//! The doors of the gate that speak as virus scanners do: bound, then served beside the others.

use std::io;
use std::time::Duration;

use anyhow::{Context as _, Result};
use hashward_engine::{Health, Metrics, Stop};
use hashward_gate::clamd::{self, Clamd, ClamdLimits};
use hashward_gate::icap::{Icap, IcapLimits};
use hashward_gate::{AsyncDesk, Door, DoorKind, Fail, Listener};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tracing::info;

use crate::config::{ClamdDoor, Finding, Gate, IcapDoor};
use crate::gate::{bind, stopped};

/// The doors, bound and not served yet.
pub(crate) struct BoundScanners<'a> {
    clamd: Option<(Vec<Listener>, &'a ClamdDoor)>,
    icap: Option<(Vec<Listener>, &'a IcapDoor)>,
}

/// What the doors are served with.
pub(crate) struct Serving<'a> {
    /// Whom they ask.
    pub(crate) desk: &'a AsyncDesk,
    /// How long what is in flight may take after the stop.
    pub(crate) grace: Duration,
    /// What asks for the end.
    pub(crate) stop: &'a Stop,
    /// Where they count.
    pub(crate) metrics: &'a Metrics,
    /// Where it is told what they do without a verdict.
    pub(crate) health: &'a Health,
    /// Where they run.
    pub(crate) runtime: &'a Handle,
}

impl<'a> BoundScanners<'a> {
    /// Reads certificates, and binds every address.
    pub(crate) fn bind(gate: &'a Gate) -> Result<Self> {
        let clamd = |door: &'a ClamdDoor| Ok((bind("gate.clamd", &door.common, &[])?, door));
        let icap = |door: &'a IcapDoor| Ok((bind("gate.icap", &door.common, &[])?, door));
        let clamd: Option<Result<_>> = gate.clamd.as_ref().map(clamd);
        let icap: Option<Result<_>> = gate.icap.as_ref().map(icap);
        Ok(Self { clamd: clamd.transpose()?, icap: icap.transpose()? })
    }

    /// Serves each listener, as one of `doors`.
    pub(crate) fn serve(self, with: &Serving<'_>, doors: &mut JoinSet<io::Result<()>>) -> Result<()> {
        let Serving { desk, grace, .. } = *with;
        if let Some((listeners, door)) = self.clamd {
            let limits = ClamdLimits { grace, ..door.limits };
            let opened = with.open(DoorKind::Clamd, door.common.fail);
            let clamd = Clamd::new(desk.clone(), opened, door.review, &door.roots, limits);
            let clamd = clamd.context("gate.clamd")?;
            for listener in told(DoorKind::Clamd, door.common.fail, listeners) {
                let (clamd, stop) = (clamd.clone(), with.stop.clone());
                let serving = async move { clamd.serve(listener, stopped(stop)).await };
                doors.spawn_on(serving, with.runtime);
            }
        }
        if let Some((listeners, door)) = self.icap {
            let limits = IcapLimits { grace, ..door.limits };
            let opened = with.open(DoorKind::Icap, door.common.fail);
            let icap = Icap::new(desk.clone(), opened, door.review, door.spool_folder.clone(), limits);
            for listener in told(DoorKind::Icap, door.common.fail, listeners) {
                let (icap, stop) = (icap.clone(), with.stop.clone());
                let serving = async move { icap.serve(listener, stopped(stop)).await };
                doors.spawn_on(serving, with.runtime);
            }
        }
        Ok(())
    }
}

impl Serving<'_> {
    fn open(&self, kind: DoorKind, fail: Fail) -> Door {
        self.health.door(kind.word(), fail.word());
        Door::new(kind, fail, self.metrics.clone())
    }
}

/// Tells where a door listens.
fn told(kind: DoorKind, fail: Fail, listeners: Vec<Listener>) -> Vec<Listener> {
    for listener in &listeners {
        info!(door = kind.word(), address = listener.local(), fails = fail.word(), "door open");
    }
    listeners
}

/// What is wrong around these doors: folders.
pub(crate) fn problems(gate: &Gate) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(Err(error)) = gate.clamd.as_ref().map(|door| clamd::check_roots(&door.roots)) {
        findings.push(Finding::of("gate.clamd.roots", error));
    }
    if let Some(folder) = gate.icap.as_ref().map(|door| &door.spool_folder).filter(|folder| !folder.is_dir())
    {
        let what = format_args!("{} is no folder: make it, or name another", folder.display());
        findings.push(Finding::of("gate.icap.spool_folder", what));
    }
    findings
}
