//! Reading takes the same memory however long a file is. A process of its own, so that nothing else takes any.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::Path;

use hashward_list::format::{Format, ReadOptions, open};

/// How much more memory than before may be in use, in KiB.
const GROWTH_KIB_MAX: u64 = 8 * 1024;
/// How many media the file lists: three times as many bytes as the memory may grow, and more.
const MEDIA: u64 = 60_000;

fn write_vics(path: &Path, media: u64) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(br#"{"@odata.context":"x/$metadata#Media","value":["#)?;
    for number in 1..=media {
        let separator = if number == 1 { "" } else { ",\n" };
        let photodna = "QUJDRA".repeat(24);
        write!(
            file,
            r#"{separator}{{"MediaID":{number},"Category":1,"MD5":"{number:032X}","SHA1":"{number:040x}",
            "MediaSize":"{number}","VictimIdentified":"False","OffenderIdentified":"False","IsDistributed":"True",
            "Series":null,"Tags":"","AlternativeHashes":[{{"HashName":"PhotoDNA","HashValue":"{photodna}"}}],
            "IsPrecategorized":"True"}}"#,
        )?;
    }
    file.write_all(b"]}")?;
    file.flush()
}

/// The most memory that was ever in use, in KiB.
fn peak_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.trim().trim_end_matches(" kB").parse().ok()
}

#[test]
#[cfg(target_os = "linux")]
fn a_long_file_takes_no_more_memory_than_a_short_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.json");
    write_vics(&path, MEDIA).unwrap();
    let before = peak_kib().unwrap();
    let source = open(&path, None).unwrap();
    assert_eq!(source.format(), Format::Vics);
    let total_bytes = source.total_bytes();
    assert!(total_bytes > 3 * 1024 * GROWTH_KIB_MAX, "the file is much longer than the memory may grow");
    let (mut good, mut read_bytes) = (0, 0);
    let read = source.read(&ReadOptions::default(), &mut |item| {
        good += u64::from(item.said.is_ok());
        read_bytes = item.read_bytes;
        ControlFlow::Continue(())
    });
    read.unwrap();
    assert_eq!(good, MEDIA);
    assert!(read_bytes > total_bytes * 9 / 10 && read_bytes <= total_bytes, "progress is told in bytes");
    let growth = peak_kib().unwrap() - before;
    assert!(growth < GROWTH_KIB_MAX, "{growth} KiB");
}
