use crate::error::Refusal;
use crate::limits::MAX_CERTIFICATE_SUBJECT_BYTES;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::str::FromStr;
use x509_cert::attr::{AttributeTypeAndValue, AttributeValue};
use x509_cert::der::Decode;
use x509_cert::der::asn1::{Ia5StringRef, PrintableStringRef, Utf8StringRef};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::{Name, RelativeDistinguishedName};
use x509_cert::{Certificate, TbsCertificate};

/// The subject of the certificates by which a client authenticates (`tls_client_auth`, RFC 8705 section 2.1.2): its
/// distinguished name, or one of its alternative names.
///
/// A subject alone proves nothing: the certificate has to chain to an authority that issues it to this client only.
///
/// ```
/// use tollgate_storage::{CertificateSubject, SubjectName};
///
/// let subject = CertificateSubject::new(SubjectName::SanDns, "robot.example")?;
/// assert!(CertificateSubject::new(SubjectName::SanDns, "*.example").is_err());
/// # Ok::<(), tollgate_storage::Refusal>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "Unchecked")]
pub struct CertificateSubject {
    name: SubjectName,
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    name: SubjectName,
    value: String,
}

impl TryFrom<Unchecked> for CertificateSubject {
    type Error = Refusal;

    fn try_from(unchecked: Unchecked) -> Result<Self, Refusal> {
        Self::new(unchecked.name, unchecked.value)
    }
}

/// Which of a certificate's names a [`CertificateSubject`] is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SubjectName {
    /// The subject's distinguished name.
    SubjectDn,
    /// A `dNSName` of its alternative names.
    SanDns,
    /// A `uniformResourceIdentifier` of its alternative names.
    SanUri,
    /// An `iPAddress` of its alternative names.
    SanIp,
    /// An `rfc822Name` of its alternative names.
    SanEmail,
}

impl SubjectName {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::SubjectDn, Self::SanDns, Self::SanUri, Self::SanIp, Self::SanEmail];

    /// The name of the client's metadata.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SubjectDn => "tls_client_auth_subject_dn",
            Self::SanDns => "tls_client_auth_san_dns",
            Self::SanUri => "tls_client_auth_san_uri",
            Self::SanIp => "tls_client_auth_san_ip",
            Self::SanEmail => "tls_client_auth_san_email",
        }
    }

    /// The one of that [name](Self::as_str).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }
}

impl CertificateSubject {
    /// The subject with that name, of at most [`MAX_CERTIFICATE_SUBJECT_BYTES`].
    ///
    /// | name | form | compared with the certificate's |
    /// |---|---|---|
    /// | [`SubjectDn`](SubjectName::SubjectDn) | a string of RFC 4514, `CN=robot,O=Example`, without spaces around `,`, `+` and `=`; the values are texts | attribute by attribute, in their order, without regard to letter case, repeated spaces, and the type of string (RFC 5280 section 7.1) |
    /// | [`SanDns`](SubjectName::SanDns) | a host name, without wildcard | equal; letter case does not matter |
    /// | [`SanUri`](SubjectName::SanUri) | an absolute URI | as it is |
    /// | [`SanIp`](SubjectName::SanIp) | an address of IPv4 or IPv6 | as a number |
    /// | [`SanEmail`](SubjectName::SanEmail) | an address with one `@` | equal; the letter case of the domain does not matter |
    ///
    /// # Errors
    /// [`Refusal::Field`] with the name if the value has another form.
    pub fn new(name: SubjectName, value: impl Into<String>) -> Result<Self, Refusal> {
        let value = value.into();
        let has_form = !value.is_empty()
            && value.len() <= MAX_CERTIFICATE_SUBJECT_BYTES
            && !value.contains(char::is_control)
            && match name {
                SubjectName::SubjectDn => distinguished_name(&value).is_some(),
                SubjectName::SanDns => is_host_name(&value),
                SubjectName::SanUri => is_absolute_uri(&value),
                SubjectName::SanIp => value.parse::<IpAddr>().is_ok(),
                SubjectName::SanEmail => mailbox(&value).is_some() && value.is_ascii(),
            };
        if has_form { Ok(Self { name, value }) } else { Err(Refusal::Field { field: name.as_str() }) }
    }

    /// The only one of `names`, as a client may have but one (RFC 8705 section 2.1.2); `None` of none.
    ///
    /// # Errors
    /// [`Refusal::Field`] with the name of a further one, or as [`new`](Self::new).
    pub fn only<'v>(names: impl IntoIterator<Item = (SubjectName, &'v str)>) -> Result<Option<Self>, Refusal> {
        let mut names = names.into_iter();
        let Some((name, value)) = names.next() else { return Ok(None) };
        match names.next() {
            Some((further, _)) => Err(Refusal::Field { field: further.as_str() }),
            None => Self::new(name, value).map(Some),
        }
    }

    /// Which name it is.
    #[must_use]
    pub fn name(&self) -> SubjectName {
        self.name
    }

    /// The name itself, as it was registered.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether the certificate with this DER has that name. It says nothing of who has issued the certificate.
    #[must_use]
    pub fn is_of(&self, certificate: &[u8]) -> bool {
        let Ok(certificate) = Certificate::from_der(certificate) else { return false };
        let certificate = certificate.tbs_certificate();
        match self.name {
            SubjectName::SubjectDn => distinguished_name(&self.value)
                .is_some_and(|registered| is_same_name(&registered, certificate.subject())),
            _ => alternative_names(certificate).iter().any(|name| self.is_alternative_name(name)),
        }
    }

    fn is_alternative_name(&self, name: &GeneralName) -> bool {
        match (self.name, name) {
            (SubjectName::SanDns, GeneralName::DnsName(name)) => self.value.eq_ignore_ascii_case(name.as_str()),
            (SubjectName::SanUri, GeneralName::UniformResourceIdentifier(uri)) => self.value == uri.as_str(),
            (SubjectName::SanEmail, GeneralName::Rfc822Name(email)) => {
                let (own, other) = (mailbox(&self.value), mailbox(email.as_str()));
                // RFC 5280 section 7.5.
                own.zip(other).is_some_and(|(own, other)| own.0 == other.0 && own.1.eq_ignore_ascii_case(other.1))
            }
            (SubjectName::SanIp, GeneralName::IpAddress(octets)) => match self.value.parse() {
                Ok(IpAddr::V4(address)) => address.octets()[..] == *octets.as_bytes(),
                Ok(IpAddr::V6(address)) => address.octets()[..] == *octets.as_bytes(),
                Err(_) => false,
            },
            _ => false,
        }
    }
}

fn alternative_names(certificate: &TbsCertificate) -> Vec<GeneralName> {
    let extension = certificate.get_extension::<SubjectAltName>().ok().flatten();
    extension.map(|(_, SubjectAltName(names))| names).unwrap_or_default()
}

/// Reads a name all of whose values are texts, and that the library writes as it reads it: what it would misread, such as
/// an escape without its character, is no name.
fn distinguished_name(text: &str) -> Option<Name> {
    let name = Name::from_str(text).ok().filter(|_| !text.ends_with('\\'))?;
    let is_whole = Name::from_str(&name.to_string()).ok()? == name;
    (is_whole && name.iter().all(|attribute| value_text(&attribute.value).is_some())).then_some(name)
}

/// RFC 5280 section 7.1: the same relative names in the same order.
fn is_same_name(one: &Name, other: &Name) -> bool {
    one.len() == other.len()
        && one
            .iter_rdn()
            .zip(other.iter_rdn())
            .all(|(one, other)| one.len() == other.len() && is_within(one, other) && is_within(other, one))
}

fn is_within(one: &RelativeDistinguishedName, other: &RelativeDistinguishedName) -> bool {
    one.iter().all(|attribute| other.iter().any(|further| is_same_attribute(attribute, further)))
}

fn is_same_attribute(one: &AttributeTypeAndValue, other: &AttributeTypeAndValue) -> bool {
    let texts = value_text(&one.value).zip(value_text(&other.value));
    one.oid == other.oid && texts.is_some_and(|(one, other)| prepared(one) == prepared(other))
}

fn value_text(value: &AttributeValue) -> Option<&str> {
    let utf8 = || Utf8StringRef::try_from(value).ok().map(|text| text.as_str());
    let printable = || PrintableStringRef::try_from(value).ok().map(|text| text.as_str());
    utf8().or_else(printable).or_else(|| Ia5StringRef::try_from(value).ok().map(|text| text.as_str()))
}

/// Case folding and white space of the string preparation of RFC 4518. Without its normalisation (NFKC), so that texts which
/// only that makes equal are different.
fn prepared(text: &str) -> String {
    let folded = text.chars().flat_map(char::to_lowercase).collect::<String>();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// RFC 1123 section 2.1.
fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        let bytes = label.as_bytes();
        (1..=63).contains(&bytes.len())
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-' || *byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.split('.').all(is_label)
}

/// RFC 3986 section 4.3, as far as a scheme is there and every character is one of a URI.
fn is_absolute_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let is_character = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && !rest.is_empty()
        && rest.bytes().all(is_character)
}

/// The local part and the domain.
fn mailbox(text: &str) -> Option<(&str, &str)> {
    let (local, domain) = text.split_once('@')?;
    (!local.is_empty() && !local.contains(' ') && is_host_name(domain)).then_some((local, domain))
}
