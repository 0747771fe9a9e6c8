"""Writes docs/court.md's tables and docs/court.svg from results.json."""

import json
import re
import sys
from collections import Counter, defaultdict

import chart
import court
from alone import EXPLANATIONS

DOCUMENT = court.COURT.parent.parent / "docs/court.md"
CHART = DOCUMENT.with_suffix(".svg")

CLASSES = {
    "valid": "good tokens",
    "a01": "`alg` none and its kin",
    "a02": "unknown `alg`",
    "a03": "public key as HMAC secret",
    "a04": "`alg` other than the key's",
    "a05": "ECDSA out of range",
    "a06": "ECDSA in another form",
    "a07": "ECDSA twins",
    "a08": "Ed25519, not canonical or weak",
    "a09": "weak RSA keys",
    "a10": "PKCS #1 v1.5 padding",
    "a11": "PSS padding",
    "a12": "EC points",
    "a13": "short HMAC secrets",
    "a14": "ML-DSA",
    "a15": "keys that the token brings",
    "a16": "hostile `kid`",
    "a17": "no `kid`, many keys",
    "a18": "`crit`",
    "a19": "`b64`",
    "a20": "`typ`",
    "a21": "nesting, encryption",
    "a22": "dots",
    "a23": "base64url",
    "a24": "JSON serialisation",
    "a25": "duplicate members",
    "a26": "invalid JSON",
    "a27": "bombs",
    "a28": "unknown claims",
    "a29": "odd times",
    "a30": "no `exp`",
    "a31": "`iss` almost equal",
    "a32": "another issuer's key",
    "a33": "`aud` almost equal",
    "a34": "`sub`, `jti`",
    "a35": "patterns",
    "a43": "one `kid` for two keys",
    "a51": "bound to a key (DPoP)",
    "a52": "bound to a certificate",
    "a64": "a key's neighbours",
    "c1": "mapped claims",
    "c2": "expected values",
    "c3": "a list of `typ`",
    "c4": "issuers by template",
    "c5": "optional claims",
    "c6": "limits",
}


class Counts:
    """What one verifier did with the cases of one class."""

    def __init__(self):
        self.put = self.wrong = self.no_option = self.accepted = 0

    def add(self, verdict, expected):
        self.put += verdict in (court.ACCEPT, court.REJECT)
        self.wrong += verdict in (court.ACCEPT, court.REJECT) and verdict != expected
        self.no_option += verdict == court.NO_OPTION
        self.accepted += verdict == court.ACCEPT


def count(results, kind):
    """By class and verifier, the cases that `kind` selects."""
    counts = defaultdict(Counts)
    for case in court.cases():
        if kind(case):
            for verifier, verdict in zip(court.VERIFIERS, results["verdicts"][case["id"]]):
                counts[case["class"].removesuffix("-choice"), verifier].add(verdict, case["expect"][0])
    return counts


def is_choice(case):
    return case["class"].endswith("-choice")


def short(name):
    return name.replace("-rust", " (Rust)")


def table(counts, cell):
    """Classes down, verifiers across."""
    heads = "".join(f" {short(name)} |" for name in court.VERIFIERS)
    lines = [f"| | |{heads}", "|---|---|" + "---:|" * len(court.VERIFIERS)]
    for name, title in CLASSES.items():
        row = [counts[name, verifier] for verifier in court.VERIFIERS]
        if any(item.put or item.no_option for item in row):
            lines.append(f"| {name.removeprefix('a').lstrip('0') if name != 'valid' else ''} | {title} |"
                         + "".join(f" {cell(item)} |" for item in row))
    totals = []
    for verifier in court.VERIFIERS:
        total = Counts()
        for name in CLASSES:
            for member in vars(total):
                setattr(total, member, getattr(total, member) + getattr(counts[name, verifier], member))
        totals.append(total)
    lines.append("| | **all** |" + "".join(f" **{cell(total)}** |" for total in totals))
    return "\n".join(lines), totals


def wrong_cell(item):
    if not item.put:
        return "n/a"
    return f"{item.wrong} / {item.put}" if item.wrong else "0"


def choice_cell(item):
    return f"{item.accepted} / {item.put}" if item.put else "n/a"


def verifiers_table(results):
    lines = ["| verifier | language | version | no option for |", "|---|---|---|---|"]
    for verifier in results["verifiers"]:
        lacks = [name for name, missing in court.MISSING.items() if verifier["name"] in missing.split()]
        of, version = verifier["language"], verifier["version"]
        lines.append(f"| {short(verifier['name'])} | {of} | {version} | {', '.join(lacks)} |")
    return "\n".join(lines)


def alone_table(results):
    """Where most others differ from tollgate, by explanation. Fails if one is missing."""
    groups, missing = defaultdict(Counter), []
    for case in court.cases():
        if not court.against_tollgate(case, results["verdicts"][case["id"]]):
            continue
        name, _, mutation = case["id"].split("/", 2)
        label = f"{name}/{mutation}"
        found = next((index for index, (pattern, _) in enumerate(EXPLANATIONS) if re.fullmatch(pattern, label)), None)
        if found is None:
            missing.append(label)
        else:
            groups[found, case["expect"]]["choice" if is_choice(case) else "rule"] += 1
    if missing:
        sys.exit("not explained in report/alone.py: " + ", ".join(sorted(set(missing))))
    lines = ["| attack | tollgate | cases | of these a choice | why |", "|---:|---|---:|---:|---|"]
    for index, expect in sorted(groups):
        pattern, text = EXPLANATIONS[index]
        group = groups[index, expect]
        lines.append(f"| {pattern[1:3].lstrip('0')} | {expect}s | {group.total()} | {group['choice']} | {text} |")
    return "\n".join(lines)


def main():
    results = json.loads(court.RESULTS.read_text())
    forged = count(results, lambda case: not is_choice(case) and case["expect"] == "reject")
    good = count(results, lambda case: not is_choice(case) and case["expect"] == "accept")
    accepted, forged_totals = table(forged, wrong_cell)
    rejected, good_totals = table(good, wrong_cell)
    choices, _ = table(count(results, is_choice), choice_cell)
    kinds = Counter("choice" if is_choice(case) else case["expect"] for case in court.cases())
    sections = {
        "size": f"{sum(kinds.values()):,} cases: {kinds['reject']:,} that must be rejected, {kinds['accept']:,} that must be "
        f"accepted, and {kinds['choice']:,} for which the specifications leave the choice.",
        "verifiers": verifiers_table(results),
        "accepted": accepted,
        "rejected": rejected,
        "choices": choices,
        "alone": alone_table(results),
    }
    text = DOCUMENT.read_text()
    for name, section in sections.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
        before, rest = text.split(begin)
        text = before + begin + section + "\n" + end + rest.split(end)[1]
    DOCUMENT.write_text(text)
    rows = [
        (short(name), forged.wrong, forged.put, good.wrong, good.put)
        for name, forged, good in zip(court.VERIFIERS, forged_totals, good_totals)
    ]
    CHART.write_text(chart.draw(rows))


if __name__ == "__main__":
    main()
