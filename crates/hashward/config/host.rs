//! The host's name, without asking the C library.

/// The host's name, if the system tells it.
pub(crate) fn name() -> Option<String> {
    let files = ["/proc/sys/kernel/hostname", "/etc/hostname"];
    let from_file = files.iter().find_map(|file| std::fs::read_to_string(file).ok());
    let name = from_file.or_else(|| std::env::var("HOSTNAME").ok())?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}
