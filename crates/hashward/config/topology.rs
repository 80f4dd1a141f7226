//! Whether the parts of a configuration go together.

use super::checked::{AlertsKind, Config, DeliveryKind, SourceKind};
use super::finding::Finding;

/// Everything in a configuration that contradicts something else in it.
pub(crate) fn check(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    kafka(config, &mut findings);
    transactions(config, &mut findings);
    files(config, &mut findings);
    keys(config, &mut findings);
    subscriptions(config, &mut findings);
    gate(config, &mut findings);
    findings.into_iter().map(|finding| config.places.mark(finding)).collect()
}

fn kafka(config: &Config, findings: &mut Vec<Finding>) {
    let kafka = &config.kafka;
    let (reads, writes) = (config.source == SourceKind::Kafka, config.alerts.kind == AlertsKind::Kafka);
    if reads && kafka.topics.is_empty() {
        let what = "empty: with source.kind = \"kafka\" name at least one topic, such as [\"uploads\"]";
        findings.push(Finding::of("kafka.topics", what));
    }
    let duplicate = kafka.topics.iter().enumerate().find(|(i, topic)| kafka.topics[..*i].contains(topic));
    if let Some((_, topic)) = duplicate {
        findings
            .push(Finding::of("kafka.topics", format_args!("{topic:?} stands there twice: name it once")));
    }
    let outputs =
        [("kafka.alerts_topic", &kafka.alerts_topic), ("kafka.quarantine_topic", &kafka.quarantine_topic)];
    for (key, topic) in outputs {
        if reads && writes && kafka.topics.contains(topic) {
            let what = format_args!("{topic:?} is one of kafka.topics: Hashward would read what it writes");
            findings.push(Finding::of(key, what));
        }
    }
    if writes && kafka.alerts_topic == kafka.quarantine_topic {
        let what = "it is kafka.alerts_topic too: readers of alerts would get records that are none";
        findings.push(Finding::of("kafka.quarantine_topic", what));
    }
}

fn transactions(config: &Config, findings: &mut Vec<Finding>) {
    if config.kafka.delivery != DeliveryKind::Transactional {
        return;
    }
    let needs = "kafka.delivery = \"transactional\" needs";
    if config.source != SourceKind::Kafka {
        findings.push(Finding::of("source.kind", format_args!("{needs} source.kind = \"kafka\"")));
    }
    if config.alerts.kind != AlertsKind::Kafka {
        findings.push(Finding::of("alerts.kind", format_args!("{needs} alerts.kind = \"kafka\"")));
    }
    if config.kafka.transactional_id.is_empty() {
        let what = format_args!("empty: {needs} a name that no other worker has, such as \"hashward-0\"");
        findings.push(Finding::of("kafka.transactional_id", what));
    }
}

fn files(config: &Config, findings: &mut Vec<Finding>) {
    let alerts = &config.alerts;
    if alerts.kind == AlertsKind::File && alerts.file == alerts.quarantine_file {
        let what = "it is alerts.file too: readers of alerts would get records that are none";
        findings.push(Finding::of("alerts.quarantine_file", what));
    }
    let inbox = config.inbox.directory.join("inbox");
    for (key, file) in [("alerts.file", &alerts.file), ("alerts.quarantine_file", &alerts.quarantine_file)] {
        if config.source == SourceKind::Inbox && alerts.kind == AlertsKind::File && file.starts_with(&inbox) {
            let what = format_args!("it is inside {}: Hashward would read what it writes", inbox.display());
            findings.push(Finding::of(key, what));
        }
    }
    let duplicate =
        config.lists.files.iter().enumerate().find(|(i, file)| config.lists.files[..*i].contains(file));
    if let Some((_, file)) = duplicate {
        findings.push(Finding::of(
            "lists.files",
            format_args!("{} stands there twice: name it once", file.display()),
        ));
    }
}

/// A key beside what it seals, or signs, protects nothing from whoever takes the whole folder.
fn keys(config: &Config, findings: &mut Vec<Finding>) {
    let list_key = config.lists.key_file.as_deref();
    let evidence = config.evidence.as_ref();
    let folders = [
        ("lists.key_file", list_key, "lists.generations_dir", config.lists.generations_dir.as_deref()),
        ("lists.key_file", list_key, "subscriptions.directory", config.subscriptions.directory.as_deref()),
        (
            "evidence.key_file",
            evidence.map(|evidence| evidence.key_file.as_path()),
            "evidence.directory",
            evidence.map(|evidence| evidence.directory.as_path()),
        ),
    ];
    for (key, file, folder, dir) in folders {
        if let (Some(file), Some(dir)) = (file, dir)
            && let (Ok(file), Ok(dir)) = (std::path::absolute(file), std::path::absolute(dir))
            && file.starts_with(dir)
        {
            let what =
                format_args!("it is inside {folder}: whoever gets that folder must not get the key with it");
            findings.push(Finding::of(key, what));
        }
    }
}

fn gate(config: &Config, findings: &mut Vec<Finding>) {
    if config.source == SourceKind::None && config.gate.is_none() {
        let what = "\"none\", and every door is closed: there is nothing to do; set gate.http.listen, \
                    gate.clamd.listen or gate.icap.listen";
        findings.push(Finding::of("source.kind", what));
    }
}

fn subscriptions(config: &Config, findings: &mut Vec<Finding>) {
    if config.subscriptions.directory.is_some() && config.lists.watch.is_none() {
        let what =
            "0: releases would be fetched and never go live; with subscriptions.directory lists are watched";
        findings.push(Finding::of("lists.watch_ms", what));
    }
}
