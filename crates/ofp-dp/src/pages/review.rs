//! Screen 3: consent review, and the decision.

use askama::Template;
use jiff::{
    SignedDuration, Timestamp,
    tz::{Offset, TimeZone},
};
use ofp_jose::corrupt;
use ofp_net::{Answer, Inbound};
use ofp_types::{
    AccountId, ConsentAccount, ConsentId, ConsentStatus, DpFault, DpVariant, PAYNET_CLIENT_ID,
    ReasonCode, StatusReason, uuid_v4,
    wire::{UpdateConsent, UserIdentity},
};
use serde_json::json;

use super::{
    Trouble,
    accounts::AccountRow,
    page::{html, see},
    result::way_back,
};
use crate::{
    bank::Customer,
    consents::DpConsent,
    core::Core,
    sessions::{Code, Ending, Session, Stage},
};

/// Life of an id_token, as in PayNet's sample (`spec/ofp.md` 5.8).
const ID_TOKEN_LIFE: i64 = 600;

#[derive(Template)]
#[template(path = "review.html")]
struct ReviewPage<'a> {
    dc: &'a str,
    csrf: &'a str,
    purpose: &'a str,
    purpose_code: &'a str,
    permissions: Vec<(&'a str, &'a str)>,
    until: String,
    accounts: Vec<AccountRow<'a>>,
}

/// A decision, and what goes with it.
pub(super) struct Decided<'a> {
    update: UpdateConsent,
    status: ConsentStatus,
    ending: Ending,
    username: Option<&'a str>,
    accounts: &'a [AccountId],
}

impl Core {
    pub(super) fn show_review(&self, inbound: &Inbound) -> Result<Answer, Trouble> {
        let (_, session) = self.session(inbound)?;
        let anybody = self.review_for_anybody(&session);
        let accounts = match (&session.stage, &anybody) {
            (Stage::Reviewing { accounts, .. }, _) | (_, Some(accounts)) => accounts,
            (stage, None) => return Ok(Self::elsewhere(stage)),
        };
        let consent = self.consents().get(&session.consent).cloned().ok_or(Trouble::TooLate)?;
        let books = self.bank.books();
        let chosen = accounts.iter().filter_map(|id| books.account(id));
        Ok(html(
            200,
            &ReviewPage {
                dc: consent.dc_id.as_str(),
                csrf: &session.csrf,
                purpose: purpose_words(&consent.purpose),
                purpose_code: &consent.purpose,
                permissions: consent
                    .permissions
                    .iter()
                    .map(|p| (permission_words(p), p.as_str()))
                    .collect(),
                until: long_date(&consent),
                accounts: chosen.map(AccountRow::from).collect(),
            },
        ))
    }

    pub(super) async fn decide(&self, inbound: &Inbound) -> Result<Answer, Trouble> {
        let (cookie, session) = self.session(inbound)?;
        let form = self.form(inbound, &session)?;
        let Stage::Reviewing { username, accounts } = &session.stage else {
            if matches!(session.stage, Stage::Done(_)) {
                self.reject_once_more(&session.consent).await;
            }
            return Ok(Self::elsewhere(&session.stage));
        };
        let approved = match form.get("decision") {
            "approve" => true,
            "reject" => false,
            _ => return Err(Trouble::Malformed),
        };
        let consent = self.consents().get(&session.consent).cloned().ok_or(Trouble::TooLate)?;
        let books = self.bank.books();
        let customer = books.customer(username).ok_or(Trouble::NoSession)?;
        let hashed = customer.hashed_id_number(self.config.profile.id_hash);
        let named = consent.hashed_id_number.as_ref().is_none_or(|named| *named == hashed);
        let accounts = &self.recall(accounts);
        let decided = if approved && !named && !self.faulty(DpFault::IdentityUnchecked) {
            // somebody else than the event names must not share their accounts under it
            Decided { ending: Ending::Failed, ..self.rejected() }
        } else if approved {
            Decided {
                update: self.approval(&consent, customer, accounts, &session),
                status: ConsentStatus::Authorized,
                ending: Ending::Approved,
                username: Some(username),
                accounts,
            }
        } else {
            self.rejected()
        };
        self.conclude(&cookie, &session, &consent, &decided).await
    }

    /// The customer leaves before logging in: nothing is shared.
    pub(super) async fn cancel(&self, inbound: &Inbound) -> Result<Answer, Trouble> {
        let (cookie, session) = self.session(inbound)?;
        self.form(inbound, &session)?;
        if session.stage != Stage::Login {
            return Ok(Self::elsewhere(&session.stage));
        }
        let consent = self.consents().get(&session.consent).cloned().ok_or(Trouble::TooLate)?;
        self.conclude(&cookie, &session, &consent, &self.rejected()).await
    }

    pub(super) fn rejected(&self) -> Decided<'_> {
        Decided {
            update: self.rejection(),
            status: ConsentStatus::Rejected,
            ending: Ending::Rejected,
            username: None,
            accounts: &[],
        }
    }

    /// Only the first of several browsers decides.
    async fn conclude(
        &self,
        cookie: &str,
        session: &Session,
        consent: &DpConsent,
        decided: &Decided<'_>,
    ) -> Result<Answer, Trouble> {
        let first = self.consents().begin_decision(&consent.id);
        if !first {
            self.reject_once_more(&consent.id).await;
        }
        if !first && !self.faulty(DpFault::LoginIsApproval) {
            return Err(Trouble::TooLate);
        }
        let ending = self.tell(consent, decided).await;
        if let (Ending::Approved, Some(username)) = (ending, decided.username) {
            self.promise_code(session, username);
        }
        let stage = self.after_decision(session, ending);
        let next = if matches!(stage, Stage::Done(_)) { "/result" } else { "/review" };
        let at_once = match ending {
            Ending::Approved => self.varies(DpVariant::ApprovalRedirects),
            Ending::Rejected => self.varies(DpVariant::RejectionRedirects),
            Ending::Failed => false,
        };
        self.sessions().advance(cookie, stage, self.now());
        match way_back(session, ending).filter(|_| at_once) {
            Some(back) => Ok(see(&back)),
            None => Ok(see(next)),
        }
    }

    /// The fault of a DP that takes a second press for another decision, whether it comes beside the first or after it.
    async fn reject_once_more(&self, id: &ConsentId) {
        if !self.faulty(DpFault::SecondPressRejects) {
            return;
        }
        let consent = self.consents().get(id).cloned();
        if let Some(consent) = consent {
            let _ = self.tell(&consent, &self.rejected()).await;
        }
    }

    /// Tells PayNet of an approval that nobody gave.
    pub(super) async fn approve_everything(&self, session: &Session, customer: &Customer) {
        let Some(consent) = self.consents().get(&session.consent).cloned() else { return };
        let accounts: Vec<AccountId> = customer.eligible().map(|a| a.id.clone()).collect();
        let update = self.approval(&consent, customer, &accounts, session);
        self.consents().deciding(&consent.id, Some(&customer.username), &accounts);
        let _ = self.update_consent(consent.id.as_str(), &update).await;
    }

    /// PayNet is told before the customer is: success is never shown for what PayNet lacks.
    pub(super) async fn tell(&self, consent: &DpConsent, decided: &Decided<'_>) -> Ending {
        let approved = decided.ending == Ending::Approved;
        if self.faulty(DpFault::UpdateConsentSkipped)
            || (approved && self.faulty(DpFault::LoginIsApproval))
        {
            return decided.ending;
        }
        self.consents().deciding(&consent.id, decided.username, decided.accounts);
        if let Some(this) =
            self.careless.this().filter(|_| self.faulty(DpFault::ReturnBeforeUpdate))
        {
            let (id, update) = (consent.id.clone(), decided.update.clone());
            tokio::spawn(async move {
                tokio::time::sleep(std::time::Duration::from_millis(30)).await;
                let _ = this.update_consent(id.as_str(), &update).await;
            });
            return decided.ending;
        }
        match self.update_consent(consent.id.as_str(), &decided.update).await {
            Ok(()) => {
                self.consents().decided(&consent.id, decided.status);
                decided.ending
            }
            Err(_) => {
                self.consents().abandoned(&consent.id);
                if self.faulty(DpFault::SuccessAlwaysShown) {
                    return decided.ending;
                }
                Ending::Failed
            }
        }
    }

    fn approval(
        &self,
        consent: &DpConsent,
        customer: &Customer,
        accounts: &[AccountId],
        session: &Session,
    ) -> UpdateConsent {
        let all = self.faulty(DpFault::UpdateConsentAllAccounts);
        let books = self.bank.books();
        let foreign = accounts.iter().filter(|_| self.faulty(DpFault::ChoiceShared));
        let own = customer.eligible().filter(|account| all || accounts.contains(&account.id));
        let shared = own.chain(foreign.filter_map(|id| {
            books
                .account(id)
                .filter(|account| customer.accounts.iter().all(|own| own.id != account.id))
        }));
        let british = self.faulty(DpFault::UpdateConsentBritishSpelling);
        let hashed = customer.hashed_id_number(self.config.profile.id_hash);
        let update = UpdateConsent {
            consent_id: Some(consent.id.to_string()),
            status: if british { "Authorised" } else { "authorized" }.into(),
            id_token: (session.oidc.is_none() || self.faulty(DpFault::UpdateWithIdToken))
                .then(|| self.id_token(consent, customer, session.authenticated_at, None)),
            user_identity: Some(UserIdentity { id_type: "nric".into(), hashed_id_number: hashed }),
            accounts: Some(
                shared
                    .map(|account| ConsentAccount {
                        account_id: account.id.clone(),
                        account_number: account.shown_number(),
                        account_name: account.name.clone(),
                    })
                    .collect(),
            ),
            status_reason: None,
        };
        self.word_approval(update, customer.nric())
    }

    fn rejection(&self) -> UpdateConsent {
        let reason = StatusReason::new(ReasonCode::NotAllowed, "The customer declined the consent");
        UpdateConsent {
            consent_id: None,
            status: "rejected".into(),
            id_token: None,
            user_identity: None,
            accounts: None,
            status_reason: (!self.faulty(DpFault::RejectionWithoutReason)).then_some(reason),
        }
    }

    /// From now on PayNet may redeem the code that the browser brings it.
    fn promise_code(&self, session: &Session, username: &str) {
        let Some(oidc) = &session.oidc else { return };
        let code = Code {
            consent: session.consent.clone(),
            redirect_uri: session.redirect_uri.clone(),
            nonce: oidc.nonce.clone(),
            username: username.to_owned(),
            authenticated_at: session.authenticated_at,
        };
        self.sessions().add_code(oidc.code.clone(), code, self.now());
    }

    /// For Update Consent; with a nonce for PayNet as a client of this DP.
    pub(crate) fn id_token(
        &self,
        consent: &DpConsent,
        customer: &Customer,
        authenticated_at: Option<Timestamp>,
        nonce: Option<&str>,
    ) -> String {
        let now = self.now();
        let hashed_id_number = customer.hashed_id_number(self.config.profile.id_hash);
        let mut claims = json!({
            "iss": self.config.issuer,
            "sub": customer.subject(),
            "aud": consent.dc_id,
            "exp": self.numeric_date(now + SignedDuration::from_secs(ID_TOKEN_LIFE)),
            "iat": self.numeric_date(now),
            "auth_time": self.numeric_date(authenticated_at.unwrap_or(now)),
            "id_type": "nric",
            "hashed_id_number": hashed_id_number,
            "jti": uuid_v4(&*self.entropy),
        });
        if let Some(nonce) = nonce {
            claims["aud"] = json!(PAYNET_CLIENT_ID);
            claims["nonce"] = json!(nonce);
        }
        if self.faulty(DpFault::IdTokenClearNric) {
            claims["id_number"] = json!(customer.nric());
        }
        let token = self.signing.sign_claims(&self.with_extra(self.word_id_token(claims)));
        if self.faulty(DpFault::IdTokenUnsigned) { corrupt::with_alg_none(&token) } else { token }
    }
}

pub(super) fn purpose_words(code: &str) -> &str {
    match code {
        "pfm" => "Personal finance management",
        "credit_underwriting" => "Credit underwriting",
        other => other,
    }
}

fn permission_words(code: &str) -> &str {
    match code {
        "read_accounts" => "Your account details",
        "read_balances" => "Your account balances",
        "read_transactions" => "Your transactions of the last 12 months",
        other => other,
    }
}

/// The end of the consent as Malaysians write it, in their time: 31 December 2026.
pub(super) fn long_date(consent: &DpConsent) -> String {
    let local = consent.expiration.to_zoned(TimeZone::fixed(Offset::constant(8)));
    local.strftime("%-d %B %Y").to_string()
}
