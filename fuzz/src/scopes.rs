use std::sync::LazyLock;

use tollgate::jwt::limits::MAX_LIST_ENTRIES;
use tollgate::jwt::{CompactJws, base64url, is_scope_token, json};
use tollgate::{ApiKeyTable, Engine, KeyFormat, KeyRecord, Principal};

/// A scope is granted only if it is present as a whole, equally in `scope`, `scp` and the record of an API key.
pub fn scopes(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    assert_eq!(granted("scope", text.into()), naive_list(text));
    let lines: Vec<_> = text.split('\n').collect();
    let is_list = lines.len() <= MAX_LIST_ENTRIES && lines.iter().all(|line| naive_is_token(line));
    let expected = is_list.then(|| lines.iter().copied().map(str::to_owned).collect());
    assert_eq!(granted("scp", lines.clone().into()), expected);
    assert_eq!(granted("scope", lines.clone().into()), expected);

    let record = KeyRecord::api_key("key", "user").scopes(lines.iter().copied()).build();
    let tokens: Vec<_> = lines.iter().copied().filter(|line| naive_is_token(line)).collect();
    assert_eq!(record.scopes().iter().collect::<Vec<_>>(), tokens);
    let principal = principal(record);
    for line in lines.iter().take(16) {
        assert_eq!(is_scope_token(line), naive_is_token(line));
        assert_eq!(principal.require_scope(line).is_ok(), tokens.contains(line), "{line:?}");
        for almost in [&line[..line.floor_char_boundary(line.len() / 2)], &format!("{line}x"), &format!(" {line}"), ""]
        {
            assert_eq!(principal.require_scope(almost).is_ok(), tokens.contains(&almost), "{almost:?}");
        }
    }
    assert_eq!(principal.require_all(&tokens).is_ok(), !tokens.is_empty());
    assert_eq!(principal.require_any(&lines).is_ok(), !tokens.is_empty());
    assert_eq!(principal.require_all(&lines).is_ok(), tokens.len() == lines.len());
    if let Err(rejection) = principal.require_all(&lines) {
        assert_eq!(rejection.status() == 500, tokens.len() < lines.len());
        let challenge = rejection.challenge().to_string();
        assert!(challenge.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()), "{challenge:?}");
    }
    // Two scopes joined by a space are never a scope.
    assert!(tokens.len() < 2 || principal.require_scope(&tokens.join(" ")).is_err());
}

/// The scope-tokens of a payload with only this claim, if the payload is accepted.
fn granted(name: &str, value: serde_json::Value) -> Option<Vec<String>> {
    let payload = serde_json::json!({ name: value }).to_string();
    let token = format!("e30.{}.c2ln", base64url::encode(payload));
    let mut buffer = json::Buffer::default();
    let claims = CompactJws::parse(&token).ok()?.decode_claims(&mut buffer).ok()?;
    Some(claims.scope().iter().map(str::to_owned).collect())
}

/// RFC 6749 section 3.3: scope-tokens, and spaces between them.
fn naive_list(text: &str) -> Option<Vec<String>> {
    let tokens: Vec<_> = text.split(' ').filter(|token| !token.is_empty()).map(str::to_owned).collect();
    let is_short = base64url::encode(serde_json::json!({ "scope": text }).to_string()).len() + 9 <= 8192;
    (is_short && tokens.iter().all(|token| naive_is_token(token))).then_some(tokens)
}

/// RFC 6749 section 3.3: `1*( %x21 / %x23-5B / %x5D-7E )`.
fn naive_is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| matches!(c, '\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e'))
}

/// The principal of a key with this record.
fn principal(record: KeyRecord) -> Principal {
    static ENGINE: LazyLock<Engine> =
        LazyLock::new(|| Engine::builder().api_keys(TABLE.clone()).build().expect("a table"));
    static TABLE: LazyLock<std::sync::Arc<ApiKeyTable<KeyRecord>>> =
        LazyLock::new(|| ApiKeyTable::new(KeyFormat::new("tg", "live").expect("a format")).into());
    TABLE.insert(TABLE.digest_of(KEY).expect("a key"), record);
    ENGINE.verify(KEY).expect("the key is there")
}

const KEY: &[u8] = b"tg_live_2003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1E1Wau";
