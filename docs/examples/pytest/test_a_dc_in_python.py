"""A Data Consumer in Python: PAR, authorize, code, token, balance, with requests and jwcrypto alone."""

import base64
import hashlib
import json
import secrets
import time
import uuid
from urllib.parse import parse_qs, urlencode, urlparse

import jose
import pytest
import requests
from conftest import select_one_account

RAR = "urn:openfinance-ml:account-access-consent:v1.2"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Dc:
    def __init__(self, world):
        self.world, self.me = world, world["dcs"][0]
        folder = self.me["certificates"]
        self.signing = jose.key(folder, "signing", self.me["signing_kid"])
        self.encryption = jose.key(folder, "encryption", self.me["encryption_kid"])
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = world["ca"]
        self.http.cert = (f"{folder}/client.pem", f"{folder}/client-key.pem")
        self.metadata = self.http.get(world["paynet"]["discovery"], timeout=30).json()
        self.paynet_keys = jose.jwk.JWKSet.from_json(
            self.http.get(self.metadata["jwks_uri"], timeout=30).text)

    def form(self, endpoint, **fields):
        client = self.me["client_id"]
        assertion = jose.sign(self.signing, jose.claims(client, client, self.metadata["issuer"]))
        return self.http.post(self.metadata[endpoint], timeout=30, data={
            "client_id": client, "client_assertion_type": ASSERTION, "client_assertion": assertion, **fields})

    def request_object(self, verifier, **more):
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
        client = self.me["client_id"]
        return jose.sign(self.signing, {
            **jose.claims(client, client, self.metadata["issuer"]), "client_id": client,
            "response_type": "code", "redirect_uri": self.me["redirect_uris"][0],
            "scope": "accounts profile", "state": secrets.token_urlsafe(16), "nonce": secrets.token_urlsafe(16),
            "code_challenge": challenge.decode(), "code_challenge_method": "S256",
            "authorization_details": [{"type": RAR, "consent": {
                "dc_id": self.me["dc_id"], "dp_id": self.world["dp"]["dp_id"], "consent_type": RAR,
                "consent_purpose": "pfm", "permissions": ["read_accounts", "read_balances"],
                "expiration_datetime": time.strftime("%Y-%m-%dT23:59:59Z", time.gmtime(time.time() + 30 * 86400)),
            }}], **more}, typ="oauth-authz-req+jwt")


@pytest.fixture
def dc(world):
    return Dc(world)


def answer_of(browser, page):
    """Follows the way back to the DC, and returns the parameters of the authorization response."""
    response = browser.session.get(page.elements["back"]["href"], timeout=30, allow_redirects=False)
    return {name: values[0] for name, values in parse_qs(urlparse(response.headers["Location"]).query).items()}


def link(dc, browser, response_mode="query"):
    """The whole authorization; returns the token response."""
    verifier = secrets.token_urlsafe(48)
    pushed = dc.form("pushed_authorization_request_endpoint",
                     request=dc.request_object(verifier, response_mode=response_mode))
    assert pushed.status_code == 201, pushed.text
    query = urlencode({"client_id": dc.me["client_id"], "request_uri": pushed.json()["request_uri"]})
    page = browser.open(f"{dc.metadata['authorization_endpoint']}?{query}")
    page = browser.submit(page.forms[0], username="paynet", password="paynet")
    page = select_one_account(browser, page)
    page = browser.submit(page.forms[0], decision="approve")
    answer = answer_of(browser, page)
    if response_mode == "jwt":
        answer = jose.verify(dc.paynet_keys, answer["response"])
        assert answer["aud"] == dc.me["client_id"]
    assert answer["iss"] == dc.metadata["issuer"]
    tokens = dc.form("token_endpoint", grant_type="authorization_code", code=answer["code"],
                     code_verifier=verifier, redirect_uri=dc.me["redirect_uris"][0])
    assert tokens.status_code == 200, tokens.text
    return tokens.json()


@pytest.mark.parametrize("response_mode", ["query", "jwt"])
def test_from_par_to_the_balance(dc, browser, response_mode):
    tokens = link(dc, browser, response_mode)
    id_token = jose.verify(dc.paynet_keys, tokens["id_token"])
    assert id_token["aud"] == dc.me["client_id"] and id_token["id_type"] == "nric"

    consent = tokens["authorization_details"][0]["consent"]
    account = consent["accounts"][0]["account_id"]
    url = f"{dc.world['paynet']['rs']}/v1/accounts/{account}/balances"
    signature = jose.sign(dc.signing, jose.claims(
        dc.me["dc_id"], consent["consent_id"], [consent["dp_id"], "Paynet OFP"], url=url, qpm={}))
    answer = dc.http.get(url, timeout=30, headers={
        "authorization": f"Bearer {tokens['access_token']}", "x-signature": signature,
        "x-fapi-interaction-id": str(uuid.uuid4())})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/jose"
    outer = jose.verify(jose.keys(dc.world["dp"]["certificates"]), answer.text)
    assert outer["aud"] == [dc.me["dc_id"], "Paynet OFP"]
    balance = jose.decrypt(dc.encryption, outer["data"])["data"]
    assert balance["account_id"] == account
    assert json.dumps(balance["current_balance"]["amount"]) == '{"amount": "25000.75", "currency": "MYR"}'
