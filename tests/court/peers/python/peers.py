"""Puts the corpus to a Python library: `id`, a tab, and `accept`, `reject` or `unsupported` for each case.

Usage: peers.py CORPUS LIBRARY
"""

import json
import sys
from datetime import datetime, timezone
from pathlib import Path

import time_machine

RFC_7518 = "HS256 HS384 HS512 RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512"


class Unsupported(Exception):
    """The library leaves this to its caller."""


def pyjwt(keys, token, policy):
    import jwt

    key_set = jwt.PyJWKSet.from_dict(keys)
    header = jwt.get_unverified_header(token)
    if "kid" not in header and len(key_set.keys) > 1:
        raise Unsupported  # The library does not select a key: its caller must.
    key = key_set[header["kid"]] if "kid" in header else key_set.keys[0]
    jwt.decode(
        token,
        key,
        algorithms=policy["algorithms"],
        issuer=policy["iss"],
        audience=policy["aud"],
        leeway=policy["leeway"],
        options={"require": ["exp", "iss", "aud"], "enforce_minimum_key_length": True},
    )


def joserfc(keys, token, policy):
    from joserfc import jwt
    from joserfc.jwk import KeySet

    decoded = jwt.decode(token, KeySet.import_key_set(keys), algorithms=policy["algorithms"])
    jwt.JWTClaimsRegistry(
        now=policy["now"],
        leeway=policy["leeway"],
        iss={"essential": True, "value": policy["iss"]},
        aud={"essential": True, "value": policy["aud"]},
        exp={"essential": True},
    ).validate(decoded.claims)


def jwcrypto(keys, token, policy):
    from jwcrypto.jwk import JWKSet
    from jwcrypto.jwt import JWT

    checked = JWT(
        algs=policy["algorithms"],
        expected_type="JWS",
        check_claims={"iss": policy["iss"], "aud": policy["aud"], "exp": None},
    )
    checked.leeway = policy["leeway"]
    checked.deserialize(token, JWKSet.from_json(json.dumps(keys)))


def python_jose(keys, token, policy):
    from jose import jwt

    jwt.decode(
        token,
        keys,
        algorithms=policy["algorithms"],
        issuer=policy["iss"],
        audience=policy["aud"],
        options={"leeway": policy["leeway"], "require_exp": True, "require_iss": True, "require_aud": True},
    )


LIBRARIES = {
    "PyJWT": (pyjwt, RFC_7518 + " ES256K EdDSA"),
    "joserfc": (joserfc, RFC_7518 + " ES256K EdDSA Ed25519"),
    "jwcrypto": (jwcrypto, RFC_7518 + " ES256K EdDSA Ed25519"),
    "python-jose": (python_jose, "HS256 HS384 HS512 RS256 RS384 RS512 ES256 ES384 ES512"),
}


def cases(corpus):
    for path in sorted(Path(corpus).glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                case = json.loads(line)
                if not isinstance(case["token"], str):
                    case["token"] = "".join(text * count for text, count in case["token"])
                yield case


def main(corpus, library):
    verify, algorithms = LIBRARIES[library]
    sets = json.loads((Path(corpus) / "keys.json").read_text())
    for case in cases(corpus):
        if case["id"].split("/")[1] not in algorithms.split():
            print(case["id"], "unsupported", sep="\t")
            continue
        now = datetime.fromtimestamp(case["policy"]["now"], timezone.utc)
        with time_machine.travel(now, tick=False):
            try:
                verify(sets[case["keys"]], case["token"], case["policy"])
                verdict = "accept"
            except Unsupported:
                verdict = "unsupported"
            except Exception:  # Any exception is a rejection.
                verdict = "reject"
        print(case["id"], verdict, sep="\t")


if __name__ == "__main__":
    main(*sys.argv[1:])
