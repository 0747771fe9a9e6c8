//! Compares [`Sources::find`] with a slow reading of its documentation, which lists all credentials first.

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use tollgate::{CsrfRule, Request};

use super::*;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Spot {
    Authorization,
    Scheme(&'static str),
    BasicUser,
    Field(&'static str),
    ApiKeyField(&'static str),
    Cookie(&'static str),
    WebSocketProtocol(&'static str),
}

const SPOTS: [Spot; 10] = [
    Spot::Authorization,
    Spot::Scheme("Token"),
    Spot::Scheme("tok"),
    Spot::BasicUser,
    Spot::Field("x-token"),
    Spot::ApiKeyField("x-api-key"),
    Spot::Cookie("session"),
    Spot::Cookie("s"),
    Spot::WebSocketProtocol("key."),
    Spot::WebSocketProtocol("k"),
];

impl Spot {
    fn source(self) -> Source {
        match self {
            Spot::Authorization => Source::authorization(),
            Spot::Scheme(name) => Source::scheme(name).unwrap(),
            Spot::BasicUser => Source::basic_user(),
            Spot::Field(name) => Source::field(name).unwrap(),
            Spot::ApiKeyField(name) => Source::api_key_field(name).unwrap(),
            Spot::Cookie(name) => Source::cookie(name).unwrap(),
            Spot::WebSocketProtocol(prefix) => Source::web_socket_protocol(prefix).unwrap(),
        }
    }

    fn field(self) -> &'static str {
        match self {
            Spot::Authorization | Spot::Scheme(_) | Spot::BasicUser => "authorization",
            Spot::Field(name) | Spot::ApiKeyField(name) => name,
            Spot::Cookie(_) => "cookie",
            Spot::WebSocketProtocol(_) => "sec-websocket-protocol",
        }
    }

    /// The credentials in the value of a field. `None` if the source does not read the field.
    fn credentials(self, value: &str) -> Option<Vec<String>> {
        let scheme = |name: &str| {
            let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
            (scheme.to_lowercase() == name.to_lowercase()).then(|| vec![rest.trim_matches(' ').to_owned()])
        };
        match self {
            Spot::Authorization | Spot::Field(_) | Spot::ApiKeyField(_) => Some(vec![value.to_owned()]),
            Spot::Scheme(name) => scheme(name),
            Spot::BasicUser => scheme("basic"),
            Spot::Cookie(name) => Some(
                value
                    .split(';')
                    .filter_map(|pair| pair.trim_matches([' ', '\t']).split_once('='))
                    .filter(|(own, _)| *own == name)
                    .map(|(_, value)| match value.len() {
                        2.. if value.starts_with('"') && value.ends_with('"') => value[1..value.len() - 1].to_owned(),
                        _ => value.to_owned(),
                    })
                    .collect(),
            ),
            Spot::WebSocketProtocol(prefix) => {
                let named = value.split(',').map(|part| part.trim_matches([' ', '\t']));
                Some(named.filter_map(|part| part.strip_prefix(prefix)).map(str::to_owned).collect())
            }
        }
    }

    fn request(self, credential: &str) -> Request<'_> {
        match self {
            Spot::Authorization => Request::new().authorization(credential),
            Spot::ApiKeyField(_) => Request::new().api_key(credential),
            Spot::BasicUser => Request::new().basic_user(credential),
            _ => Request::new().token(credential),
        }
    }
}

/// The one credential, or the rejection.
fn find(spots: &[Spot], fields: &[(&str, String)], has_query: bool) -> Result<(Spot, String), &'static str> {
    let mut found = Vec::new();
    for (name, value) in fields {
        for spot in spots.iter().filter(|spot| name.to_lowercase() == spot.field()) {
            let Some(credentials) = spot.credentials(value) else { continue };
            found.extend(credentials.into_iter().map(|credential| (*spot, credential)));
            // The first source that accepts a whole field takes it.
            if !matches!(spot, Spot::Cookie(_) | Spot::WebSocketProtocol(_)) {
                break;
            }
        }
    }
    let is_unclaimed = fields.iter().any(|field| is_unclaimed_field(spots, field));
    match (found.pop(), found.len(), is_unclaimed) {
        (None, _, false) => Err("missing-credential"),
        (None, _, true) => Err(if has_query { "multiple-credentials" } else { "unsupported-scheme" }),
        (Some(_), 0, false) if has_query => Err("multiple-credentials"),
        (Some(one), 0, false) => Ok(one),
        _ => Err("multiple-credentials"),
    }
}

/// Whether a field should be a credential by its name, but no source accepts it.
fn is_unclaimed_field(spots: &[Spot], (name, value): &(&str, String)) -> bool {
    let own = || spots.iter().filter(|spot| name.to_lowercase() == spot.field());
    own().next().is_some() && own().all(|spot| spot.credentials(value).is_none())
}

proptest! {
    #[test]
    fn what_is_found_is_what_the_documentation_says(
        spots in proptest::sample::subsequence(SPOTS.to_vec(), 1..5).prop_shuffle(),
        fields in vec((
            select(vec!["Authorization", "authorization", "x-token", "X-Api-Key", "Cookie", "cookie", "Sec-WebSocket-Protocol", "accept"]),
            vec(select(vec![
                "KEY", "SECRET", "Token", "tok", "Bearer", "Basic", "basic", "session=", "s=", "key.", "k", "=", ";", ",", " ", "\t", "\"", "a",
            ]), 0..7),
        ), 0..4),
        query in proptest::option::of(select(vec!["page=2", "access_token=x", "a&access%5Ftoken"])),
    ) {
        static WORLD: LazyLock<World> = LazyLock::new(World::new);
        let world = &*WORLD;
        let fields: Vec<(&str, String)> = fields
            .into_iter()
            .map(|(name, parts)| (name, parts.concat().replace("KEY", &world.key).replace("SECRET", &world.secret)))
            .collect();
        let sources = Sources::new(spots.iter().map(|spot| spot.source())).csrf(CsrfRule::danger_none());
        let lines: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let line = RequestLine { method: "GET", query, ..RequestLine::default() };
        let found = world.verify_line(&sources, line, &lines);
        let has_query = query.is_some_and(|query| query.starts_with('a'));
        let expected = match find(&spots, &fields, has_query) {
            Ok((spot, credential)) => kind(world.engine.verify_request(&spot.request(&credential))),
            Err(code) => Err(code),
        };
        prop_assert_eq!(kind(found), expected, "{:?} {:?} {:?}", spots, lines, query);
    }
}
