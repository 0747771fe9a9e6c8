use std::fmt;

use serde::ser::{Serialize, Serializer};
use tollgate_jwt::is_scope_token;

/// The scope-tokens of a credential (RFC 6749 section 3.3), borrowed.
///
/// `Display` writes them as in a `scope` claim, joined by single spaces. They serialise as a sequence with one
/// scope-token per entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Scopes<'a> {
    /// Joined by single spaces.
    joined: &'a str,
}

impl<'a> Scopes<'a> {
    pub(crate) fn new(joined: &'a str) -> Self {
        Scopes { joined }
    }

    /// The scope-tokens in order.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.joined.split(' ').filter(|scope| !scope.is_empty())
    }

    /// The scope-tokens joined by single spaces, as a `scope` parameter has them.
    #[must_use]
    pub fn as_str(&self) -> &'a str {
        self.joined
    }

    /// Whether `scope` is among them, by equality.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.iter().any(|one| one == scope)
    }
}

impl fmt::Display for Scopes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Scopes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// Removes repeated scopes from a text. Its memory is reused.
#[derive(Default)]
pub(crate) struct RepeatedScopes(Vec<Span>);

/// The position of a scope and the space after it, in bytes.
#[derive(Clone, Copy)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn of(self, text: &str) -> &str {
        &text[self.start as usize..self.end as usize]
    }
}

impl RepeatedScopes {
    /// `text` from `start` on consists of scopes, each followed by a space.
    pub(crate) fn remove_from(&mut self, text: &mut String, start: usize) {
        let (RepeatedScopes(spans), mut begin) = (&mut *self, start);
        spans.clear();
        for (at, byte) in text.bytes().enumerate().skip(start) {
            if byte == b' ' {
                spans.push(Span { start: begin as u32, end: at as u32 + 1 });
                begin = at + 1;
            }
        }
        if spans.len() <= FEW && !is_any_repeated(spans, text) {
            return;
        }
        self.keep_repeated(text);
        if !self.0.is_empty() {
            self.cut(text);
        }
    }

    /// Keeps the spans of scopes that occur earlier in the text. Sorts them, because a token may have thousands.
    #[cold]
    fn keep_repeated(&mut self, text: &str) {
        let RepeatedScopes(spans) = self;
        spans.sort_unstable_by_key(|span| (span.end - span.start, span.of(text), span.start));
        let mut first: Option<Span> = None;
        spans.retain(|span| {
            let is_repeated = first.is_some_and(|first| first.of(text) == span.of(text));
            if !is_repeated {
                first = Some(*span);
            }
            is_repeated
        });
    }

    /// Removes all spans from `text` in one pass.
    #[cold]
    fn cut(&mut self, text: &mut String) {
        self.0.sort_unstable_by_key(|span| span.start);
        let mut spans = self.0.iter().peekable();
        let mut at = 0;
        text.retain(|character| {
            let here = at;
            at += character.len_utf8() as u32;
            spans.next_if(|span| span.end <= here);
            spans.peek().is_none_or(|span| here < span.start)
        });
    }
}

/// Up to so many scopes are compared with each other, which is faster than sorting them.
const FEW: usize = 16;

fn is_any_repeated(spans: &[Span], text: &str) -> bool {
    let is_in = |(before, one): (&[Span], &Span)| {
        let length = one.end - one.start;
        before.iter().any(|other| other.end - other.start == length && other.of(text) == one.of(text))
    };
    (1..spans.len()).any(|index| is_in((&spans[..index], &spans[index])))
}

/// Joins scope-tokens by spaces, and leaves out other texts.
pub(crate) fn join<'a>(scopes: impl IntoIterator<Item = &'a str>) -> String {
    let mut joined = String::new();
    for scope in scopes.into_iter().filter(|scope| is_scope_token(scope)) {
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(scope);
    }
    joined
}
