"""The flows of Authlib (PyPI), by discovery alone. One line for each."""

import os
import re
import sys
from html import unescape
from urllib.parse import urljoin

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session

ORIGIN, EMAIL, PASSWORD, SECRET = (os.environ[name] for name in ("ORIGIN", "EMAIL", "PASSWORD", "SITE_SECRET"))
SITE = "https://site.example/callback"


def follow(url, target):
    """Logs in and allows whatever is asked, until a redirect leads to `target`; that URL."""
    browser = requests.Session()
    response = browser.get(url, allow_redirects=False)
    for _ in range(10):
        if response.status_code in (302, 303):
            url = urljoin(url, response.headers["location"])
            if url.startswith(target):
                return url
            response = browser.get(url, allow_redirects=False)
            continue
        form = response.text.split('<form class="card"')[1]
        fields = {name: unescape(value) for name, value in re.findall(r'<input [^>]*?name="([^"]*)" value="([^"]*)"', form)}
        if 'name="password"' in form:
            fields |= {"email": EMAIL, "password": PASSWORD}
        if 'name="decision"' in form:
            fields["decision"] = "allow"
        url = urljoin(url, re.search(r'action="([^"]*)"', form)[1])
        response = browser.post(url, data=fields, allow_redirects=False)
    sys.exit(f"no way to {target}")


def sites(token):
    return requests.get(f"{ORIGIN}/api/v2/sites", headers={"authorization": f"Bearer {token}"}).status_code


server = requests.get(f"{ORIGIN}/.well-known/openid-configuration").json()
site = OAuth2Session("site", SECRET, scope="openid read:sites", redirect_uri=SITE, code_challenge_method="S256")
verifier, nonce = generate_token(48), generate_token(20)
url, state = site.create_authorization_url(server["authorization_endpoint"], code_verifier=verifier, nonce=nonce)
answer = follow(url, SITE)
token = site.fetch_token(server["token_endpoint"], authorization_response=answer, state=state, code_verifier=verifier)
print("code", token["scope"], "id_token" in token, sites(token["access_token"]))
print("userinfo", "sub" in site.get(server["userinfo_endpoint"]).json())

machine = OAuth2Session("site", SECRET, scope="read:reports", token_endpoint_auth_method="client_secret_post")
token = machine.fetch_token(server["token_endpoint"], grant_type="client_credentials")
print("machine", token["scope"])
