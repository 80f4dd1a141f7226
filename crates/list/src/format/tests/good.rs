//! What each format says, and how it is understood.

use super::{MD5, MD5_B, SHA1, SHA256, nsrl_database, read};
use crate::format::Format;

fn check(format: Format, file: &str, expected: &[String]) {
    for before in ["", "\u{feff}"] {
        let told = read(format!("{before}{file}"), format);
        assert_eq!(told.error, None, "{format}");
        assert_eq!(told.lines, expected, "{format}");
    }
}

#[test]
fn hashdeep() {
    let file = format!(
        "%%%% HASHDEEP-1.0\r\n%%%% size,md5,sha256,filename\r\n## a comment\r\n12,{MD5},{SHA256},/a, b\r\n\
         0,{MD5_B},,x\n%%%% size,md5,whirlpool,filename\n7,{MD5},abc,y\n"
    );
    check(
        Format::Hashdeep,
        &file,
        &[
            format!("+ key=/a, b md5={MD5} sha256={SHA256} size=12"),
            format!("+ key=x md5={MD5_B} size=0"),
            format!("+ key=y md5={MD5} (whirlpool=abc) size=7"),
        ],
    );
}

#[test]
fn signal_lines() {
    let file = format!(
        "md5 {MD5}\nvideo_md5 {MD5_B}\nsha256 {SHA256}\n# note\npdq {SHA256}\nraw_text some words\nurl_md5 {MD5}\n"
    );
    check(
        Format::SignalLines,
        &file,
        &[
            format!("+ md5={MD5}"),
            format!("+ md5={MD5_B}"),
            format!("+ sha256={SHA256}"),
            format!("+ (pdq={SHA256})"),
            "+ (raw_text=some words)".into(),
            format!("+ (url_md5={MD5})"),
        ],
    );
}

#[test]
fn clamav() {
    let file = format!("{MD5}:68:Test.A\n{SHA1}:*:Test.B:73\n{SHA256}:9:Test.C\n");
    check(
        Format::ClamAv,
        &file,
        &[
            format!("+ md5={MD5} size=68 reference=Test.A"),
            format!("+ sha1={SHA1} reference=Test.B"),
            format!("+ sha256={SHA256} size=9 reference=Test.C"),
        ],
    );
}

#[test]
fn nsrl_text() {
    let upper = SHA1.to_uppercase();
    let file = format!(
        "\"SHA-1\",\"MD5\",\"CRC32\",\"FileName\",\"FileSize\",\"ProductCode\",\"OpSystemCode\",\"SpecialCode\"\r\n\
         \"{upper}\",\"{MD5}\",\"00000000\",\"a \"\"b\"\", c\",503,1,\"WIN\",\"\"\r\n\
         \"{SHA1}\",\"{MD5_B}\",\"00000000\",\"x\",1,1,\"WIN\",\"M\"\r\n"
    );
    check(
        Format::NsrlText,
        &file,
        &[
            format!("+ md5={MD5} sha1={SHA1} size=503"),
            "! line 3, SpecialCode: not taken up: NSRL marks the file as malicious: expected an item that its source puts forward for this use"
                .into(),
        ],
    );
    let order_1_5 = format!("\"SHA-1\",\"FileName\",\"FileSize\",\"MD5\"\n\"{SHA1}\",\"x\",1,\"{MD5}\"\n");
    check(Format::NsrlText, &order_1_5, &[format!("+ md5={MD5} sha1={SHA1} size=1")]);
}

#[test]
fn nsrl_sqlite() {
    let database = nsrl_database(&[[&SHA256.to_uppercase(), SHA1, MD5, "7"], ["", "", MD5_B, "0"]]);
    let told = read(database, None);
    assert_eq!(told.error, None);
    assert_eq!(
        told.lines,
        [format!("+ md5={MD5} sha1={SHA1} sha256={SHA256} size=7"), format!("+ md5={MD5_B} size=0")]
    );
}

#[test]
fn vics_1_3_and_2_0() {
    let media = format!(
        r#"[{{"MediaID": 1, "Category": 1, "MD5": "{}", "SHA1": "{SHA1}", "MediaSize": "77", "PhotoDNA": "QUJD",
              "VictimIdentified": "True", "OffenderIdentified": false, "IsDistributed": "false", "Series": "S",
              "Tags": null, "IsPrecategorized": "False", "DateUpdated": "2020-01-01T00:00:00", "MediaFiles": [{{"a": [1]}}]}},
            {{"MediaID": "2", "Category": "2", "MD5": "{MD5_B}", "SHA1": "",
              "AlternativeHashes": [{{"HashName": "PhotoDNA", "HashValue": "QUJD"}},
                                    {{"HashName": "SHA256", "HashValue": "{SHA256}"}}]}},
            {{"Category": 3, "MD5": "{MD5}", "PhotoDNA": {{"HashName": "PhotoDNA", "HashValue": "QUJE"}}}}]"#,
        MD5.to_uppercase()
    );
    let expected = [
        format!(
            "+ key=1 md5={MD5} sha1={SHA1} (photodna=QUJD) size=77 category=own:project-vic-1 \
             note=victim identified; series: S"
        ),
        format!("+ key=2 md5={MD5_B} sha256={SHA256} (photodna=QUJD) category=own:project-vic-2"),
        format!("+ md5={MD5} (photodna=QUJE) category=own:project-vic-3"),
    ];
    let v1_3 = r#""odata.metadata": "http://github.com/ICMEC/ProjectVic/DataModels/1.3.xml"#;
    let v2_0 =
        r#""@odata.context": "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/US/$metadata"#;
    for version in [v1_3, v2_0] {
        check(Format::Vics, &format!(r#"{{{version}#Media", "value": {media}}}"#), &expected);
        let cases = format!(
            r#"{{{version}#Cases", "value": [{{"CaseID": "x", "Media": {media}, "Other": [[]]}}, {{"Media": []}}]}}"#
        );
        check(Format::Vics, &cases, &expected);
    }
}

#[test]
fn what_project_vic_does_not_call_illegal_is_not_taken_up() {
    let file = format!(
        r#"{{"value": [{{"MediaID": 1, "Category": 0, "MD5": "{MD5}"}}, {{"MediaID": 2, "MD5": "{MD5}"}}]}}"#
    );
    check(
        Format::Vics,
        &file,
        &[
            "! item 1, Category: not taken up: category 0 is for what is not illegal, or not yet judged: expected an item that its source puts forward for this use"
                .into(),
            "! item 2, Category: it is missing: expected a value".into(),
        ],
    );
}

#[test]
fn icse() {
    let file = format!(
        "MD5;SHA1;PhotoDNA;Image ID;Is distributed;Victim identified;Offender identified;Series name;\
         Number of submissions;File Available;Media Type;Baseline\r\n\
         {MD5};{SHA1};QUJD;17;Yes;No;;\"a; b\";3;Yes;Image;True\r\n{MD5_B};;;18;;;;;;;Video;False;\r\n"
    );
    check(
        Format::Icse,
        &file,
        &[
            format!(
                "+ key=17 md5={MD5} sha1={SHA1} (photodna=QUJD) category=csam-baseline note=Is distributed: Yes; \
                 Victim identified: No; Series name: a; b; Number of submissions: 3; Media Type: Image"
            ),
            format!("+ key=18 md5={MD5_B} note=not in the baseline; Media Type: Video"),
        ],
    );
}

#[test]
fn ncmec() {
    let file = format!(
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
        <queryResult xmlns="https://hashsharing.ncmec.org/hashsharing/v2">
          <images count="2" maxTimestamp="2020-01-01T00:00:00Z">
            <image>
              <member id="42">Some Member</member><timestamp>2020-01-01T00:00:00Z</timestamp>
              <id>image&amp;1&#33;</id><classification>A1</classification>
              <fingerprints><md5>{MD5}</md5><sha1> {SHA1} </sha1><pdna>cafe...</pdna><pdq>{SHA256}</pdq></fingerprints>
              <feedback><affirmative/><negative>wrong category</negative></feedback>
            </image>
            <deletedImage><member id="43">Other</member><id>image4</id><timestamp>x</timestamp></deletedImage>
          </images>
          <videos count="1"><video><member id="42"/><id>v</id><classification>C9</classification>
            <fingerprints><md5>{MD5_B}</md5><TMK_PDQF>abc</TMK_PDQF></fingerprints></video></videos>
          <paging><next>/v2/entries?from=a&amp;to=b</next></paging>
        </queryResult>"#
    );
    check(
        Format::Ncmec,
        &file,
        &[
            format!(
                "+ key=42/image&1! md5={MD5} sha1={SHA1} (pdq={SHA256}) (photodna=cafe...) category=csam-a1 \
                 note=feedback: affirmative, negative wrong category"
            ),
            "- key=43/image4".into(),
            format!("+ key=42/v md5={MD5_B} (tmk_pdqf=abc) note=classification: C9"),
        ],
    );
}

#[test]
fn stopncii() {
    let file = format!(
        r#"{{"count": 3, "nextPageToken": "", "nextSetTimestamp": 1, "hasMoreRecords": false, "hashRecords": [
          {{"lastModtimestamp": 1, "signalType": "ImagePDQ", "hashValue": "{SHA256}", "hashStatus": "Active",
            "caseNumbers": {{"c-1": "Active", "c-2": "Active"}},
            "CSPFeedbacks": [{{"source": "X", "feedbackValue": "Blocked", "tags": ["a"]}}]}},
          {{"signalType": "VideoMD5", "hashValue": "{MD5}", "hashStatus": "Withdrawn"}},
          {{"signalType": "ImageMD5", "hashValue": "{MD5_B}"}}]}}"#
    );
    check(
        Format::StopNcii,
        &file,
        &[
            format!(
                "+ (pdq={SHA256}) category=intimate-imagery reference=c-1, c-2 note=feedback of X: Blocked"
            ),
            format!("- md5={MD5} category=intimate-imagery"),
            format!("+ md5={MD5_B} category=intimate-imagery"),
        ],
    );
}

#[test]
fn tech_against_terrorism() {
    let file = format!(
        r#"{{"checkpoint": "1,2", "results": [
          {{"hash_digest": "{MD5}", "algorithm": "MD5", "ideology": "far-right", "file_type": "mp4", "deleted": false,
            "updated_on": "2024-01-01", "created_on": "2024-01-01", "id": 7}},
          {{"hash_digest": "{SHA256}", "algorithm": "PDQ", "id": "8"}},
          {{"hash_digest": "{SHA256}", "algorithm": "SHA256", "id": "9", "deleted": true}},
          {{"id": "10", "deleted": "true"}}]}}"#
    );
    check(
        Format::TechAgainstTerrorism,
        &file,
        &[
            format!("+ key=7 md5={MD5} category=terrorist-content note=ideology: far-right; file type: mp4"),
            format!("+ key=8 (pdq={SHA256}) category=terrorist-content"),
            format!("- key=9 sha256={SHA256} category=terrorist-content"),
            "- key=10 category=terrorist-content".into(),
        ],
    );
}

#[test]
fn threatexchange() {
    let file = format!(
        r#"{{"data": [
          {{"id": "1", "indicator": "{MD5}", "type": "HASH_MD5", "last_updated": 1, "should_delete": false,
            "descriptors": {{"data": [{{"id": "5", "owner": {{"id": "77"}}, "status": "MALICIOUS", "tags": ["t", "u"]}}]}}}},
          {{"id": "2", "indicator": "{SHA256}", "type": "HASH_PDQ"}},
          {{"id": "3", "should_delete": true}},
          {{"id": "4", "indicator": "{MD5}", "type": "HASH_URL_MD5"}},
          {{"id": "5", "indicator": "{SHA256}", "type": "HASH_SHA256",
            "descriptors": {{"data": [{{"status": "NON_MALICIOUS"}}]}}}}], "paging": {{"next": "…"}}}}"#
    );
    check(
        Format::ThreatExchange,
        &file,
        &[
            format!("+ key=1 md5={MD5} note=77: MALICIOUS (t, u)"),
            format!("+ key=2 (pdq={SHA256})"),
            "- key=3".into(),
            format!("+ key=4 (url_md5={MD5})"),
            "! item 5, status: not taken up: everybody says NON_MALICIOUS: expected an item that its source puts forward for this use"
                .into(),
        ],
    );
}

#[test]
fn stix() {
    let file = format!(
        r#"{{"type": "bundle", "id": "bundle--x", "objects": [
          {{"type": "identity", "id": "identity--x", "name": "n"}},
          {{"type": "indicator", "spec_version": "2.1", "id": "indicator--1", "pattern_type": "stix", "name": "N",
            "pattern": "[file:hashes.'SHA-256' = '{SHA256}' AND file:hashes.MD5 = '{MD5}' AND file:size = 25]",
            "valid_from": "2024-01-01T00:00:00Z", "valid_until": "2025-01-01T00:00:00.5Z", "description": "d",
            "external_references": [{{"source_name": "s", "external_id": "r-1"}}, {{"source_name": "t", "url": "u"}}]}},
          {{"type": "indicator", "id": "indicator--2", "revoked": true,
            "pattern": "[file:hashes.'SHA-1' = '{SHA1}'] OR [file:hashes.MD5 = '{MD5_B}' OR file:hashes.SSDEEP = '3:a:b']"}},
          {{"type": "indicator", "id": "indicator--3", "pattern_type": "yara", "pattern": "rule x"}},
          {{"type": "indicator", "id": "indicator--4", "pattern": "[ipv4-addr:value = '198.51.100.1']"}}]}}"#
    );
    let right = "expected a pattern such as `[file:hashes.'SHA-256' = '…' AND file:hashes.MD5 = '…']`";
    check(
        Format::Stix,
        &file,
        &[
            format!(
                "+ key=indicator--1 md5={MD5} sha256={SHA256} size=25 reference=r-1 from=2024-01-01T00:00:00Z \
                 until=2025-01-01T00:00:00.5Z note=name: N; d"
            ),
            format!("- key=indicator--2 sha1={SHA1}"),
            format!("- key=indicator--2#2 md5={MD5_B}"),
            "- key=indicator--2#3 (ssdeep=3:a:b)".into(),
            format!("! item 4, pattern_type: the pattern is not in STIX's own language: {right}"),
            format!("! item 5, pattern: the pattern asks for something else than a file: {right}"),
        ],
    );
}

#[test]
fn misp() {
    let event = format!(
        r#"{{"Event": {{"uuid": "e", "info": "i", "Attribute": [
             {{"uuid": "a1", "type": "md5", "value": "{MD5}", "to_ids": true, "comment": "c"}},
             {{"uuid": "a2", "type": "ip-dst", "value": "198.51.100.1", "to_ids": true}},
             {{"uuid": "a3", "type": "filename|sha1", "value": "x|y.exe|{SHA1}"}},
             {{"uuid": "a4", "type": "sha256", "value": "{SHA256}", "deleted": true}},
             {{"uuid": "a5", "type": "md5", "value": "{MD5_B}", "to_ids": false}}],
           "Object": [
             {{"uuid": "o1", "name": "file", "Attribute": [
               {{"type": "md5", "object_relation": "md5", "value": "{MD5}", "to_ids": true}},
               {{"type": "sha256", "object_relation": "sha256", "value": "{SHA256}", "to_ids": true}},
               {{"type": "ssdeep", "object_relation": "ssdeep", "value": "3:a:b"}},
               {{"type": "filename", "object_relation": "filename", "value": "f"}},
               {{"type": "size-in-bytes", "object_relation": "size-in-bytes", "value": "99"}}]}},
             {{"uuid": "o2", "name": "pe-section", "Attribute": [{{"type": "md5", "value": "{MD5}"}}]}},
             {{"uuid": "o3", "name": "url", "Attribute": [{{"type": "url", "value": "https://example.org"}}]}}]}}}}"#
    );
    let right = "expected an item that its source puts forward for this use";
    let expected = [
        format!("+ key=a1 md5={MD5} note=comment: c"),
        format!("+ key=a3 sha1={SHA1} note=file: x|y.exe"),
        format!("- key=a4 sha256={SHA256}"),
        format!(
            "! item 5, to_ids: not taken up: `to_ids` is false: it is context, and not for matching: {right}"
        ),
        format!("+ key=o1 md5={MD5} sha256={SHA256} (ssdeep=3:a:b) size=99 note=file: f"),
        format!(
            "! item 7, name: not taken up: the object is no `file`: its digests may be of a part of one: {right}"
        ),
    ];
    check(Format::Misp, &event, &expected);
    check(Format::Misp, &format!(r#"{{"response": [{event}]}}"#), &expected);
    check(Format::Misp, &format!("[{event}]"), &expected);
}

/// Pages that were saved one behind another are one list.
#[test]
fn pages_in_one_file() {
    let page = |id: u8, digest: &str| {
        format!(
            r#"{{"results": [{{"id": {id}, "algorithm": "md5", "hash_digest": "{digest}"}}], "checkpoint": "x"}}"#
        )
    };
    let told = read(format!("{}\n{}", page(1, MD5), page(2, MD5_B)), None);
    assert_eq!((told.error, told.statements.len()), (None, 2));
}
