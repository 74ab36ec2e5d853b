"""PayNet's end-to-end test journey, steps 1 to 11b, by PayNet's own numbers.

Each test is a step; those of a class follow from one another, as in PayNet's own suite.
"""

import pytest
from conftest import Browser, select_one_account


class Shared:
    """What one step leaves to the next."""


@pytest.fixture(scope="class")
def shared(world):
    shared = Shared()
    shared.browser = Browser(world["ca"])
    return shared


class TestApproved:
    """Steps 1 to 5, 6b, 6a, 7, 8, 9a, 10 and 11a."""

    def test_step_1_to_4_the_dc_asks_for_a_consent(self, control, shared):
        shared.asked = control.post("/v1/consents", purpose="pfm", valid_for_days=180)
        shared.consent = f"/v1/consents/{shared.asked['consent_id']}"
        assert control.get(shared.consent)["status"] == "awaiting_authorization"

    def test_step_5_the_customer_lands_on_the_banks_login(self, shared, world):
        shared.page = shared.browser.open(shared.asked["authorize_url"])
        assert shared.page.url.startswith(world["dp"]["issuer"])
        assert "password" in shared.page.elements

    def test_step_6b_a_wrong_password_is_refused(self, control, shared):
        shared.page = shared.browser.submit(shared.page.forms[0], username="paynet", password="wrong")
        assert "incorrect" in shared.page.elements["error"]["text"]
        assert control.get(shared.consent)["status"] == "awaiting_authorization"

    def test_step_6a_the_right_password_leads_on(self, shared):
        shared.page = shared.browser.submit(shared.page.forms[0], username="paynet", password="paynet")
        assert "account-1" in shared.page.elements

    def test_step_7_the_customer_selects_an_account(self, shared):
        shared.page = select_one_account(shared.browser, shared.page)
        assert "approve" in shared.page.elements and "reject" in shared.page.elements

    def test_step_8_the_bank_shows_the_consent(self, shared, world):
        text = shared.page.text
        assert world["dcs"][0]["dc_id"] in text
        assert "Personal finance management" in text and "Everyday Savings" in text

    def test_step_9a_the_customer_approves(self, control, shared):
        shared.page = shared.browser.submit(shared.page.forms[0], decision="approve")
        assert shared.page.elements["result"]["data-result"] == "success"
        control.post(f"{shared.consent}/settle")
        assert control.get(shared.consent)["status"] == "authorized"

    def test_step_10_back_to_the_dc(self, shared):
        shared.page = shared.browser.open(shared.page.elements["back"]["href"])
        assert "linked" in shared.page.text.lower()

    def test_step_11a_the_dc_reads_the_balance(self, control, shared):
        linked = control.post(f"{shared.consent}/code")
        assert len(linked["account_ids"]) == 1
        read = control.post(f"{shared.consent}/data", resource="balances")
        assert read["status"] == 200, read
        balance = read["body"]["data"]["current_balance"]["amount"]
        assert balance == {"amount": "25000.75", "currency": "MYR"}


class TestRejected:
    """Steps 1 to 8, 9b and 11b."""

    def test_step_9b_the_customer_rejects(self, control, shared):
        asked = control.post("/v1/consents")
        shared.consent = f"/v1/consents/{asked['consent_id']}"
        page = shared.browser.open(asked["authorize_url"])
        page = shared.browser.submit(page.forms[0], username="paynet", password="paynet")
        page = select_one_account(shared.browser, page)
        shared.page = shared.browser.submit(page.forms[0], decision="reject")
        assert shared.page.elements["result"]["data-result"] == "rejected"
        control.post(f"{shared.consent}/settle")
        consent = control.get(shared.consent)
        assert (consent["status"], consent["reason_code"]) == ("rejected", "not_allowed")

    def test_step_11b_the_dc_shows_that_no_account_is_linked(self, control, shared):
        page = shared.browser.open(shared.page.elements["back"]["href"])
        assert "Account not linked" in page.text
        refused = control.post(f"{shared.consent}/code", expect=(409,))
        assert "access_denied" in refused["error_description"]
