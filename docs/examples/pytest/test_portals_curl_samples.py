"""The curl commands of PayNet's own portal, with real values for the placeholders."""

import json
import subprocess
import time
import uuid

import jose
import pytest
from conftest import select_one_account


def curl(method, url, party, ca, *options, body=None, **headers):
    """curl as the portal writes it; returns status, headers and body."""
    command = ["curl", "--silent", "--show-error", "--location", "--request", method, url,
               "--cert", f"{party}/client.pem", "--key", f"{party}/client-key.pem", "--cacert", ca,
               "--dump-header", "/dev/stderr", *options]
    for name, value in headers.items():
        command += ["--header", f"{name.replace('_', '-')}: {value}"]
    if body is not None:
        command += ["--data-raw", body]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    lines = ran.stderr.splitlines()
    assert lines and lines[0].startswith("HTTP/"), ran.stderr
    fields = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
    return int(lines[0].split()[1]), fields, ran.stdout


@pytest.fixture
def parties(world):
    """Folders and signing keys of PayNet and the DP, whose part the commands take."""
    def key(party):
        return jose.key(party["certificates"], "signing", party["signing_kid"])

    dp, paynet = world["dp"], world["paynet"]
    return {"dp": dp["certificates"], "paynet": paynet["certificates"], "dp_key": key(dp), "paynet_key": key(paynet)}


def interaction():
    return str(uuid.uuid4())


def test_the_key_sets(world, parties):
    for path in ["/v1/oauth/jwks/paynet", "/v1/oauth/jwks", f"/v1/oauth/jwks/{world['dcs'][0]['dc_id']}"]:
        for host in (world["paynet"]["issuer"], world["paynet"]["as_mtls"]):
            status, _, body = curl("GET", host + path, parties["dp"], world["ca"])
            assert status == 200 and json.loads(body)["keys"][0]["x5t#S256"]


def test_health_and_a_consent_event(world, parties):
    webhooks, ca, paynet = world["dp"]["webhooks"], world["ca"], parties["paynet"]
    assert curl("GET", f"{webhooks}/v1/health", paynet, ca)[0] == 200
    event = json.dumps({"event_type": "consent_status_updated", "data": {
        "consent_id": str(uuid.uuid4()), "dc_id": world["dcs"][0]["dc_id"], "dp_id": world["dp"]["dp_id"],
        "id_type": "nric", "hashed_id_number": "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eA==",
        "consent_type": "account_access_consent", "consent_purpose": "pfm",
        "permissions": ["read_accounts", "read_balances", "read_transactions"],
        "expiration_datetime": "2099-12-31T23:59:59Z", "status": "authorized",
        "accounts": [{"account_id": "acc-1", "account_reference": "1234567890", "account_name": "My Savings"}],
        "created_at": "2025-01-01T00:00:00Z", "updated_at": "2025-01-01T00:00:00Z",
        "updated_by": "data_provider_user"}})
    status, headers, body = curl(
        "POST", f"{webhooks}/v1/consents/events", paynet, ca, body=event, Content_Type="application/json",
        x_fapi_interaction_id=interaction(),
        x_fapi_signature=jose.sign_detached(parties["paynet_key"], event.encode()))
    assert (status, json.loads(body)) == (200, {}), body


def test_authorize_update_consent_and_balances(world, parties, control, browser):
    ca, dp, paynet = world["ca"], parties["dp"], parties["paynet"]
    asked = control.post("/v1/consents")
    consent = asked["consent_id"]
    callback = f"{world['paynet']['issuer']}/v1/oauth/callback"
    status, headers, _ = curl(
        "GET", f"{world['dp']['webhooks']}/v1/oauth/authorize?consent_id={consent}&redirect_uri="
        f"{callback.replace(':', '%3A').replace('/', '%2F')}&signature={jose.sign(parties['paynet_key'], consent.encode())}",
        paynet, ca, "--max-redirs", "0")
    assert status == 303
    page = browser.open(headers["location"])
    page = browser.submit(page.forms[0], username="paynet", password="paynet")
    page = select_one_account(browser, page)
    browser.submit(page.forms[0], decision="approve")
    account = control.get(f"/v1/consents/{consent}")["accounts"][0]["account_id"]

    path = f"/v1/accounts/{account}/balances"
    dc = world["dcs"][0]
    signed = {"url": world["paynet"]["rs"] + path, "qpm": {}}
    by_paynet = jose.claims("Paynet OFP", consent, [world["dp"]["dp_id"]], **signed)
    by_dc = jose.claims(dc["dc_id"], consent, [world["dp"]["dp_id"], "Paynet OFP"], **signed)
    status, _, body = curl(
        "GET", f"{world['dp']['webhooks']}{path}?consent_id={consent}", paynet, ca,
        x_fapi_interaction_id=interaction(), x_enc_kid=dc["encryption_kid"],
        x_fapi_signature=jose.sign(parties["paynet_key"], by_paynet),
        x_signature=jose.sign(jose.key(dc["certificates"], "signing", dc["signing_kid"]), by_dc))
    assert status == 200, body
    assert jose.verify(jose.keys(dp), body)["iss"] == world["dp"]["dp_id"]


def test_update_consent_as_the_portal_sends_it(world, parties, control):
    ca, dp, rs = world["ca"], parties["dp"], world["paynet"]["rs"]
    consent = control.post("/v1/consents")["consent_id"]
    client, issuer = world["dp"]["client_id"], world["paynet"]["issuer"]
    status, _, body = curl(
        "POST", f"{world['paynet']['as_mtls']}/v1/oauth/token", dp, ca,
        body=f"grant_type=client_credentials&client_id={client}&client_assertion_type="
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion="
        + jose.sign(parties["dp_key"], jose.claims(client, client, issuer)))
    assert status == 200, body
    token, now = json.loads(body)["access_token"], int(time.time())
    hashed = "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eA=="
    id_token = jose.sign(parties["dp_key"], {
        "iss": world["dp"]["issuer"], "sub": "user-123456", "aud": world["dcs"][0]["dc_id"], "exp": now + 600,
        "iat": now, "auth_time": now - 100, "id_type": "nric", "hashed_id_number": hashed})
    update = json.dumps({"status": "authorized", "id_token": id_token,
                         "user_identity": {"id_type": "nric", "hashed_id_number": hashed},
                         "accounts": [{"account_id": "acc-550e8400-e29b-41d4-a716-446655440010",
                                       "account_number": "1234567890", "account_name": "My Savings Account"}]})
    headers = {"Content_Type": "application/json",
               "x_fapi_signature": jose.sign_detached(parties["dp_key"], update.encode())}
    without = curl("PATCH", f"{rs}/v1/consents/{consent}", dp, ca, body=update,
                   x_fapi_interaction_id=interaction(), **headers)
    assert without[0] == 401, "the portal's sample has no Authorization, its table asks for one (X-14)"
    status, _, body = curl("PATCH", f"{rs}/v1/consents/{consent}", dp, ca, body=update,
                           x_fapi_interaction_id=interaction(), Authorization=f"Bearer {token}", **headers)
    assert (status, json.loads(body)) == (200, {}), body
    assert control.get(f"/v1/consents/{consent}")["status"] == "authorized"
