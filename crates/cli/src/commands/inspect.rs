//! `tollgate inspect`: the content of a token, unverified.

use std::io;

use clap::Args;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use tollgate::jwt::json::{self, Number, Object, Value};
use tollgate::jwt::{CompactJws, ParseError, base64url};

use super::Outcome;
use crate::error::CommandError;
use crate::limits::MAX_LINE_BYTES;
use crate::reason::Reason;
use crate::stream::{InputOptions, Item, JsonLines, NOT_A_JSON_ITEM, answer_each, with_input_help};

/// Decode tokens without verifying them.
///
/// A line is a JWS in compact form, with or without `Bearer` before it. NOTHING in the output is verified: anybody can write
/// such a token. The members of the answer: `verified` (always false), `header`, `payload` (null if the payload is not a JSON
/// object), `payload_base64url` (the payload if it is not a JSON object), `signature_bytes`, and `error`, the reason why the
/// token, or a part that is null, could not be read.
#[derive(Args, Debug)]
#[command(after_help = with_input_help!("\
Examples:
  echo \"$TOKEN\" | tollgate inspect
  tollgate inspect < tokens.txt | jq .payload.exp"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    input: InputOptions,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome, CommandError> {
        let mut parts = Parts::default();
        answer_each(self.input.format(), |item, output| match item {
            Item::Bytes(bytes) => parts.show(bytes, output),
            Item::TooLong { length } => refuse(ParseError::TooLong { length, max: MAX_LINE_BYTES }.code(), output),
            Item::Malformed => refuse(Reason::malformed_input(NOT_A_JSON_ITEM).error, output),
        })
    }
}

/// The decoded parts of the current token, and the memory for those of the next one.
#[derive(Default)]
struct Parts {
    header: Vec<u8>,
    payload: Vec<u8>,
    signature: Vec<u8>,
    header_buffer: json::Buffer,
    payload_buffer: json::Buffer,
}

impl Parts {
    fn show(&mut self, item: &[u8], output: &mut JsonLines) -> io::Result<Outcome> {
        let jws = match std::str::from_utf8(item)
            .map(without_scheme)
            .map(|token| CompactJws::parse_within(token, MAX_LINE_BYTES))
        {
            Ok(Ok(jws)) => jws,
            Ok(Err(error)) => return refuse(error.code(), output),
            Err(_) => return refuse(ParseError::NotCompact.code(), output),
        };
        let header_is_text = base64url::decode(jws.header(), &mut self.header).is_ok();
        let payload_is_text = base64url::decode(jws.payload(), &mut self.payload).is_ok();
        let signature_is_text = base64url::decode(jws.signature(), &mut self.signature).is_ok();
        let header = json::parse(&self.header, &mut self.header_buffer).ok();
        let payload = json::parse(&self.payload, &mut self.payload_buffer).ok();
        let readable = header_is_text && payload_is_text && signature_is_text && header.is_some();
        output.write(&Inspected {
            verified: false,
            header: header.as_ref().map(|document| Members(document.root())),
            payload: payload.as_ref().map(|document| Members(document.root())),
            payload_base64url: payload.is_none().then_some(jws.payload()),
            signature_bytes: signature_is_text.then_some(self.signature.len()),
            error: (!readable).then_some(ParseError::NotCompact.code()),
        })?;
        Ok(if readable { Outcome::Accepted } else { Outcome::Rejected })
    }
}

/// One answer.
#[derive(Default, Serialize)]
struct Inspected<'t> {
    verified: bool,
    header: Option<Members<'t, 't>>,
    payload: Option<Members<'t, 't>>,
    payload_base64url: Option<&'t str>,
    signature_bytes: Option<usize>,
    error: Option<&'static str>,
}

fn refuse(error: &'static str, output: &mut JsonLines) -> io::Result<Outcome> {
    output.write(&Inspected { error: Some(error), ..Inspected::default() })?;
    Ok(Outcome::Rejected)
}

/// Removes the scheme that the token has in an Authorization header.
fn without_scheme(item: &str) -> &str {
    match item.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("dpop") => {
            token.trim_start_matches(' ')
        }
        _ => item,
    }
}

/// A JSON object as it was sent, its members in order.
struct Members<'a, 's>(Object<'a, 's>);

impl Serialize for Members<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0.iter() {
            map.serialize_entry(name, &Member(value))?;
        }
        map.end()
    }
}

struct Member<'a, 's>(Value<'a, 's>);

impl Serialize for Member<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(value),
            Value::Number(Number::Signed(value)) => serializer.serialize_i64(value),
            Value::Number(Number::Unsigned(value)) => serializer.serialize_u64(value),
            Value::Number(Number::Float(value)) => serializer.serialize_f64(value),
            Value::String(text) => serializer.serialize_str(text),
            Value::Array(array) => serializer.collect_seq(array.iter().map(Member)),
            Value::Object(object) => Members(object).serialize(serializer),
        }
    }
}
