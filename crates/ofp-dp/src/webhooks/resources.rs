//! D5 to D7: account, balances, transactions. Encrypted to the DC, then signed.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{
    SignedDuration,
    civil::Date,
    tz::{Offset, TimeZone},
};
use ofp_jose::{KeyUse, corrupt};
use ofp_net::{Answer, Inbound, parse_form};
use ofp_types::{
    AccountId, ConsentId, ConsentStatus, DpFault, ErrorCode, PLATFORM_AUDIENCE, Permission, uuid_v4,
};
use serde_json::{Value, json};

use super::Resource;
use crate::{
    bank::{Account, AccountStatus, Books, Page, PageError},
    consents::DpConsent,
    core::Core,
    refusal::Refusal,
};

/// Life of an answer; at most an hour is usual.
const LIFE: SignedDuration = SignedDuration::from_secs(300);

/// Stands for a key that was not named.
const ANY_KEY: &str = "";

impl Resource {
    fn permission(self) -> Permission {
        match self {
            Self::Account => Permission::ReadAccounts,
            Self::Balances => Permission::ReadBalances,
            Self::Transactions => Permission::ReadTransactions,
        }
    }
}

impl Core {
    pub(super) async fn resource(
        &self,
        resource: Resource,
        inbound: &Inbound,
    ) -> Result<Answer, Refusal> {
        let query = parse_form(inbound.query.as_bytes())
            .map_err(|e| Refusal::bad_request(e.to_string()))?;
        let consent = self.dc_of_request(inbound, self.consent_of(&query, inbound)?);
        self.check_resource_signatures(inbound, &consent).await?;
        self.may_read(resource, &consent)?;
        if self.bank.is_down() {
            let reason = "the core system cannot be reached";
            let status = if self.faulty(DpFault::CoreDownAsServerError) { 500 } else { 503 };
            return Err(Refusal::new(status, ErrorCode::TransientAccountAccessFailure, reason));
        }
        let books = self.bank.books();
        let account = self.shared_account(&books, &consent, &inbound.parameter)?;
        let enc_kid = match inbound.header("x-enc-kid") {
            Some(kid) => kid,
            None if self.faulty(DpFault::EncKidOptional) => ANY_KEY,
            None => {
                let reason = "x-enc-kid is missing: the answer cannot be encrypted";
                return Err(Refusal::bad_request(reason));
            }
        };
        let data =
            self.with_extra(self.data(resource, &books, &consent, account, &query)?).to_string();
        self.dawdle(resource, &consent).await;
        let protected = self.encrypt(&consent, enc_kid, &data).await?;
        let protected = self.same_again(inbound, protected);
        let jws = self.sign_answer(&consent, protected);
        let answer = if self.faulty(DpFault::BalanceInJson) {
            Answer::json(200, &json!({ "status": "success", "error_message": "", "data": jws }))
        } else {
            Answer::new(200, self.response_type(), jws)
        };
        Ok(self.word_sent(answer.header("cache-control", "no-store")))
    }

    /// The consent that the query names.
    pub(super) fn consent_of(
        &self,
        query: &BTreeMap<String, String>,
        inbound: &Inbound,
    ) -> Result<DpConsent, Refusal> {
        let id = query.get("consent_id");
        if let (None, Some(consent)) = (id, self.overlooked_consent(None, inbound)) {
            return Ok(consent);
        }
        let missing = || match self.faulty(DpFault::MissingParameterAsServerError) {
            true => Refusal::new(500, ErrorCode::ServerError, "NullPointerException"),
            false => Refusal::bad_request("the query has no consent_id"),
        };
        let id = id.ok_or_else(missing)?;
        let id = ConsentId::parse(id.as_str()).map_err(|e| Refusal::bad_request(e.to_string()))?;
        let unknown = || Refusal::new(404, ErrorCode::ConsentInvalid, "the consent is unknown");
        let known = self.consents().get(&id).cloned();
        known.or_else(|| self.overlooked_consent(Some(&id), inbound)).ok_or_else(unknown)
    }

    fn may_read(&self, resource: Resource, consent: &DpConsent) -> Result<(), Refusal> {
        let unchecked =
            consent.status == ConsentStatus::Authorized && self.faulty(DpFault::ExpiryUnchecked);
        if !consent.is_live(self.now()) && !unchecked && !self.overlooks_status(consent.status) {
            let reason = format!("the consent is {} or has ended", consent.status);
            return Err(Refusal::new(403, ErrorCode::ConsentInvalid, reason));
        }
        let permission = resource.permission().as_str();
        if consent.permissions.iter().any(|granted| granted == permission)
            || self.faulty(DpFault::PermissionsUnchecked)
        {
            return Ok(());
        }
        let reason = format!("the consent does not grant {permission}");
        Err(Refusal::new(403, ErrorCode::AccessTokenInvalidScope, reason))
    }

    fn data(
        &self,
        resource: Resource,
        books: &Books,
        consent: &DpConsent,
        account: &Account,
        query: &BTreeMap<String, String>,
    ) -> Result<Value, Refusal> {
        let customer = consent.username.as_deref().and_then(|name| books.customer(name));
        match resource {
            Resource::Account => {
                Ok(account.account_object(customer.map_or("", |customer| customer.name.as_str())))
            }
            Resource::Transactions => {
                let today = self.now().to_zoned(TimeZone::fixed(Offset::constant(8))).date();
                let page = page(query)?;
                account
                    .transactions_object(books.seed, today, &page)
                    .map_err(|e| Refusal::bad_request(e.to_string()))
            }
            Resource::Balances if self.faulty(DpFault::BalanceOfOtherAccount) => {
                let others = customer.into_iter().flat_map(|customer| &customer.accounts);
                let mut others =
                    others.into_iter().filter(|other| other.balance_object().is_some());
                let other = others.find(|other| other.id != account.id);
                balance(other.unwrap_or(account))
            }
            Resource::Balances => balance(account).map(|object| self.word_balance(object)),
        }
    }

    async fn encrypt(
        &self,
        consent: &DpConsent,
        enc_kid: &str,
        plaintext: &str,
    ) -> Result<Value, Refusal> {
        if self.faulty(DpFault::BalanceNotEncrypted) {
            return Ok(serde_json::from_str(plaintext).unwrap_or_default());
        }
        let undecryptable = |e: ofp_jose::JoseError| {
            let reason = format!("x-enc-kid: {e}");
            Refusal::new(400, ErrorCode::JweDecryptionError, reason)
        };
        let cache = self.keys_of(&consent.dc_id);
        let keys = match self.dc_keys_for(&consent.dc_id, enc_kid, KeyUse::Enc).await {
            Err(_) if self.knows_elsewhere(enc_kid) => Ok(Arc::clone(&self.config.other_keys)),
            Err(error) if self.any_key_will_do(enc_kid, &error) => cache.kept().await.ok_or(error),
            other => other,
        };
        let keys = keys.map_err(undecryptable)?;
        let named = keys.find(enc_kid, KeyUse::Enc);
        let key = match named {
            Err(error) if self.any_key_will_do(enc_kid, &error) => {
                keys.first(KeyUse::Enc).ok_or(error)
            }
            other => other,
        };
        let key = key.map_err(undecryptable)?;
        if let Some(weak) = self.weak_jwe(key, plaintext) {
            return Ok(json!(weak));
        }
        let own;
        let key = match self.faulty(DpFault::BalanceForOwnKey) {
            true => {
                let certificate = &self.config.kit.signing.certificate;
                own = ofp_jose::PublicKey::of_certificate(certificate, KeyUse::Enc)
                    .map_err(|e| Refusal::bad_request(e.to_string()))?;
                &own
            }
            false => key,
        };
        let other = self.config.other_keys.first(KeyUse::Enc);
        let key = match other.filter(|_| self.faulty(DpFault::BalanceForOtherDc)) {
            Some(other) => other,
            None => key,
        };
        let jwe =
            key.encrypt(self.within(plaintext).as_bytes(), Some("JWT")).map_err(undecryptable)?;
        Ok(json!(jwe))
    }

    /// Where a careless DP encrypts with whatever key it finds.
    fn any_key_will_do(&self, enc_kid: &str, error: &ofp_jose::JoseError) -> bool {
        let wrong_use = matches!(error, ofp_jose::JoseError::WrongUse { .. });
        (enc_kid == ANY_KEY && self.faulty(DpFault::EncKidOptional))
            || self.faulty(DpFault::EncKidUnknownFirst)
            || (wrong_use && self.faulty(DpFault::EncWithSigningKey))
    }

    fn sign_answer(&self, consent: &DpConsent, data: Value) -> String {
        let now = if self.faulty(DpFault::BalanceExpired) {
            self.now() - LIFE - SignedDuration::from_mins(1)
        } else {
            self.now()
        };
        let jws = self.signing.sign_claims(&self.with_extra(self.word_answer(json!({
            "iss": self.config.dp_id,
            "aud": [consent.dc_id.as_str(), PLATFORM_AUDIENCE],
            "iat": self.numeric_date(now),
            "nbf": self.numeric_date(now),
            "exp": self.numeric_date(now + LIFE),
            "jti": uuid_v4(&*self.entropy),
            "data": data,
        }))));
        if self.faulty(DpFault::BalanceSignatureFlipped) {
            corrupt::flip_signature_bit(&jws)
        } else {
            jws
        }
    }
}

impl Core {
    /// The account that a path names, if the customer chose it and it can be used now.
    fn shared_account<'b>(
        &self,
        books: &'b Books,
        consent: &DpConsent,
        asked: &str,
    ) -> Result<&'b Account, Refusal> {
        let id = AccountId::parse(asked).ok().filter(|id| {
            consent.accounts.contains(id) || self.overlooks_account(books, consent, id)
        });
        let first = consent.accounts.first().filter(|_| self.faulty(DpFault::UnknownAccountServed));
        let exists = AccountId::parse(asked).is_ok_and(|id| books.account(&id).is_some());
        let id = if exists { id } else { id.or(first.cloned()) };
        let account = usable(books, id);
        match account.as_ref().map_err(Refusal::code) {
            Err(code)
                if code == ErrorCode::AccountTemporarilyBlocked
                    && self.faulty(DpFault::BlockedSaidClosed) =>
            {
                Err(Refusal::new(403, ErrorCode::PermanentAccountAccessFailure, "closed"))
            }
            Err(code)
                if code == ErrorCode::PermanentAccountAccessFailure
                    && exists
                    && self.faulty(DpFault::ClosedSaidBlocked) =>
            {
                Err(Refusal::new(403, ErrorCode::AccountTemporarilyBlocked, "blocked"))
            }
            _ => account,
        }
    }
}

fn usable(books: &Books, id: Option<AccountId>) -> Result<&Account, Refusal> {
    let gone = |reason| Refusal::new(403, ErrorCode::PermanentAccountAccessFailure, reason);
    let account = id.and_then(|id| books.account(&id));
    let account = account.ok_or_else(|| gone("the account is not part of the consent"))?;
    match account.status {
        AccountStatus::Active => Ok(account),
        AccountStatus::Closed => Err(gone("the account is closed")),
        AccountStatus::Blocked => {
            let reason = "the account is blocked";
            Err(Refusal::new(403, ErrorCode::AccountTemporarilyBlocked, reason))
        }
    }
}

/// A pension has none (P-wiki/Balance).
fn balance(account: &Account) -> Result<Value, Refusal> {
    account.balance_object().ok_or_else(|| {
        let reason = "accounts of this kind have no balance";
        Refusal::new(400, ErrorCode::BusinessRuleViolation, reason)
    })
}

fn page(query: &BTreeMap<String, String>) -> Result<Page, Refusal> {
    let date = |name: &str| -> Result<Option<Date>, Refusal> {
        let Some(text) = query.get(name) else { return Ok(None) };
        let wrong = |_| Refusal::bad_request(format!("{name} must be a date such as 2026-01-31"));
        text.parse().map(Some).map_err(wrong)
    };
    let size = match query.get("page_size") {
        None => None,
        Some(text) => {
            let wrong = |_| Refusal::bad_request(PageError::Size.to_string());
            Some(text.parse().map_err(wrong)?)
        }
    };
    let cursor = query.get("next_page_params").cloned();
    Ok(Page { size, from: date("from_date")?, to: date("to_date")?, cursor })
}
