"""The flows of Authlib (PyPI), by discovery alone. One line for each."""

import json
import os
import re
import sys
import time
from html import unescape
from urllib.parse import urljoin

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

ORIGIN, EMAIL, PASSWORD, SECRET = (os.environ[name] for name in ("ORIGIN", "EMAIL", "PASSWORD", "SITE_SECRET"))
SITE, APP = "https://site.example/callback", "http://127.0.0.1:5678/callback"
BROWSER = requests.Session()


def follow(url, target, **typed):
    """Logs in and allows whatever is asked, until a redirect leads to `target`, or there is nothing more to ask; that URL."""
    response = BROWSER.get(url, allow_redirects=False)
    for _ in range(10):
        if response.status_code in (302, 303):
            url = urljoin(url, response.headers["location"])
            if url.startswith(target):
                return url
            response = BROWSER.get(url, allow_redirects=False)
            continue
        _, *forms = response.text.split('<form class="card"')
        if not forms:
            return url
        form = forms[0]
        fields = {name: unescape(value) for name, value in re.findall(r'<input [^>]*?name="([^"]*)" value="([^"]*)"', form)}
        if 'name="password"' in form:
            fields |= {"email": EMAIL, "password": PASSWORD}
        if 'name="decision"' in form:
            fields["decision"] = "allow"
        url = urljoin(url, re.search(r'action="([^"]*)"', form)[1])
        response = BROWSER.post(url, data=fields | typed, allow_redirects=False)
    sys.exit(f"no way to {target}")


def sites(token):
    return requests.get(f"{ORIGIN}/api/v2/sites", headers={"authorization": f"Bearer {token}"}).status_code


def told(flow, *results):
    print(f"{flow}:", *results)


server = requests.get(f"{ORIGIN}/.well-known/openid-configuration").json()
keys = KeySet.import_key_set(requests.get(server["jwks_uri"]).json())


def log_in(client):
    """The tokens of a code, and the claims of the ID token, once they are verified."""
    verifier, nonce = generate_token(48), generate_token(20)
    url, state = client.create_authorization_url(server["authorization_endpoint"], code_verifier=verifier, nonce=nonce)
    answer = follow(url, client.redirect_uri)
    token = client.fetch_token(
        server["token_endpoint"], authorization_response=answer, state=state, code_verifier=verifier
    )
    expected = {"iss": {"value": server["issuer"]}, "aud": {"value": client.client_id}}
    decoded = jwt.decode(token["id_token"], keys, algorithms=["ES256"])
    params = {"nonce": nonce, "client_id": client.client_id, "access_token": token["access_token"]}
    claims = CodeIDToken(decoded.claims, decoded.header, expected, params)
    claims.validate()
    return token, claims


def rotate(client, token):
    """What comes of two refreshes, and then of the first refresh token."""

    def refresh(refresh_token):
        return client.refresh_token(server["token_endpoint"], refresh_token=refresh_token)

    first = token["refresh_token"]
    third = refresh(refresh(first)["refresh_token"])["access_token"]
    good = sites(third)
    try:
        reused = refresh(first)
    except OAuthError as error:
        reused = error.error
    return good, reused, sites(third)


site = OAuth2Session("site", SECRET, scope="openid read:sites", redirect_uri=SITE, code_challenge_method="S256")
token, claims = log_in(site)
told("code", token["scope"], sites(token["access_token"]))
told("userinfo", site.get(server["userinfo_endpoint"]).json()["sub"] == claims["sub"])
introspected = site.introspect_token(server["introspection_endpoint"], token["access_token"]).json()
told("introspection", introspected["active"], introspected["sub"] == claims["sub"])
told("refresh", *rotate(site, token))

token, _ = log_in(site)
site.revoke_token(server["revocation_endpoint"], token["refresh_token"])
introspected = site.introspect_token(server["introspection_endpoint"], token["access_token"]).json()
told("revocation", sites(token["access_token"]), introspected["active"])

app = OAuth2Session("app", scope="openid read:sites", redirect_uri=APP, code_challenge_method="S256")
token, _ = log_in(app)
told("native", sites(token["access_token"]), *rotate(app, token))

# The request for the codes is the program's own.
device = requests.post(server["device_authorization_endpoint"], {"client_id": "tv", "scope": "read:sites"}).json()
follow(device["verification_uri_complete"], "nowhere:", user_code=device["user_code"])
grant_type = "urn:ietf:params:oauth:grant-type:device_code"
tv = OAuth2Session("tv")
token = tv.fetch_token(server["token_endpoint"], grant_type=grant_type, device_code=device["device_code"])
told("device", sites(token["access_token"]))

machine = OAuth2Session("site", SECRET, scope="read:reports", token_endpoint_auth_method="client_secret_post")
token = machine.fetch_token(server["token_endpoint"], grant_type="client_credentials")
told("client credentials", token["scope"])

# The audience and the lifetime are the program's own: the library's are the URL of the endpoint, and an hour.
assertion = PrivateKeyJWT(server["issuer"], {"exp": int(time.time()) + 60}, alg="ES256")
key = ECKey.import_key(json.loads(os.environ["ROBOT_KEY"]))
robot = OAuth2Session("robot", key, scope="read:reports", token_endpoint_auth_method=PrivateKeyJWT.name)
robot.register_client_auth_method(assertion)
token = robot.fetch_token(server["token_endpoint"], grant_type="client_credentials")
told("private_key_jwt", token["scope"])
