"""Why tollgate's verdict differs from most others': a pattern of class and mutation, and the reason."""

EXPLANATIONS = [
    (
        r"a04/is-.*",
        "The key's JWK has another algorithm of the same family, and a key is for one algorithm (RFC 8725 "
        "section 3.1, RFC 7517 section 4.4). Others check the list of allowed algorithms alone.",
    ),
    (
        r"a08/key-of-.*",
        "An Ed25519 key of small order, under which anybody can sign. The cryptography libraries accept it; "
        "vetting keys is left to the caller.",
    ),
    (
        r"a09/rsa-(1024|1536|2047)-bits",
        "RFC 7518 section 3.3: 2048 bits or more MUST be used. Many leave it to the cryptography library, "
        "which accepts 1024.",
    ),
    (
        r"a09/exponent-1",
        "With e = 1 everybody can make signatures. The cryptography libraries accept such a key.",
    ),
    (
        r"a09/rsa-(roca|e-34-bits)",
        "Vetting that no specification requires: a key that can be factored (CVE-2017-15361), an exponent "
        "that only makes checks slow.",
    ),
    (
        r"a09/modulus-after-zero",
        "A modulus with a zero before it (RFC 7518 section 6.3.1.1).",
    ),
    (
        r"a11/.*",
        "A PSS signature whose first byte is zero, sent without it: RFC 8017 section 8.1.2 requires the "
        "modulus' length. OpenSSL does not check it.",
    ),
    (
        r"a12/.*",
        "RFC 7518 section 6.2.1.2: a coordinate has the curve's full length. Others read it as a number of "
        "any length.",
    ),
    (
        r"a13/secret-of-.*",
        "RFC 7518 section 3.2: a secret as long as the hash's output or longer MUST be used. Others accept "
        "any secret.",
    ),
    (
        r"a13/secret-is-.*",
        "A secret that is the text of a key is most likely a public one (CVE-2015-9235).",
    ),
    (
        r"a43/first-of-two-keys-of-one-kid",
        "Two different keys under one `kid` and algorithm: which one is meant is ambiguous, so tollgate uses "
        "neither. Others use the first that they find.",
    ),
    (
        r"a64/.*",
        "The set also has a key for encryption or of an unknown kind under the signing key's `kid`, which "
        "does not conflict with it. Others find the other key first and stop there.",
    ),
    (
        r"a16/.*",
        "A `kid` that no key has, on a token that the only key verifies, or one that is no string: some "
        "verifiers ignore `kid`.",
    ),
    (
        r"a17/.*",
        "The choice of a key without a `kid` is left to the verifier (RFC 7515 section 6): tollgate tries up "
        "to four keys of the token's algorithm, whatever else is in the set. Some require a `kid`, and "
        "python-jose gives up at a key of another kind.",
    ),
    (
        r"a18/.*",
        "RFC 7515 section 4.1.11: a `crit` that is not well-formed MAY be refused. tollgate knows no "
        "extension and refuses every one.",
    ),
    (
        r"a19/(string|number|null)-in-crit",
        "`b64` that is no boolean, named by `crit` (RFC 7797 section 3).",
    ),
    (
        r"a19/(true|true-in-crit|false-without-crit)",
        "`b64` is refused with any value: a JWT never has it (RFC 7797 section 7).",
    ),
    (
        r"a20/.*-where-jwt-is-expected",
        "Another `typ` is another kind of token (RFC 8725 section 3.11). Others check `typ` only if "
        "configured to.",
    ),
    (
        r"a20/required-claims-absent",
        "`at+jwt` without the claims of RFC 9068 section 2.2.",
    ),
    (
        r"a20/.*",
        "`at+jwt` is compared as a whole and case-insensitively.",
    ),
    (
        r"a21/cty-.*",
        "`cty` announces a nested JWT, and the payload is not one (RFC 7519 section 5.2).",
    ),
    (
        r"a21/.*",
        "`zip` and `enc` are members of encrypted tokens; in a signed one they only cause confusion "
        "(CVE-2026-29000).",
    ),
    (
        r"a23/.*-trailing-bits",
        "RFC 4648 section 3.5: unused trailing bits MAY be refused. If accepted, one token has many texts.",
    ),
    (
        r"a23/.*",
        "RFC 7515 section 2: base64url without padding.",
    ),
    (
        r"a25/.*",
        "Duplicate members: refused, or the last one counts (RFC 7515 section 4, RFC 7519 section 4). Others "
        "use the last one; two readers of one token may then see two values.",
    ),
    (
        r"a26/.*surrogate.*",
        "Lone surrogates, escaped or in UTF-8, are no characters (RFC 8259 section 8.2, RFC 3629 "
        "section 3).",
    ),
    (
        r"a26/header-space-before",
        "The one place where tollgate is stricter than RFC 8259: a header that begins with white space. A JWS"
        " is recognised by its first two characters, so that the kind of a credential never depends on its "
        "contents.",
    ),
    (
        r"a26/nul-in-sub",
        "Some later readers of a name stop at U+0000.",
    ),
    (
        r"a26/.*",
        "A byte order mark or a character that JSON forbids.",
    ),
    (
        r"a27/.*",
        "RFC 8259 section 9 leaves limits to the parser. tollgate's are 8 KiB, 16 levels, 256 members, and "
        "numbers that fit a double.",
    ),
    (
        r"a29/(exp|nbf|iat)-(400-digits|1e999)",
        "A number beyond what a double holds.",
    ),
    (
        r"a29/.*-half-a-second",
        "Fractions round to the side on which the token is invalid.",
    ),
    (
        r"a29/iat-.*",
        "RFC 7519 section 4.1.6: `iat` MUST be a number, and neither true nor false is one.",
    ),
    (
        r"a29/exp-(now|at-leeway-.*)",
        "RFC 7519 section 4.1.4: the token is invalid from the second of `exp` on, also with the leeway "
        "added. For others that second is the last valid one.",
    ),
    (
        r"a29/.*",
        "The first second of the leeway, and values that are no numbers.",
    ),
    (
        r"a30/.*",
        "No `exp` (RFC 8725 section 3.10).",
    ),
    (
        r"a33/.*",
        "An entry of `aud` that is no string.",
    ),
    (
        r"a34/.*",
        "`sub` and `jti` are strings (RFC 7519 sections 4.1.2 and 4.1.7), and an empty subject identifies "
        "nobody. Others check them only if configured to.",
    ),
]
