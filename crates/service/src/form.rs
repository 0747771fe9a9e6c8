use std::borrow::Cow;

/// The parameters of an `application/x-www-form-urlencoded` query or body (RFC 6749 appendix B).
///
/// A parameter may come once, and one without a value counts as absent (RFC 6749 section 3.1).
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
}

impl<'a> Form<'a> {
    pub(crate) fn parse(text: &'a [u8]) -> Result<Self, FormError> {
        let mut parameters: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::new();
        for (name, value) in form_urlencoded::parse(text) {
            // The parser puts U+FFFD in place of what is not UTF-8, and nothing legitimate holds it.
            if [&name, &value].iter().any(|part| part.contains(['\u{fffd}', '\0'])) {
                return Err(FormError::NotText);
            }
            if parameters.iter().any(|(known, _)| *known == name) {
                // The one that may come several times (RFC 8707 section 2).
                if name == "resource" {
                    continue;
                }
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_parameter_is_refused() {
        assert_eq!(Form::parse(b"a=1&b=2&a=1").unwrap_err(), FormError::Repeated);
        assert_eq!(Form::parse(b"a=1&%61=2").unwrap_err(), FormError::Repeated);
        assert!(Form::parse(b"resource=https://a.example&resource=https://b.example").is_ok());
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
