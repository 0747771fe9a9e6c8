use base64_simd::STANDARD;
use tollgate_keys::sha256;

use crate::limits::{MAX_CERTIFICATE_FIELD_BYTES, MAX_CHAIN_CERTIFICATES};
use crate::rejection::Rejection;
use crate::trusted_proxies::{last_comma_outside_quotes, trimmed};

/// The header field in which a proxy that terminates TLS passes on the certificate whose key its client has proved to
/// have.
///
/// Read the field only from trusted proxies. Each of them must overwrite it: a value that a proxy lets through was
/// written by the client. docs/sender-constrained.md has recipes. The other fields are not read, since clients can send
/// them.
///
/// ```
/// use tollgate::CertificateField;
///
/// let field = CertificateField::XForwardedClientCert;
/// let hash = "468ed33be74eee6556d90c0149c1309e9ba61d6425303443c0748a02dd8de688";
/// let digest = field.digest([format!("By=spiffe://api;Hash={hash}").as_bytes()])?;
/// assert_eq!(digest.map(|digest| digest[0]), Some(0x46));
/// assert!(field.digest(["", ""].map(str::as_bytes)).is_err(), "a field that is there twice");
/// # Ok::<(), tollgate::Rejection>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum CertificateField {
    /// `Client-Cert: :MIIC...:` (RFC 9440 section 2.1): the DER as a byte sequence (RFC 8941 section 3.3.5).
    ClientCert,
    /// Envoy's `x-forwarded-client-cert`. Only the last element of the list is read, and only its `Hash`: elements to
    /// the left are from proxies further away. A field with a backslash is malformed: Envoy writes one only before a
    /// quote in the certificate's own subject, which could be taken for a further element.
    XForwardedClientCert,
    /// `x-ssl-client-cert`: PEM, percent-encoded, as in nginx's `$ssl_client_escaped_cert`.
    XSslClientCert,
}

impl CertificateField {
    const ALL: [Self; 3] =
        [CertificateField::ClientCert, CertificateField::XForwardedClientCert, CertificateField::XSslClientCert];

    /// The field's name, in lower case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            CertificateField::ClientCert => "client-cert",
            CertificateField::XForwardedClientCert => "x-forwarded-client-cert",
            CertificateField::XSslClientCert => "x-ssl-client-cert",
        }
    }

    /// The field with that [name](Self::as_str).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == name)
    }

    /// The SHA-256 of the certificate, for [`Request::certificate_digest`](crate::Request::certificate_digest). `None`
    /// if the field is absent or empty: the client has no certificate.
    ///
    /// `lines`: the values of the request's field lines with that [name](Self::as_str).
    ///
    /// # Errors
    /// [`Rejection::MultipleCertificates`] if the request has the field more than once,
    /// [`Rejection::MalformedCertificate`] if it has another form.
    pub fn digest<'f, L>(self, lines: impl IntoIterator<Item = &'f L>) -> Result<Option<[u8; 32]>, Rejection>
    where
        L: AsRef<[u8]> + ?Sized + 'f,
    {
        Ok(self.read(lines)?.map(|passed| match passed {
            PassedOn::Der(der) => sha256(&der),
            PassedOn::Digest(digest) => digest,
        }))
    }

    /// The certificate in DER, for a server that reads its names. `None` if the field is absent or empty, and always
    /// for [`XForwardedClientCert`](Self::XForwardedClientCert), of which only the hash is read.
    ///
    /// `lines`: as for [`digest`](Self::digest).
    ///
    /// # Errors
    /// As for [`digest`](Self::digest).
    pub fn der<'f, L>(self, lines: impl IntoIterator<Item = &'f L>) -> Result<Option<Vec<u8>>, Rejection>
    where
        L: AsRef<[u8]> + ?Sized + 'f,
    {
        Ok(self.read(lines)?.and_then(|passed| match passed {
            PassedOn::Der(der) => Some(der),
            PassedOn::Digest(_) => None,
        }))
    }

    /// The name of the field with the certificates between the client's and a root, in lower case:
    /// `client-cert-chain` (RFC 9440 section 2.3) beside `client-cert`. There is none beside the others.
    #[must_use]
    pub fn chain_name(self) -> Option<&'static str> {
        match self {
            CertificateField::ClientCert => Some("client-cert-chain"),
            CertificateField::XForwardedClientCert | CertificateField::XSslClientCert => None,
        }
    }

    /// The certificates between the client's and a root, in DER, that of the client's issuer first.
    ///
    /// `lines`: the values of the request's field lines with [that name](Self::chain_name), in order: together one
    /// list of byte sequences (RFC 8941 section 3.1).
    ///
    /// # Errors
    /// [`Rejection::MalformedCertificate`] if they have another form, or are longer than
    /// [`MAX_CERTIFICATE_FIELD_BYTES`] or more than [`MAX_CHAIN_CERTIFICATES`].
    pub fn chain<'f, L>(self, lines: impl IntoIterator<Item = &'f L>) -> Result<Vec<Vec<u8>>, Rejection>
    where
        L: AsRef<[u8]> + ?Sized + 'f,
    {
        let mut bytes_left = MAX_CERTIFICATE_FIELD_BYTES;
        let mut chain = Vec::new();
        for line in lines {
            let line = trimmed(line.as_ref());
            let left = bytes_left.checked_sub(line.len());
            bytes_left = left.ok_or(Rejection::MalformedCertificate { field: self })?;
            // An empty list has no field line in the specification; a proxy may send one.
            for member in line.split(|byte| *byte == b',').filter(|_| !line.is_empty()) {
                let der = byte_sequence(trimmed(member)).filter(|_| chain.len() < MAX_CHAIN_CERTIFICATES);
                chain.push(der.ok_or(Rejection::MalformedCertificate { field: self })?);
            }
        }
        Ok(chain)
    }

    fn read<'f, L>(self, lines: impl IntoIterator<Item = &'f L>) -> Result<Option<PassedOn>, Rejection>
    where
        L: AsRef<[u8]> + ?Sized + 'f,
    {
        let mut lines = lines.into_iter();
        let Some(line) = lines.next() else { return Ok(None) };
        if lines.next().is_some() {
            return Err(Rejection::MultipleCertificates);
        }
        let value = trimmed(line.as_ref());
        if value.is_empty() {
            return Ok(None);
        }
        let passed = if value.len() > MAX_CERTIFICATE_FIELD_BYTES { None } else { self.parse(value) };
        passed.map(Some).ok_or(Rejection::MalformedCertificate { field: self })
    }

    fn parse(self, value: &[u8]) -> Option<PassedOn> {
        match self {
            CertificateField::ClientCert => byte_sequence(value).map(PassedOn::Der),
            CertificateField::XForwardedClientCert => envoy_hash(value).map(PassedOn::Digest),
            CertificateField::XSslClientCert => pem(&percent_decoded(value)?).map(PassedOn::Der),
        }
    }
}

/// What a proxy passes on of a certificate.
enum PassedOn {
    Der(Vec<u8>),
    /// The SHA-256 of the DER.
    Digest([u8; 32]),
}

/// A byte sequence without parameters (RFC 8941 section 3.3.5).
fn byte_sequence(value: &[u8]) -> Option<Vec<u8>> {
    let text = value.strip_prefix(b":")?.strip_suffix(b":")?;
    decoded(text)
}

/// The `Hash` of the last element: pairs separated by semicolons, with values quoted or not.
fn envoy_hash(list: &[u8]) -> Option<[u8; 32]> {
    if list.contains(&b'\\') {
        return None;
    }
    let element = last_comma_outside_quotes(list).map_or(list, |comma| &list[comma + 1..]);
    let mut hash = None;
    let mut in_quotes = false;
    for pair in element.split(|byte| {
        in_quotes ^= *byte == b'"';
        *byte == b';' && !in_quotes
    }) {
        let (name, value) = pair.split_at(pair.iter().position(|byte| *byte == b'=')?);
        if trimmed(name).eq_ignore_ascii_case(b"hash") && hash.replace(&value[1..]).is_some() {
            return None;
        }
    }
    hex(hash.filter(|_| !in_quotes)?)
}

fn hex(text: &[u8]) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    if pairs.len() != digest.len() {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(pairs) {
        *byte = octet(*pair)?;
    }
    Some(digest)
}

fn octet([high, low]: [u8; 2]) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16).map(|digit| digit as u8);
    Some(digit(high)? << 4 | digit(low)?)
}

fn percent_decoded(text: &[u8]) -> Option<Vec<u8>> {
    let (mut decoded, mut rest) = (Vec::with_capacity(text.len()), text);
    while let Some((&first, after)) = rest.split_first() {
        let (byte, after) = match first {
            b'%' => after.split_first_chunk().and_then(|(pair, after)| Some((octet(*pair)?, after)))?,
            plain => (plain, after),
        };
        decoded.push(byte);
        rest = after;
    }
    Some(decoded)
}

/// The only certificate of a PEM text (RFC 7468 section 5).
fn pem(text: &[u8]) -> Option<Vec<u8>> {
    let text =
        text.strip_prefix(b"-----BEGIN CERTIFICATE-----")?.trim_ascii().strip_suffix(b"-----END CERTIFICATE-----")?;
    decoded(&text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect::<Vec<_>>())
}

/// Decodes canonical base64 of at least one byte.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode_to_vec(text).ok().filter(|der| !der.is_empty())
}
