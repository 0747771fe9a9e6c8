use axum::http::{HeaderMap, HeaderValue, header};

/// The cookies of the pages, as they are named and set.
///
/// Under `https` they carry the `__Host-` prefix: no neighbouring host can set them (RFC 6265bis
/// section 4.1.3.2). Under `http`, which is for loopback only, browsers refuse that prefix.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cookies {
    pub(crate) secure: bool,
}

/// Which cookie.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cookie {
    /// Stands for a browser that logged in.
    Session,
    /// Ties a form to the browser that it was shown to.
    LoginForm,
    /// Tells a browser in which somebody has logged in before; lets nobody in.
    Device,
}

impl Cookies {
    /// The value of that cookie in a request. `None` when it is absent, or there twice.
    pub(crate) fn value(self, cookie: Cookie, headers: &HeaderMap) -> Option<&str> {
        let name = self.name(cookie);
        let mut values = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|header| header.to_str().ok())
            .flat_map(|header| header.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(known, _)| *known == name);
        let (_, value) = values.next()?;
        values.next().is_none().then_some(value)
    }

    /// The Set-Cookie value. `value` is base64url and so needs no quoting.
    pub(crate) fn set(self, cookie: Cookie, value: &str, max_age: i64) -> HeaderValue {
        let name = self.name(cookie);
        let secure = if self.secure { "; Secure" } else { "" };
        // Lax: another site's link to the login page brings the session along, its forms do not.
        let text = format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}");
        // Neither part holds anything but visible ASCII, so the other case does not come up.
        let mut header = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""));
        header.set_sensitive(true);
        header
    }

    /// The Set-Cookie value that makes a browser forget it.
    pub(crate) fn forget(self, cookie: Cookie) -> HeaderValue {
        self.set(cookie, "", 0)
    }

    pub(crate) fn name(self, cookie: Cookie) -> &'static str {
        match (cookie, self.secure) {
            (Cookie::Session, true) => "__Host-tollgate-session",
            (Cookie::Session, false) => "tollgate-session",
            (Cookie::LoginForm, true) => "__Host-tollgate-login",
            (Cookie::LoginForm, false) => "tollgate-login",
            (Cookie::Device, true) => "__Host-tollgate-device",
            (Cookie::Device, false) => "tollgate-device",
        }
    }
}
