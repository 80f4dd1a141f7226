//! The files that are scanned, and the list that holds some of them.

#[path = "../noise.rs"]
mod noise;

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use hashward_core::{Algorithm, AlgorithmSet};
use hashward_digest::digest_bytes;
use noise::Noise;

const FILES_PER_FOLDER: usize = 100;
/// One file in so many is listed, by one of three digests in turn.
const LISTED_EACH: usize = 500;
/// Sizes are log-normal: this is their median, and the standard deviation of the logarithm.
const MEDIAN_BYTES: f64 = 16.0 * 1024.0;
const SIGMA: f64 = 1.5;
const LARGEST_BYTES: f64 = 64.0 * 1024.0 * 1024.0;
const ALGORITHMS: [Algorithm; 3] = [Algorithm::Md5, Algorithm::Sha1, Algorithm::Sha256];

pub(crate) struct Tree {
    pub(crate) root: PathBuf,
    /// The paths of all files with a zero byte after each, in the order of the tree.
    pub(crate) names: PathBuf,
    pub(crate) files: usize,
    pub(crate) bytes: usize,
    /// Digests of the files that the list shall hold, as text.
    listed: Vec<String>,
}

impl Tree {
    /// Files of mixed sizes below `folder`, the same in every run.
    pub(crate) fn make(folder: &Path, files: usize) -> Self {
        let root = folder.join("tree");
        let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
        let mut names = Vec::new();
        let (mut bytes, mut listed) = (0, Vec::new());
        for number in 0..files {
            let within = root.join(format!("{:04}", number / FILES_PER_FOLDER));
            fs::create_dir_all(&within).expect("the folder can be made");
            let path = within.join(format!("{:02}.bin", number % FILES_PER_FOLDER));
            let length = (MEDIAN_BYTES * (SIGMA * noise.normal()).exp()).clamp(1.0, LARGEST_BYTES);
            let content = noise.bytes(length as usize);
            fs::write(&path, &content).expect("the file can be written");
            bytes += content.len();
            if number % LISTED_EACH == 0 {
                let algorithm = ALGORITHMS[listed.len() % ALGORITHMS.len()];
                let digests = digest_bytes(AlgorithmSet::EMPTY.with(algorithm), &content);
                listed.extend(digests.iter().map(|digest| digest.to_hex()));
            }
            names.extend_from_slice(path.as_os_str().as_encoded_bytes());
            names.push(0);
        }
        let names_path = folder.join("names");
        fs::write(&names_path, names).expect("the names can be written");
        Self { root, names: names_path, files, bytes, listed }
    }

    /// Writes a text list of so many entries, a third for each algorithm: the listed files among strangers. Says how many
    /// files are listed.
    pub(crate) fn write_list(&self, path: &Path, entries: usize) -> usize {
        let mut noise = Noise(0x2545_f491_4f6c_dd1d);
        let mut list = BufWriter::new(fs::File::create(path).expect("the list can be made"));
        for digest in &self.listed {
            writeln!(list, "{digest}").expect("the list can be written");
        }
        for number in self.listed.len()..entries {
            let digits = 2 * ALGORITHMS[number % ALGORITHMS.len()].digest_bytes();
            let stranger: String =
                (0..digits.div_ceil(16)).map(|_| format!("{:016x}", noise.next())).collect();
            writeln!(list, "{}", &stranger[..digits]).expect("the list can be written");
        }
        list.flush().expect("the list can be written");
        self.listed.len()
    }
}
