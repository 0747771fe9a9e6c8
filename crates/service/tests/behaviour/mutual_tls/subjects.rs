//! How the names of certificates are compared with the registered ones (RFC 5280 section 7).

use super::certificates::{Identity, also_named, named};
use rcgen::{DistinguishedName, DnType, DnValue, SanType};
use tollgate_storage::{CertificateSubject, SubjectName};

fn is_of(name: SubjectName, value: &str, identity: &Identity) -> bool {
    CertificateSubject::new(name, value).unwrap().is_of(&identity.chain[0])
}

fn with_subject(attributes: impl IntoIterator<Item = (DnType, DnValue)>) -> Identity {
    let mut subject = DistinguishedName::new();
    attributes.into_iter().for_each(|(kind, value)| subject.push(kind, value));
    let mut params = named("");
    params.distinguished_name = subject;
    Identity::self_signed(&params)
}

fn printable(text: &str) -> DnValue {
    DnValue::PrintableString(text.try_into().unwrap())
}

/// RFC 5280 section 7.1, RFC 4514.
#[test]
fn distinguished_names_are_compared_attribute_by_attribute() {
    let robot = with_subject([
        (DnType::CountryName, printable("IS")),
        (DnType::OrganizationName, "Example, Ltd".into()),
        (DnType::CommonName, printable("Mobile  Robot")),
    ]);
    let subject = |value: &str| is_of(SubjectName::SubjectDn, value, &robot);
    for same in [
        r"CN=Mobile Robot,O=Example\, Ltd,C=IS",
        r"cn=mobile robot,o=EXAMPLE\, LTD,c=is",
        r"2.5.4.3=Mobile Robot,O=Example\2C Ltd,C=IS",
        r"CN=\ Mobile   Robot\ ,O=Example\, Ltd,C=IS",
    ] {
        assert!(subject(same), "{same}");
    }
    for other in [
        r"C=IS,O=Example\, Ltd,CN=Mobile Robot",
        r"CN=Mobile Robot,O=Example\, Ltd",
        "CN=Mobile Robot",
        r"CN=MobileRobot,O=Example\, Ltd,C=IS",
        r"CN=Mobile Robot,O=Example\, Ltd+C=IS",
        r"CN=Mobile Robot,CN=Mobile Robot,O=Example\, Ltd,C=IS",
        r"OU=Mobile Robot,O=Example\, Ltd,C=IS",
        r"CN=Mobile Robot,O=Example,C=IS",
    ] {
        assert!(!subject(other), "{other}");
    }
    let teletex = DnValue::TeletexString("Robot".try_into().unwrap());
    assert!(!is_of(SubjectName::SubjectDn, "CN=Robot", &with_subject([(DnType::CommonName, teletex)])));
}

#[test]
fn alternative_names_are_compared_with_names_of_their_own_kind() {
    let text = |text: &str| text.try_into().unwrap();
    let identity = |names: Vec<SanType>| Identity::self_signed(&also_named("robot.example", names));
    let robot = identity(vec![
        SanType::DnsName(text("Robot.example")),
        SanType::DnsName(text("*.robots.example")),
        SanType::URI(text("https://robot.example/a")),
        SanType::IpAddress("2001:db8::7".parse().unwrap()),
        SanType::Rfc822Name(text("Robot@Example.com")),
    ]);
    for (name, same, others) in [
        (SubjectName::SanDns, "robot.EXAMPLE", &["robot", "a.robots.example", "robot.example.com"][..]),
        (SubjectName::SanUri, "https://robot.example/a", &["https://robot.example/A", "https://robot.example/"]),
        (SubjectName::SanIp, "2001:DB8:0::7", &["2001:db8::8", "192.0.2.7"]),
        (SubjectName::SanEmail, "Robot@example.COM", &["robot@example.com", "Robot@example.org"]),
    ] {
        assert!(is_of(name, same, &robot), "{same}");
        for other in others {
            assert!(!is_of(name, other, &robot), "{other}");
        }
    }
    // The common name is no DNS name, and no alternative name is a subject.
    assert!(!is_of(SubjectName::SanDns, "robot.example", &identity(Vec::new())));
    let as_uri = identity(vec![SanType::URI(text("urn:example:robot"))]);
    assert!(!is_of(SubjectName::SubjectDn, "CN=robot", &as_uri));
    assert!(!CertificateSubject::new(SubjectName::SubjectDn, "CN=robot").unwrap().is_of(b"no certificate"));
}

#[test]
fn names_in_another_form_are_refused_at_registration() {
    for (name, value) in [
        (SubjectName::SubjectDn, "robot"),
        (SubjectName::SubjectDn, "CN=robot, O=Example"),
        (SubjectName::SubjectDn, "/CN=robot/O=Example"),
        (SubjectName::SubjectDn, "CN=robot;O=Example=x,"),
        (SubjectName::SubjectDn, r"CN=robot\"),
        (SubjectName::SubjectDn, r"CN=robot\q"),
        (SubjectName::SubjectDn, "unknownAttribute=robot"),
        (SubjectName::SubjectDn, "CN=#0101ff"),
        (SubjectName::SubjectDn, "CN=ro\nbot"),
        (SubjectName::SanDns, "-robot.example"),
        (SubjectName::SanDns, "robot..example"),
        (SubjectName::SanUri, "//robot.example/"),
        (SubjectName::SanUri, "https://robot.example/ a"),
        (SubjectName::SanIp, "192.0.2"),
        (SubjectName::SanEmail, "robot@"),
        (SubjectName::SanEmail, "a@b@c"),
    ] {
        assert!(CertificateSubject::new(name, value).is_err(), "{value}");
    }
    let long = format!("CN={}", "a".repeat(1024));
    assert!(CertificateSubject::new(SubjectName::SubjectDn, long).is_err());
}
