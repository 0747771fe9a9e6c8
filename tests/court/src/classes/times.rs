//! 29: unusual times. 30: no `exp`.

use crate::docket::{Docket, Filing};
use crate::key::{ALGORITHMS, REPRESENTATIVES};
use crate::policy::NOW;

pub(super) fn file(docket: &mut Docket) {
    for index in REPRESENTATIVES {
        let filing = &mut docket.of("a29", ALGORITHMS[index]);
        file_exp(filing);
        file_nbf(filing);
        file_iat(filing);
        file_leeway(filing);
    }
    for algorithm in ALGORITHMS {
        let filing = &mut docket.of("a30", algorithm);
        file_absent(filing);
    }
}

const NUMBER: &str = "RFC 7519 2, 4.1.4: MUST be a number, CVE-2026-25537";

/// Values that are not numbers.
const NO_NUMBERS: [(&str, &str); 10] = [
    ("string", r#""4102444800""#),
    ("empty-string", r#""""#),
    ("date", r#""2100-01-01T00:00:00Z""#),
    ("word", r#""never""#),
    ("true", "true"),
    ("false", "false"),
    ("null", "null"),
    ("array", "[4102444800]"),
    ("empty-array", "[]"),
    ("object", r#"{"value":4102444800}"#),
];

fn file_exp(filing: &mut Filing<'_>) {
    let with = |filing: &Filing<'_>, value: &str| filing.draft().claim("exp", value).sign(&filing.key);
    for (name, value) in NO_NUMBERS {
        filing.reject(&format!("exp-{name}"), with(filing, value), NUMBER);
    }
    let (now, past) = (NOW.to_string(), (NOW - 1).to_string());
    let over = [
        ("now", now.as_str()),
        ("last-second", &past),
        ("0", "0"),
        ("negative-0", "-0"),
        ("0.0", "0.0"),
        ("1e3", "1e3"),
        ("negative", "-1"),
        ("negative-large", "-9223372036854775808"),
        ("negative-past-i64", "-9223372036854775809"),
        ("negative-1e300", "-1e300"),
        ("tiny", "1e-300"),
        ("half-second-ago", "1763799999.5"),
        ("32-bit-wrap", "-2531167296"),
    ];
    for (name, value) in over {
        filing.reject(
            &format!("exp-{name}"),
            with(filing, value),
            "RFC 7519 4.1.4: on or after which it MUST NOT be accepted",
        );
    }
    for (name, value) in
        [("2^32", "4294967296"), ("year-9999", "253402300799"), ("exponent", "4.2e9"), ("fraction", "4294967296.25")]
    {
        filing.accept(&format!("exp-{name}"), with(filing, value), "RFC 7519 2, 4.1.4");
    }
    let far = [
        ("2^53+1", "9007199254740993"),
        ("2^63-1", "9223372036854775807"),
        ("2^63", "9223372036854775808"),
        ("2^64", "18446744073709551616"),
        ("milliseconds", "1763800600000"),
        ("1e300", "1e300"),
    ];
    for (name, value) in far {
        filing.may_accept(&format!("exp-{name}"), with(filing, value), "RFC 8259 9: limits on the range of numbers");
    }
    let beyond = [("1e999", "1e999".to_owned()), ("400-digits", "9".repeat(400))];
    for (name, value) in beyond {
        filing.may_reject(&format!("exp-{name}"), with(filing, &value), "RFC 8259 9: limits on the range of numbers");
    }
    // Half a second is left. A verifier that counts whole seconds may treat it as expired.
    filing.may_reject(
        "exp-in-half-a-second",
        with(filing, "1763800000.5"),
        "RFC 7519 2: what of fractions is not said",
    );
}

fn file_nbf(filing: &mut Filing<'_>) {
    let with = |filing: &Filing<'_>, value: &str| filing.draft().claim("nbf", value).sign(&filing.key);
    for (name, value) in NO_NUMBERS {
        let value = value.replace("4102444800", "1000000000");
        filing.reject(&format!("nbf-{name}"), with(filing, &value), "RFC 7519 2, 4.1.5: MUST be a number");
    }
    let next = (NOW + 1).to_string();
    let ahead = [
        ("next-second", next.as_str()),
        ("year-9999", "253402300799"),
        ("2^63", "9223372036854775808"),
        ("1e300", "1e300"),
    ];
    for (name, value) in ahead {
        filing.reject(
            &format!("nbf-{name}"),
            with(filing, value),
            "RFC 7519 4.1.5: before which it MUST NOT be accepted",
        );
    }
    let begun = [
        ("last-second", (NOW - 1).to_string()),
        ("fraction", "1763799999.5".to_owned()),
        ("exponent", "1e9".to_owned()),
    ];
    for (name, value) in begun {
        filing.accept(&format!("nbf-{name}"), with(filing, &value), "RFC 7519 4.1.5");
    }
    for (name, value) in [("0", "0"), ("negative", "-1"), ("negative-large", "-9223372036854775808")] {
        filing.may_accept(&format!("nbf-{name}"), with(filing, value), "RFC 7519 2: before 1970, which is odd");
    }
    filing.reject("nbf-in-half-a-second", with(filing, "1763800000.5"), "RFC 7519 4.1.5: the time has not come");
}

fn file_iat(filing: &mut Filing<'_>) {
    let with = |filing: &Filing<'_>, value: &str| filing.draft().claim("iat", value).sign(&filing.key);
    for (name, value) in NO_NUMBERS {
        filing.reject(&format!("iat-{name}"), with(filing, value), "RFC 7519 2, 4.1.6: MUST be a number");
    }
    let next = (NOW + 600).to_string();
    for (name, value) in [("ahead", next.as_str()), ("0", "0"), ("negative", "-1"), ("fraction", "1763799999.5")] {
        filing.may_accept(&format!("iat-{name}"), with(filing, value), "RFC 7519 4.1.6: says nothing of validity");
    }
}

fn file_leeway(filing: &mut Filing<'_>) {
    for leeway in [1_i64, 60, 300] {
        filing.policy.leeway = u32::try_from(leeway).expect("a leeway is positive");
        let with = |filing: &Filing<'_>, name: &str, value: i64| {
            filing.draft().claim(name, value.to_string()).sign(&filing.key)
        };
        let token = with(filing, "exp", NOW - leeway + 1);
        filing.accept(&format!("exp-inside-leeway-{leeway}"), token, "RFC 7519 4.1.4");
        let token = with(filing, "exp", NOW - leeway - 1);
        filing.reject(&format!("exp-past-leeway-{leeway}"), token, "RFC 7519 4.1.4");
        let token = with(filing, "exp", NOW - leeway);
        filing.may_reject(&format!("exp-at-leeway-{leeway}"), token, "RFC 7519 4.1.4: some small leeway");
        let token = with(filing, "nbf", NOW + leeway - 1);
        filing.accept(&format!("nbf-inside-leeway-{leeway}"), token, "RFC 7519 4.1.5");
        let token = with(filing, "nbf", NOW + leeway + 1);
        filing.reject(&format!("nbf-past-leeway-{leeway}"), token, "RFC 7519 4.1.5");
        let token = with(filing, "nbf", NOW + leeway);
        filing.may_accept(&format!("nbf-at-leeway-{leeway}"), token, "RFC 7519 4.1.5: some small leeway");
        let token = filing.draft().claim("exp", "0").sign(&filing.key);
        filing.reject(&format!("exp-0-leeway-{leeway}"), token, "RFC 7519 4.1.4");
        let token = filing.draft().claim("exp", "-9223372036854775808").sign(&filing.key);
        filing.reject(&format!("exp-negative-large-leeway-{leeway}"), token, "RFC 7519 4.1.4: no arithmetic wraps");
        let token = filing.draft().claim("nbf", "9223372036854775807").sign(&filing.key);
        filing.reject(&format!("nbf-2^63-1-leeway-{leeway}"), token, "RFC 7519 4.1.5: no arithmetic wraps");
    }
    filing.policy.leeway = 0;
}

fn file_absent(filing: &mut Filing<'_>) {
    const WHY: &str = "the policy requires exp";
    let draft = filing.draft().without_claim("exp");
    let later = (NOW + 600).to_string();
    filing.reject("absent", draft.sign(&filing.key), WHY);
    for name in ["Exp", "EXP", "exp ", "expires", "exp\0"] {
        let token = draft.clone().claim(name, &later).sign(&filing.key);
        filing.reject(&format!("only-as-{}", name.replace(' ', "-and-space").replace('\0', "-and-nul")), token, WHY);
    }
    filing.reject("only-inside", draft.clone().claim("x", format!(r#"{{"exp":{later}}}"#)).sign(&filing.key), WHY);
    filing.reject("only-in-header", draft.clone().header("exp", later).sign(&filing.key), WHY);
    filing.reject("no-claims", draft.payload("{}").sign(&filing.key), WHY);
}
