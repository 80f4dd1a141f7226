//! One look at a publisher's repository: what is new is fetched, verified and applied.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use hashward_core::ListId;
use hashward_evidence::What;
use hashward_release::{Applied, Header, Identities, ReleaseError, Replica, ReplicaKey, route};
use hashward_tuf::{Client, Limits, Store, Target, Transport};
use jiff::Timestamp;

use crate::config::Evidence;
use crate::evidence::record;
use crate::release::of_list;
use crate::subscriptions::{Held, Subscription};

/// So many lists of one repository are taken at the most.
const LISTS_MAX: usize = 1000;

/// What is fetched, and how it is kept.
pub(crate) struct Puller {
    /// Under which replicas are sealed.
    pub(crate) key: ReplicaKey,
    /// What opens encrypted releases.
    pub(crate) identities: Identities,
    /// How long one file may take.
    pub(crate) timeout: Duration,
    /// The largest file that is fetched, in bytes.
    pub(crate) file_bytes_max: u64,
    /// Where it is recorded what was fetched, if it is.
    pub(crate) evidence: Option<Evidence>,
    /// Who pulls: this worker.
    pub(crate) instance: String,
}

/// What a look led to.
#[derive(Debug)]
pub(crate) struct Pulled {
    /// The version of the publisher's targets.
    pub(crate) version: u64,
    /// Whether another timestamp came under the number of the trusted one. It was not taken; that it exists means that the
    /// publisher's online key signs for somebody else too.
    pub(crate) is_number_reused: bool,
    /// The lists that are taken, each with what came of it.
    pub(crate) lists: Vec<(ListId, Result<PulledList>)>,
}

/// What came of one list.
#[derive(Debug)]
pub(crate) struct PulledList {
    /// The release that is held now.
    pub(crate) newest: Header,
    /// What was applied, one after the other.
    pub(crate) applied: Vec<Applied>,
    /// Set if an operator holds the list at a release.
    pub(crate) held: Option<Held>,
}

impl Pulled {
    /// Whether some replica is another one now.
    pub(crate) fn has_changed(&self) -> bool {
        self.lists.iter().any(|(_, list)| list.as_ref().is_ok_and(|list| !list.applied.is_empty()))
    }
}

impl Puller {
    /// Looks, and applies what is new. A list that cannot be taken does not keep the others from it.
    pub(crate) fn pull(
        &self,
        subscription: &Subscription,
        transport: impl Transport + 'static,
    ) -> Result<Pulled> {
        let busy = || format!("{}: it is being pulled right now: try again later", subscription.name);
        let _lock = subscription.lock()?.with_context(busy)?;
        let limits = Limits {
            target_time_max: self.timeout,
            target_bytes_max: self.file_bytes_max,
            ..Limits::default()
        };
        let mut client = Client::new(transport, Store::open(subscription.trusted()), limits);
        let refreshed = client.refresh(Timestamp::now())?;
        let offers = offers(&client, subscription)?;
        let mut lists = Vec::with_capacity(offers.len());
        for (list, offered) in offers {
            let pulled = offered.and_then(|offered| self.pull_list(&client, subscription, &list, &offered));
            lists.push((list, pulled));
        }
        if !lists.is_empty() && lists.iter().all(|(_, pulled)| pulled.is_ok()) {
            subscription.complete()?;
        }
        let (version, is_number_reused) = (refreshed.targets_version, refreshed.is_number_reused);
        Ok(Pulled { version, is_number_reused, lists })
    }

    fn pull_list(
        &self,
        client: &Client,
        subscription: &Subscription,
        list: &ListId,
        offered: &[(Target, Header)],
    ) -> Result<PulledList> {
        let folder = subscription.replica(list);
        let mut replica = Replica::open(&folder, list, &self.key)?;
        let held = subscription.held(list)?;
        let before = replica.newest();
        if let Some(held) = &held
            && before
                .as_ref()
                .is_ok_and(|newest| newest.as_ref().is_some_and(|newest| newest.release != held.release))
        {
            // Whoever wished it was interrupted, or came while this was pulled.
            replica.roll_back(held.release)?;
        }
        let headers: Vec<Header> = offered.iter().map(|(_, header)| header.clone()).collect();
        let mut applied = Vec::new();
        if held.is_none() {
            let way = match &before {
                Ok(before) => route(before.as_ref(), &headers)?,
                // What cannot be read is made anew.
                Err(_) => route(None, &headers)?,
            };
            let go =
                |replica: &mut Replica, way: &[usize], applied: &mut Vec<Applied>| -> Result<(), Failed> {
                    for place in way {
                        // Somebody may wish to stay where it is while this goes on.
                        if subscription.is_held(list).map_err(Failed::Other)? {
                            break;
                        }
                        let (target, header) = &offered[*place];
                        applied.push(self.apply(client, subscription, replica, target, header)?);
                    }
                    Ok(())
                };
            match go(&mut replica, &way, &mut applied) {
                Err(Failed::Release(error)) if error.wants_snapshot() => {
                    let healed = route(None, &headers).map_err(Failed::Release);
                    let healed = healed.and_then(|way| go(&mut replica, &way, &mut applied));
                    healed.map_err(Failed::told).with_context(|| format!("after: {error}"))?;
                }
                gone => gone.map_err(Failed::told)?,
            }
        }
        let newest = replica.newest()?.ok_or_else(|| anyhow!("no release of the list {list} is offered"))?;
        Ok(PulledList { newest, applied, held })
    }

    fn apply(
        &self,
        client: &Client,
        subscription: &Subscription,
        replica: &mut Replica,
        target: &Target,
        header: &Header,
    ) -> Result<Applied, Failed> {
        let file = subscription.fetched().join(header.target_name());
        client.download(target, &file).map_err(|error| Failed::Other(error.into()))?;
        let what = What::ReleasePulled(of_list(header));
        record(self.evidence.as_ref(), &self.instance, what).map_err(Failed::Other)?;
        let applied = replica.apply(&file, header, &self.identities);
        // Applied or refused, nobody needs it any more: what is refused is fetched anew.
        remove(&file).map_err(Failed::Other)?;
        applied.map_err(Failed::Release)
    }
}

/// Why a target was not applied.
enum Failed {
    Release(ReleaseError),
    Other(anyhow::Error),
}

impl Failed {
    fn told(self) -> anyhow::Error {
        match self {
            Self::Release(error) => error.into(),
            Self::Other(error) => error,
        }
    }
}

/// What is offered of each list that the subscription takes, or what is wrong with that. A target that says nothing of
/// itself is none of ours.
type Offers = BTreeMap<ListId, Result<Vec<(Target, Header)>>>;

fn offers(client: &Client, subscription: &Subscription) -> Result<Offers> {
    let mut offers = Offers::new();
    for target in client.targets()? {
        let target = target?;
        let Some(custom) = &target.custom else { continue };
        let named = || format!("target {}", target.path);
        let header = match Header::parse_ours(custom).with_context(named) {
            Ok(None) => continue,
            Ok(Some(header)) => header,
            Err(error) => {
                // It is one list's fault, if it says whose.
                let list = custom.pointer("/list/id").and_then(|id| id.as_str()?.parse().ok());
                let Some(list) = list else { return Err(error) };
                if subscription.manifest.takes(&list) {
                    offers.insert(list, Err(error));
                }
                continue;
            }
        };
        if !subscription.manifest.takes(&header.list.id) {
            continue;
        }
        let offered = offers.entry(header.list.id.clone()).or_insert_with(|| Ok(Vec::new()));
        if target.path.to_string() != header.target_name() {
            *offered = Err(anyhow!("{}: its header is that of {}", named(), header.target_name()));
        } else if let Ok(offered) = offered {
            offered.push((target, header));
        }
    }
    for list in &subscription.manifest.lists {
        let missing = || Err(anyhow!("the publisher does not offer it, and the subscription takes it"));
        offers.entry(list.clone()).or_insert_with(missing);
    }
    if offers.len() > LISTS_MAX {
        return Err(anyhow!(
            "the publisher offers more than {LISTS_MAX} lists: name those that are to be taken"
        ));
    }
    Ok(offers)
}

fn remove(file: &Path) -> Result<()> {
    fs::remove_file(file).with_context(|| file.display().to_string())
}
