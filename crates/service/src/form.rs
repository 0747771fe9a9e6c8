use crate::limits::MAX_PARAMETERS;
use std::borrow::Cow;

/// The parameters of an `application/x-www-form-urlencoded` query or body (RFC 6749 appendix B).
///
/// A parameter may come once, but for `resource` (RFC 8707 section 2), and one without a value counts as absent (RFC 6749 section 3.1).
#[derive(Debug)]
pub(crate) struct Form<'a> {
    parameters: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// Why the text is no form.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FormError {
    /// A name comes twice (RFC 6749 section 3.1).
    Repeated,
    /// Something is not UTF-8, or holds a NUL.
    NotText,
    /// There are more than [`MAX_PARAMETERS`].
    TooMany,
}

impl<'a> Form<'a> {
    pub(crate) fn parse(text: &'a [u8]) -> Result<Self, FormError> {
        // Before they are compared with each other, each with each.
        if text.iter().filter(|byte| **byte == b'&').count() >= MAX_PARAMETERS {
            return Err(FormError::TooMany);
        }
        let mut parameters: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::new();
        for (name, value) in form_urlencoded::parse(text) {
            // The parser puts U+FFFD in place of what is not UTF-8, and nothing legitimate holds it.
            if [&name, &value].iter().any(|part| part.contains(['\u{fffd}', '\0'])) {
                return Err(FormError::NotText);
            }
            if name != RESOURCE && parameters.iter().any(|(known, _)| *known == name) {
                return Err(FormError::Repeated);
            }
            parameters.push((name, value));
        }
        Ok(Self { parameters })
    }

    /// The value of that parameter, unless it is absent or empty.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let (_, value) = self.parameters.iter().find(|(known, _)| known == name)?;
        Some(value.as_ref()).filter(|value| !value.is_empty())
    }

    /// Every `resource` (RFC 8707 section 2).
    pub(crate) fn resources(&self) -> impl Iterator<Item = &str> {
        self.parameters
            .iter()
            .filter(|(name, value)| name == RESOURCE && !value.is_empty())
            .map(|(_, value)| value.as_ref())
    }

    /// The same parameters as the query of a URI.
    pub(crate) fn to_query(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.parameters).finish()
    }

    /// The parameters that have a value, but for those of these names.
    pub(crate) fn without(&self, names: &[&str]) -> Vec<(&str, &str)> {
        let parameters = self.parameters.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
        parameters.filter(|(name, value)| !value.is_empty() && !names.contains(name)).collect()
    }

    /// The same, without the text that it was read from.
    pub(crate) fn into_owned(self) -> Form<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Form { parameters: self.parameters.into_iter().map(|(name, value)| (owned(name), owned(value))).collect() }
    }
}

const RESOURCE: &str = "resource";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_parameter_is_refused() {
        assert_eq!(Form::parse(b"a=1&b=2&a=1").unwrap_err(), FormError::Repeated);
        assert_eq!(Form::parse(b"a=1&%61=2").unwrap_err(), FormError::Repeated);
        let form = Form::parse(b"resource=https://a.example&resource=https://b.example").unwrap();
        assert_eq!(form.resources().collect::<Vec<_>>(), ["https://a.example", "https://b.example"]);
    }

    #[test]
    fn parameters_are_counted_before_they_are_read() {
        let form = |parameters: usize| (0..parameters).map(|n| format!("p{n}=%ff")).collect::<Vec<_>>().join("&");
        assert_eq!(Form::parse(form(MAX_PARAMETERS).as_bytes()).unwrap_err(), FormError::NotText);
        assert_eq!(Form::parse(form(MAX_PARAMETERS + 1).as_bytes()).unwrap_err(), FormError::TooMany);
    }

    #[test]
    fn an_empty_parameter_is_absent() {
        let form = Form::parse(b"scope=&state=x+y%26").unwrap();
        assert_eq!(form.value("scope"), None);
        assert_eq!(form.value("state"), Some("x y&"));
    }

    #[test]
    fn what_is_not_text_is_refused() {
        assert_eq!(Form::parse(b"a=%ff").unwrap_err(), FormError::NotText);
        assert_eq!(Form::parse(b"a=%00").unwrap_err(), FormError::NotText);
    }
}
