"""Collects the verdicts of all verifiers into results.json. Usage: collect.py FOLDER"""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import court


def versions():
    python = dict(line.split("==") for line in (court.COURT / "peers/python/requirements.txt").read_text().split())
    node = json.loads((court.COURT / "peers/node/package.json").read_text())["dependencies"]
    cargo = json.loads(
        subprocess.check_output(
            ["cargo", "metadata", "--format-version", "1", "--locked", "--manifest-path", court.COURT / "peers/rust/Cargo.toml"]
        )
    )
    rust = {package["name"]: package["version"] for package in cargo["packages"]}
    query = ["dpkg-query", "--show", "--showformat", "${Version}", "golang-github-golang-jwt-jwt-dev"]
    return {
        **python,
        **node,
        "jsonwebtoken-rust": rust["jsonwebtoken"],
        "jwt-simple": rust["jwt-simple"],
        "golang-jwt": subprocess.check_output(query, text=True).split("-")[0],
        "tollgate": "this commit",
    }


def verdict(text, verifier, case):
    # These settings are tollgate's own, and no other verifier receives the request.
    if text == "unsupported" or (("issuer" in case["policy"] or "sent_with" in case) and verifier != "tollgate"):
        return court.UNSUPPORTED
    if text == "accept" and case["expect"] == "reject" and court.lacks_option(verifier, case):
        return court.NO_OPTION
    return {"accept": court.ACCEPT, "reject": court.REJECT}[text]


def read(folder, verifier):
    lines = (folder / f"{verifier}.tsv").read_text().splitlines()
    if verifier == "tollgate":
        return {line["id"]: line["verdict"] for line in map(json.loads, lines)}
    return dict(line.rsplit("\t", 1) for line in lines)


def main(folder):
    columns = {verifier: read(Path(folder), verifier) for verifier in court.VERIFIERS}
    verdicts = {
        case["id"]: "".join(verdict(column[case["id"]], name, case) for name, column in columns.items())
        for case in court.cases()
    }
    corpus = hashlib.sha256()
    for path in sorted((court.COURT / "corpus").iterdir()):
        corpus.update(path.read_bytes())
    known = versions()
    head = {
        "corpus_sha256": corpus.hexdigest(),
        "verifiers": [{"name": name, "language": of, "version": known[name]} for name, of in court.VERIFIERS.items()],
        "verdicts_mean": {"a": "accept", "r": "reject", "-": "unsupported", "o": "accept, for want of an option"},
    }
    rows = ",\n".join(f"{json.dumps(name)}:{json.dumps(row)}" for name, row in verdicts.items())
    text = json.dumps(head, indent=1)[:-2] + ',\n "verdicts": {\n' + rows + "\n}}\n"
    court.RESULTS.write_text(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
