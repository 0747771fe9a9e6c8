//! Keys to files and back.

use crate::support::{NOW, Store, format, id, key, secret, store, wait};
use proptest::prelude::*;
use tollgate::{ApiKey, ConfirmationMethod, Digest, KeyKind, KeyRecord, KeyRecordBuilder, KeyState};
use tollgate_storage::limits::LINES_PER_TRANSACTION;
use tollgate_storage::{Existing, FileFormat, Import, ImportReport, KeyFilter, StorageError, StoredKey, export_keys};

const FORMATS: [FileFormat; 2] = [FileFormat::JsonLines, FileFormat::Csv];

fn export(store: &Store, format: FileFormat) -> Vec<u8> {
    let mut file = Vec::new();
    wait(export_keys(&*store.shared(), format, &mut file, &mut |_| {})).unwrap();
    file
}

fn import(store: &Store, format: FileFormat, file: &[u8]) -> Result<ImportReport, StorageError> {
    wait(Import::new(format).run(&*store.shared(), &mut &*file))
}

fn all(store: &Store) -> Vec<StoredKey> {
    store.keys(&KeyFilter::default(), None, usize::MAX).unwrap()
}

fn stored_key() -> impl Strategy<Value = StoredKey> {
    let text = || prop_oneof![3 => "[ -~]{1,12}", 1 => "\\PC{1,8}", 1 => "[a\",\n\r\t;']{1,8}"];
    let blocks = prop::sample::subsequence(vec!["10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32", "::1/128"], 0..3);
    let facts =
        (text(), text(), prop::option::of(text()), 0..3_u8, 0..3_u8, prop::collection::vec("[!#-\\[\\]-~]{1,6}", 0..4));
    let times =
        (any::<i64>(), prop::option::of(any::<i64>()), prop::option::of(any::<i64>()), prop::option::of(any::<i64>()));
    let rest = (
        text(),
        prop::collection::vec(any::<u8>(), 0..20),
        blocks,
        any::<bool>(),
        any::<[u8; 32]>(),
        prop::option::of(text()),
    );
    (facts, times, rest).prop_map(|(facts, times, rest)| {
        let (id, subject, client, kind, state, scopes) = facts;
        let (created_at, not_before, expires_at, overlap_ends_at) = times;
        let (name, metadata, blocks, is_native, digest, rotated_to) = rest;
        let kind = [KeyKind::ApiKey, KeyKind::ClientSecret, KeyKind::AccessToken][usize::from(kind)];
        let record = KeyRecord::builder(kind, &id, &subject)
            .client_id(client.as_deref())
            .not_before(not_before)
            .expires_at(expires_at)
            .scopes(scopes.iter().map(String::as_str))
            .name(&name)
            .metadata(&metadata)
            .state([KeyState::Active, KeyState::Disabled, KeyState::Revoked][usize::from(state)])
            .allowed_addresses(blocks.iter().map(|block| block.parse().unwrap()));
        let methods = [ConfirmationMethod::KeyThumbprint(digest), ConfirmationMethod::CertificateThumbprint([7; 32])];
        let methods = methods.into_iter().take(name.len() % 3);
        let record = methods.fold(record, KeyRecordBuilder::bound_to).build();
        StoredKey {
            digest: Digest::from_bytes(digest),
            format: is_native.then(|| format().head().into()),
            record,
            created_at,
            rotated_to: rotated_to.map(Into::into),
            overlap_ends_at,
            parent: is_native.then(|| format!("session_{created_at}").into()),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_is_exported_is_imported_as_it_was(keys in prop::collection::vec(stored_key(), 0..12)) {
        let (_folder, store) = crate::support::store();
        for key in &keys {
            // Duplicate ids are tested elsewhere.
            let _ = store.add_key(key);
        }
        for format in FORMATS {
            let file = export(&store, format);
            let (_folder, other) = crate::support::store();
            let report = import(&other, format, &file).unwrap();
            prop_assert_eq!(all(&other), all(&store));
            prop_assert_eq!(report.added, all(&store).len() as u64);
            prop_assert_eq!(export(&other, format), file);
        }
    }

    #[test]
    fn no_file_makes_an_import_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), is_csv: bool) {
        let (_folder, store) = crate::support::store();
        let mut file = if is_csv { b"digest,id,kind,subject\n".to_vec() } else { Vec::new() };
        file.extend(bytes);
        let _ = import(&store, if is_csv { FileFormat::Csv } else { FileFormat::JsonLines }, &file);
    }
}

#[test]
fn an_export_holds_no_secret() {
    let (_folder, store) = store();
    store.add_key(&key(1)).unwrap();
    for format in FORMATS {
        let text = String::from_utf8(export(&store, format)).unwrap();
        assert!(text.contains(&secret(1).digest().to_hex()));
        assert!(!text.contains(&secret(1).as_str()[8..40]));
    }
}

#[test]
fn a_bad_line_is_named_and_nothing_of_its_transaction_stays() {
    let good = format!(r#"{{"digest":"{}","id":"a","kind":"api-key","subject":"u"}}"#, secret(1).digest().to_hex());
    let same = good.replace(r#""a""#, r#""b""#);
    let cases = [
        ("{", "not the record"),
        ("[]", "not the record"),
        (r#"{"colour":1}"#, "not the record"),
        (r#"{"id":"c","kind":"api-key","subject":"u"}"#, "no digest"),
        (&good.replace("api-key", "spoon"), "kind"),
        (&good.replace(r#""subject":"u""#, r#""subject":"""#), "subject"),
        (&good.replace(r#""id":"a""#, r#""id":"c","scopes":["a b"]"#), "scopes"),
        (&good.replace(r#""id":"a""#, r#""id":"c","allowed_addresses":["x"]"#), "allowed_addresses"),
        (&good.replace(r#""digest":""#, r#""digest":"AA"#), "digest"),
        (&same, "already"),
        (&"x".repeat(70_000), "longer"),
    ];
    for (line, reason) in cases {
        let (_folder, store) = store();
        let error = import(&store, FileFormat::JsonLines, format!("{good}\n\n{line}\n").as_bytes()).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, StorageError::Line { line: 3, resume_at: 1, .. }), "{text}");
        assert!(text.contains(reason), "{text}");
        assert_eq!(all(&store).len(), 0);
    }
}

#[test]
fn a_bad_row_is_named() {
    let digest = secret(1).digest().to_hex();
    let cases = [
        (format!("digest,id,kind,subject\n{digest},a,api-key,u\n{digest},b\n"), 3),
        (format!("digest,id,kind,subject,expires_at\n{digest},\"a\nb\",api-key,u,soon\n"), 2),
        ("digest,id,colour\n".to_owned(), 1),
        ("digest,id,id\n".to_owned(), 1),
        (format!("digest,id,kind,subject,prefix\n{digest},a,api-key,u,tg\n"), 2),
    ];
    for (file, expected) in cases {
        let (_folder, store) = store();
        let error = import(&store, FileFormat::Csv, file.as_bytes()).unwrap_err();
        assert!(matches!(error, StorageError::Line { line, .. } if line == expected), "{error}: {file}");
        assert_eq!(all(&store).len(), 0);
    }
}

#[test]
fn an_import_goes_on_where_it_ended() {
    let (_folder, source) = store();
    let count = LINES_PER_TRANSACTION as u64 + 10;
    source.add_keys(&(0..count).map(key).collect::<Vec<_>>()).unwrap();
    let mut file = export(&source, FileFormat::JsonLines);
    file.extend(b"{\n");
    let (_folder, store) = store();
    let error = import(&store, FileFormat::JsonLines, &file).unwrap_err();
    let resume = LINES_PER_TRANSACTION as u64 + 1;
    assert!(matches!(error, StorageError::Line { line, resume_at, .. } if line == count + 1 && resume_at == resume));
    assert_eq!(all(&store).len(), LINES_PER_TRANSACTION);

    file.truncate(file.len() - 2);
    let twice = import(&store, FileFormat::JsonLines, &file).unwrap_err();
    assert!(twice.to_string().contains("already"));
    let mut reports = Vec::new();
    let mut report = |report: &ImportReport| reports.push(*report);
    let resumed = Import::new(FileFormat::JsonLines).existing(Existing::Skip).report(&mut report);
    let outcome = wait(resumed.run(&*store.shared(), &mut &*file)).unwrap();
    assert_eq!((outcome.added, outcome.skipped), (10, LINES_PER_TRANSACTION as u64));
    assert_eq!(reports.len(), 2);
    assert_eq!(all(&store).len() as u64, count);
}

#[test]
fn lines_without_digest_are_minted_when_asked_for() {
    let (_folder, store) = store();
    let file = b"kind,subject,scopes\napi-key,user_1,a b\naccess-token,user_2,\n";
    let mut secrets = Vec::new();
    let mut minted = |key: &StoredKey, secret: &ApiKey| {
        secrets.push((key.clone(), secret.as_str().to_owned()));
    };
    let format = format();
    let import = Import::new(FileFormat::Csv).mint(&format, &mut minted);
    let report = wait(import.run(&*store.shared(), &mut file.as_slice())).unwrap();
    assert_eq!((report.added, report.minted), (2, 2));
    assert_eq!(secrets.len(), 2);
    for (key, secret) in secrets {
        assert_eq!(format.check(secret.as_bytes()).unwrap().digest(), key.digest);
        assert_eq!(key.format.as_deref(), Some("tg_live_"));
        assert!(key.created_at > NOW);
        assert_eq!(store.key(key.record.id()).unwrap(), Some(key));
    }
}

#[test]
fn files_of_the_command_line_are_read() {
    let (_folder, store) = store();
    let digest = tollgate::jwt::base64url::encode(secret(1).digest().as_bytes());
    let line = format!(
        r#"{{"digest":"{digest}","id":"{}","kind":"api-key","subject":"u","client_id":null,"scopes":["a"],"not_before":null,"expires_at":7,"format":{{"prefix":"tg","env":"live"}}}}"#,
        id(1)
    );
    import(&store, FileFormat::JsonLines, line.as_bytes()).unwrap();
    let found = store.key(&id(1)).unwrap().unwrap();
    assert_eq!((found.digest, found.format.as_deref()), (secret(1).digest(), Some("tg_live_")));
    assert_eq!((found.record.expires_at(), found.record.scopes().as_str()), (Some(7), "a"));
}
