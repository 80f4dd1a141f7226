//! What was measured, for people and for programs.

use std::fmt::Write as _;

use hashward_core::Algorithm;
use hashward_digest::Path;
use serde_json::{Value, json};

use super::digests::{PathRates, SIZES};
use super::lookups::Lookups;
use crate::output::grouped;

/// Everything that was measured. Rates of bytes are in bytes a second.
pub(crate) struct Report {
    /// The threads that measured together.
    pub(crate) cores: usize,
    /// Of one core that only reads.
    pub(crate) memory_bytes_per_second: f64,
    /// Of one core, the fastest path first.
    pub(crate) paths: Vec<PathRates>,
    /// Of all cores on the chosen path, for each of [`SIZES`].
    pub(crate) all_cores: [f64; SIZES.len()],
    /// Of one core.
    pub(crate) lookups: Lookups,
}

/// What one content of a length costs a core, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cost {
    digesting: f64,
    looking_up: f64,
}

impl Cost {
    fn uploads_per_second(self) -> f64 {
        1.0 / (self.digesting + self.looking_up)
    }
}

/// What takes most of an upload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Bottleneck {
    Digesting,
    LookingUp,
    Memory,
}

impl Bottleneck {
    fn word(self) -> &'static str {
        match self {
            Self::Digesting => "digesting",
            Self::LookingUp => "looking up",
            Self::Memory => "memory",
        }
    }
}

impl Report {
    /// The rates of the path that every command takes.
    fn chosen(&self) -> &PathRates {
        let chosen = Path::chosen().name();
        self.paths.iter().find(|rates| rates.path == chosen).expect("every path was measured")
    }

    fn cost(&self, size: usize) -> Cost {
        Cost {
            digesting: SIZES[size] as f64 / self.chosen().together[size],
            looking_up: self.lookups.algorithms.len() as f64 / self.lookups.misses_per_second,
        }
    }

    fn bottleneck(&self, size: usize) -> Bottleneck {
        let Cost { digesting, looking_up } = self.cost(size);
        let reading = SIZES[size] as f64 / self.memory_bytes_per_second;
        if looking_up > digesting {
            Bottleneck::LookingUp
        } else if reading * 2.0 > digesting {
            // Digests wait for bytes for more than half of their time.
            Bottleneck::Memory
        } else {
            Bottleneck::Digesting
        }
    }

    /// The length in bytes at which digesting a content costs as much as looking it up.
    fn even_bytes(&self) -> f64 {
        self.cost(0).looking_up * self.chosen().together[0]
    }

    /// How many times as much all cores do as one, with long contents.
    fn speedup(&self) -> f64 {
        self.all_cores[SIZES.len() - 1] / self.chosen().together[SIZES.len() - 1]
    }

    /// The bottleneck in a sentence.
    fn sentence(&self) -> String {
        const SIZE: usize = 1;
        let cost = self.cost(SIZE);
        let share = 100.0 * cost.digesting.max(cost.looking_up) / (cost.digesting + cost.looking_up);
        let what = match self.bottleneck(SIZE) {
            Bottleneck::Memory => "digesting, which mostly waits for memory".to_owned(),
            other => other.word().to_owned(),
        };
        format!(
            "{what} takes {share:.0} % of an upload of {}, of which one core does {} a second; below {} bytes looking up \
             takes more than digesting; {} together do {:.1} times as much as one",
            size_text(SIZES[SIZE]),
            grouped(cost.uploads_per_second() as u64),
            grouped(self.even_bytes() as u64),
            if self.cores == 1 { "1 thread".to_owned() } else { format!("{} threads", self.cores) },
            self.speedup(),
        )
    }

    /// The object of `--json`.
    pub(crate) fn json(&self) -> Value {
        let rounded = |rate: f64| rate.round() as u64;
        let of_sizes = |rates: &[f64; SIZES.len()]| -> Value {
            let one = |(bytes, rate): (&usize, &f64)| json!({"content_bytes": bytes, "bytes_per_second": rounded(*rate)});
            SIZES.iter().zip(rates).map(one).collect()
        };
        let paths = self.paths.iter().map(|rates| {
            json!({
                "path": rates.path,
                "together": of_sizes(&rates.together),
                "alone_bytes_per_second": rounded(rates.alone),
            })
        });
        let uploads = (0..SIZES.len()).map(|size| {
            json!({
                "content_bytes": SIZES[size],
                "uploads_per_second": rounded(self.cost(size).uploads_per_second()),
                "bottleneck": self.bottleneck(size).word(),
            })
        });
        let algorithms: Vec<&str> = self.lookups.algorithms.iter().map(Algorithm::word).collect();
        json!({"bench": {
            "path": Path::chosen().name(),
            "one_core": {
                "paths": paths.collect::<Value>(),
                "memory_bytes_per_second": rounded(self.memory_bytes_per_second),
                "lookups": {
                    "lists": if self.lookups.of_named_lists { "named" } else { "sample" },
                    "entries": self.lookups.entries,
                    "algorithms": algorithms,
                    "misses_per_second": rounded(self.lookups.misses_per_second),
                    "hits_per_second": self.lookups.hits_per_second.map(rounded),
                },
                "uploads": uploads.collect::<Value>(),
            },
            "all_cores": {"threads": self.cores, "together": of_sizes(&self.all_cores)},
            "bottleneck": self.sentence(),
        }})
    }

    /// The table for people.
    pub(crate) fn text(&self) -> String {
        let mut text = String::from("MD5, SHA-1 and SHA-256 together, GB/s of one core\n");
        let mut row = |name: &str, cells: &[String]| {
            write!(text, "  {name:<16}").expect("writing to memory");
            for cell in cells {
                write!(text, "{cell:>14}").expect("writing to memory");
            }
            text.push('\n');
        };
        let rate = |rate: &f64| format!("{:.3}", rate / 1e9);
        let mut head: Vec<String> = SIZES.iter().map(|bytes| format!("many {}", size_text(*bytes))).collect();
        head.push("one alone".to_owned());
        row("", &head);
        for rates in &self.paths {
            let mut cells: Vec<String> = rates.together.iter().map(rate).collect();
            cells.push(rate(&rates.alone));
            let mark = if rates.path == Path::chosen().name() { " (in use)" } else { "" };
            row(&format!("{}{mark}", rates.path), &cells);
        }
        row(&format!("{} threads", self.cores), &self.all_cores.iter().map(rate).collect::<Vec<_>>());
        row("reading memory", &[rate(&self.memory_bytes_per_second)]);
        let lookups = &self.lookups;
        let which = if lookups.of_named_lists { "the named lists" } else { "a sample list" };
        let hits = lookups.hits_per_second.map_or_else(
            || "not measured: no list tells its digests".to_owned(),
            |hits| format!("{} a second", grouped(hits as u64)),
        );
        format!(
            "{text}Lookups of one core in {which} of {} entries\n  misses {} a second\n  hits   {hits}\nBottleneck: {}\n",
            grouped(lookups.entries),
            grouped(lookups.misses_per_second as u64),
            self.sentence(),
        )
    }
}

fn size_text(bytes: usize) -> String {
    if bytes >= 1 << 20 { format!("{} MiB", bytes >> 20) } else { format!("{} KiB", bytes >> 10) }
}

#[cfg(test)]
mod tests {
    use hashward_core::AlgorithmSet;

    use super::*;

    /// One core digests a GB a second, and looks up so many digests.
    fn report(misses_per_second: f64, memory: f64) -> Report {
        let of = |path: Path| PathRates { path: path.name(), together: [1e9; SIZES.len()], alone: 4e8 };
        Report {
            cores: 4,
            memory_bytes_per_second: memory,
            paths: Path::available().map(of).collect(),
            all_cores: [3e9; SIZES.len()],
            lookups: Lookups {
                of_named_lists: false,
                entries: 7,
                algorithms: AlgorithmSet::ALL,
                misses_per_second,
                hits_per_second: None,
            },
        }
    }

    #[test]
    fn the_bottleneck_is_what_takes_longest() {
        let all = AlgorithmSet::ALL.len() as f64;
        let words = |report: &Report| [0, 1, 2].map(|size| report.bottleneck(size).word());
        let quick = report(all * 1e7, 1e10);
        assert_eq!(words(&quick), ["digesting"; 3]);
        assert!((quick.even_bytes() - 100.0).abs() < 1e-6 && (quick.speedup() - 3.0).abs() < 1e-9);
        // Looking up one content takes 10 µs, and digesting 4 KiB 4 µs.
        assert_eq!(words(&report(all * 1e5, 1e10)), ["looking up", "digesting", "digesting"]);
        assert_eq!(words(&report(all * 1e7, 1.5e9)), ["memory"; 3]);
        let sentence = quick.sentence();
        assert!(sentence.contains("15 235 a second") && sentence.contains("below 100 bytes"), "{sentence}");
    }

    #[test]
    fn the_table_names_every_path_and_what_was_not_measured() {
        let text = report(1e7, 1e10).text();
        assert!(Path::available().all(|path| text.contains(path.name())), "{text}");
        assert!(text.contains("not measured") && text.contains("4 threads"), "{text}");
        assert_eq!(report(1e7, 1e10).json()["bench"]["one_core"]["lookups"]["hits_per_second"], Value::Null);
    }
}
