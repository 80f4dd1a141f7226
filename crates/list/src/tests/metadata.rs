//! The TOML file beside a list.

use hashward_core::{Action, ListInfo, Priority};

use super::{Folder, MD5_A};
use crate::{LoadOptions, load};

#[test]
fn every_field_is_read() {
    let folder = Folder::new("every-field");
    let list = folder.write("foo.md5.txt", MD5_A);
    folder.write(
        "foo.md5.toml",
        "\u{feff}# who answers for it\r\n\
         id = 'eu-one'\nowner = 'Owner'\ncategory = 'terrorist-content'\n\
         legal_basis = 'Regulation (EU) 2021/784'\n\
         reference = 'R-1'\nterritories = ['EU', 'CH']\naction = 'takedown'\npriority = 'urgent'\n\
         contact = 'desk@example.org'\ndeadline_minutes = 60\n",
    );
    folder.write("foo.md5.txt.toml", "id = 'not-read'");
    let info = load(&list, &LoadOptions::default()).unwrap().info;
    let expected = ListInfo {
        id: "eu-one".parse().unwrap(),
        owner: Some("Owner".into()),
        category: "terrorist-content".parse().unwrap(),
        legal_basis: Some("Regulation (EU) 2021/784".into()),
        reference: Some("R-1".into()),
        territories: vec!["EU".parse().unwrap(), "CH".parse().unwrap()],
        action: Action::Takedown,
        priority: Priority::Urgent,
        contact: Some("desk@example.org".into()),
        deadline_minutes: Some(60),
    };
    assert_eq!(info, expected);
}

#[test]
fn without_fields_or_file_a_list_is_bare() {
    let folder = Folder::new("bare");
    for name in ["one.txt", "two", "three.tar.sha256"] {
        let list = folder.write(name, MD5_A);
        let id = list.file_stem().unwrap().to_str().unwrap().parse().unwrap();
        let bare = ListInfo::bare(id);
        assert_eq!(load(&list, &LoadOptions::default()).unwrap().info, bare);
        std::fs::write(list.with_extension("toml"), "").unwrap();
        assert_eq!(load(&list, &LoadOptions::default()).unwrap().info, bare);
    }
}

#[test]
fn mistakes_are_told_with_line_and_remedy() {
    let folder = Folder::new("mistakes");
    let list = folder.write("foo.txt", MD5_A);
    let fields = "`id`, `owner`, `category`, `legal_basis`, `reference`, `territories`, `action`, \
        `priority`, `contact`, `deadline_minutes`";
    let actions = "observe, review, block, takedown";
    let range = "is out of range: expected 1 to 525600 (a year)";
    let cases: [(&[u8], String); 12] = [
        (b"\nowner = ''\nownr = ''", format!("foo.toml:3: unknown field `ownr`, expected one of {fields}")),
        (b"\n\naction = 'Block'", format!("foo.toml:3: unknown action \"Block\": expected one of {actions}")),
        (b"id = 'a b'", "foo.toml:1: bad list id \"a b\": expected 1 to 64 of A-Z, a-z".into()),
        (
            // What is wrong inside an array is told with the line on which the array begins.
            b"territories = [\n 'DE',\n 'UK',\n]",
            "foo.toml:1: unknown territory \"UK\": expected an ISO 3166-1 code such as DE, or EU; the \
             United Kingdom is GB"
                .into(),
        ),
        (b"\ndeadline_minutes = 0", format!("foo.toml:2: deadline_minutes = 0 {range}")),
        (b"\ndeadline_minutes = -1", format!("foo.toml:2: deadline_minutes = -1 {range}")),
        (b"\ndeadline_minutes = 525601", format!("foo.toml:2: deadline_minutes = 525601 {range}")),
        (b"deadline_minutes = '1h'", "foo.toml:1: invalid type: string \"1h\", expected i64".into()),
        (b"owner = 1", "foo.toml:1: invalid type: integer `1`, expected a string".into()),
        (b"\nowner = 'a'\nowner = 'b'", "foo.toml:3: duplicate key".into()),
        (b"id = 'a'\n\nwhat is this", "foo.toml:3: ".into()),
        (b"id = 'a'\n# \xff", "foo.toml:2: a byte that is no UTF-8: expected TOML".into()),
    ];
    for (toml, expected) in cases {
        folder.write("foo.toml", toml);
        let error = folder.error(&load(&list, &LoadOptions::default()).unwrap_err());
        assert!(error.starts_with(&expected), "{error}\nis not\n{expected}");
        assert!(!error.contains('\n'), "{error}");
    }
    folder.write("foo.toml", "#".repeat(64 * 1024 + 1));
    let error = folder.error(&load(&list, &LoadOptions::default()).unwrap_err());
    assert_eq!(error, "foo.toml: larger than 65536 bytes: expected the description of one list");
}

#[test]
fn a_deadline_may_be_a_year() {
    let folder = Folder::new("deadline");
    let list = folder.write("foo.txt", MD5_A);
    for minutes in [1, 525_600] {
        folder.write("foo.toml", format!("deadline_minutes = {minutes}"));
        assert_eq!(load(&list, &LoadOptions::default()).unwrap().info.deadline_minutes, Some(minutes));
    }
}

#[test]
fn a_name_that_is_no_id_is_told_with_the_remedy() {
    let folder = Folder::new("no-id");
    let list = folder.write("my list.txt", MD5_A);
    assert_eq!(
        folder.error(&load(&list, &LoadOptions::default()).unwrap_err()),
        "my list.txt: the file's name makes no list id: bad list id \"my list\": expected 1 to 64 of A-Z, \
         a-z, 0-9, '.', '_' and '-'; rename it, or write `id = \"…\"` in my list.toml"
    );
    folder.write("my list.toml", "id = 'my-list'");
    assert_eq!(load(&list, &LoadOptions::default()).unwrap().info.id.as_str(), "my-list");
}

#[test]
#[cfg(unix)]
fn a_link_that_leads_nowhere_is_an_error() {
    let folder = Folder::new("link");
    let list = folder.write("foo.txt", MD5_A);
    std::os::unix::fs::symlink("nowhere", folder.0.join("foo.toml")).unwrap();
    let error = folder.error(&load(&list, &LoadOptions::default()).unwrap_err());
    assert_eq!(error, "foo.toml: cannot be read");
}
