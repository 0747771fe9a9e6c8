"""The corpus and the results as the report sees them."""

import json
from collections import Counter
from pathlib import Path

COURT = Path(__file__).resolve().parent.parent
RESULTS = COURT / "results.json"

# In the order of the columns: name, language, and how to find the version.
VERIFIERS = {
    "tollgate": "Rust",
    "jsonwebtoken-rust": "Rust",
    "jwt-simple": "Rust",
    "jose": "Node",
    "fast-jwt": "Node",
    "jsonwebtoken": "Node",
    "aws-jwt-verify": "Node",
    "PyJWT": "Python",
    "joserfc": "Python",
    "jwcrypto": "Python",
    "python-jose": "Python",
    "golang-jwt": "Go",
}

# Checks that a library may have no option for, so that its caller must make them. Each entry selects cases.
OPTIONS = {
    "a required `typ`": lambda case: case["policy"]["typ"] != "JWT",
    "a required `exp`": lambda case: case["class"] == "a30",
    "a list of algorithms": lambda case: case["class"] == "a04" and "/only-" in case["id"],
    "an algorithm for each key": lambda case: case["class"] == "a04" and "/is-" in case["id"],
}
MISSING = {
    "a required `typ`": "jsonwebtoken-rust jsonwebtoken aws-jwt-verify PyJWT joserfc jwcrypto python-jose golang-jwt",
    "a required `exp`": "jwt-simple jsonwebtoken aws-jwt-verify",
    "a list of algorithms": "aws-jwt-verify",
    "an algorithm for each key": "jsonwebtoken-rust fast-jwt jsonwebtoken golang-jwt",
}

ACCEPT, REJECT, UNSUPPORTED, NO_OPTION = "a", "r", "-", "o"


def cases():
    """Every case without its token, in order."""
    for path in sorted((COURT / "corpus").glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                case = json.loads(line)
                del case["token"]
                yield case


def lacks_option(verifier, case):
    """Whether the verifier has no option for the case."""
    return any(verifier in MISSING[name].split() and asks(case) for name, asks in OPTIONS.items())


def against_tollgate(case, verdicts):
    """Whether most of the other verdicts differ from that of tollgate."""
    others = Counter(verdict for verdict in verdicts[1:] if verdict in (ACCEPT, REJECT))
    return others[REJECT if verdicts[0] == ACCEPT else ACCEPT] > others[verdicts[0]]
