//! J: the balance request, D6.

use ofp_evidence::{Endpoint, Outcome};
use ofp_types::{ConsentStatus, Mutation};

use super::{came, refusal, row, service};
use crate::{
    Facts, Requirement,
    refusal::refused,
    requirement::Unserved::{NotGranted, Spoilt, While},
    ruling::Ruling,
};

const NO_REQUEST: &str = "no balance was asked for";

const VERIFY_ALL: &str =
    "Verify every signature header against the signer registered for it, before anything else";
const LAST_STATUS: &str =
    "Keep the status that the last event told, and serve data for authorized consents alone";
const CHOSEN_ALONE: &str =
    "Serve the accounts that the customer chose for this consent, and no others";
const LOOK_UP_ENC_KID: &str = "Look x-enc-kid up in the key set of the DC of the consent, with use=enc, and answer 400 where it is not there";
const VERIFY_EACH: &str = "Verify every signature header that comes";

pub(super) const ROWS: &[Requirement] = &[
    row!("J-01" Must, "A valid balance request for a consented account is answered with 200", "S1:L183-209; S1:L314", "Check the signatures and the consent, then answer with the balance; for an account that can have none, the scenario says which refusal is right (`expect: { status: 400 }`)", NO_REQUEST, answered),
    refusal!("J-02" Must, "A balance request without a signature is refused",
        "S1:L199-209", VERIFY_ALL,
        &[Spoilt(Endpoint::Balances, Mutation::SignatureMissing)]),
    refusal!("J-03" Must, "A balance request whose signature does not hold is refused",
        "S1:L199-209; RFC 7515 §5.2", VERIFY_ALL,
        &[Spoilt(Endpoint::Balances, Mutation::SignatureByteFlipped)]),
    refusal!("J-04" Must, "A balance request signed by somebody else is refused",
        "S1:L199-209; X-04", "Take the key from the key set of the party that must sign, never from another",
        &[Spoilt(Endpoint::Balances, Mutation::SignedByOtherDc), Spoilt(Endpoint::Balances, Mutation::SignedByDp), Spoilt(Endpoint::Balances, Mutation::ForeignKeyKnownKid)]),
    refusal!("J-05" Must, "A balance request under an unknown kid is refused",
        "S1:L199-209; RFC 7515 §4.1.4", "Answer 400 JWS.InvalidSignature when the kid is not in the key set after one refresh",
        &[Spoilt(Endpoint::Balances, Mutation::UnknownKid)]),
    refusal!("J-06" Must, "A balance request signed with none, HS256 or RS256 is refused",
        "FAPI 2.0 SP §5.4.1; RFC 8725 §3.1", "Allow PS256 alone; never take the algorithm from the message",
        &[Spoilt(Endpoint::Balances, Mutation::AlgNone), Spoilt(Endpoint::Balances, Mutation::AlgHs256), Spoilt(Endpoint::Balances, Mutation::AlgRs256)]),
    refusal!("J-07" Must, "A balance request whose exp is past is refused",
        "S1:L199-209; RFC 7519 §4.1.4", "Check exp against the clock",
        &[Spoilt(Endpoint::Balances, Mutation::ExpPast)]),
    refusal!("J-08" Must, "A balance request whose nbf is two minutes ahead is refused",
        "S1:L199-209; RFC 7519 §4.1.5", "Check nbf against the clock, with at most a minute of leeway",
        &[Spoilt(Endpoint::Balances, Mutation::NbfAhead)]),
    refusal!("J-09" Should, "A balance request that is ten minutes old is refused whatever its exp",
        "X-23", "Refuse an iat more than five minutes old",
        &[Spoilt(Endpoint::Balances, Mutation::IatOld)]),
    refusal!("J-10" Should, "A balance request without exp is refused",
        "X-23", "Require exp",
        &[Spoilt(Endpoint::Balances, Mutation::ExpMissing)]),
    refusal!("J-11" Should, "A balance request addressed to another DP is refused",
        "X-21; RFC 7519 §4.1.3", "Require your dp_id in aud",
        &[Spoilt(Endpoint::Balances, Mutation::AudWithoutDp)]),
    refusal!("J-12" Should, "A balance request whose iss is not the consent's DC is refused",
        "X-21", "Compare iss with the dc_id that the consent was created for",
        &[Spoilt(Endpoint::Balances, Mutation::IssOfOtherDc)]),
    refusal!("J-13" Should, "The very same balance request again is refused", "X-23; RFC 7519 §4.1.7",
        "Remember each jti for as long as its message could be accepted", &[Spoilt(Endpoint::Balances, Mutation::SentAgain)]),
    refusal!("J-14" Should, "A balance request signed for another account is refused",
        "X-24", "Compare the path of claim url with the path of the request",
        &[Spoilt(Endpoint::Balances, Mutation::UrlOfOtherAccount)]),
    refusal!("J-15" Should, "A balance request signed for another endpoint is refused",
        "X-24", "Compare the whole path of claim url with the path of the request",
        &[Spoilt(Endpoint::Balances, Mutation::UrlOfOtherEndpoint)]),
    refusal!("J-16" Should, "A balance request signed for another query is refused",
        "X-25", "Compare claim qpm with the query",
        &[Spoilt(Endpoint::Balances, Mutation::QpmDiffers)]),
    service!("J-17" Should, "A balance request with fractional NumericDates is served", "RFC 7519 §2; X-22",
        "Parse NumericDates as numbers that may have a fraction", &[(Endpoint::Balances, Mutation::FractionalDates)]),
    refusal!("J-18" Info, "A balance request whose url has the sandbox's doubled scheme is no server error", "X-24",
        "Compare the path of url, or answer 400", &[Spoilt(Endpoint::Balances, Mutation::UrlDoubledScheme)], quirk),
    refusal!("J-19" Should, "A balance request whose exp is text is refused",
        "RFC 7519 §2", "Require NumericDates to be numbers",
        &[Spoilt(Endpoint::Balances, Mutation::ExpAsText)]),
    refusal!("J-20" Must, "A balance request without consent_id is refused",
        "S1:L183-198", "Require consent_id",
        &[Spoilt(Endpoint::Balances, Mutation::QueryConsentIdMissing)]),
    refusal!("J-21" Must, "A balance request under an unknown consent is refused",
        "S1:L183-198", "Answer 403 or 404 Consent.Invalid for a consent that no event told you of",
        &[Spoilt(Endpoint::Balances, Mutation::ConsentUnknown)]),
    refusal!("J-22" Must, "A balance under a consent that nobody approved yet is refused",
        "S1:L183-209", LAST_STATUS,
        &[While(Endpoint::Balances, ConsentStatus::AwaitingAuthorization)]),
    refusal!("J-23" Must, "A balance under a consent that was rejected or failed is refused",
        "S1:L183-209", LAST_STATUS,
        &[While(Endpoint::Balances, ConsentStatus::Rejected), While(Endpoint::Balances, ConsentStatus::Failed)]),
    refusal!("J-24" Must, "A balance under a revoked consent is refused",
        "S1:L183-209", LAST_STATUS,
        &[While(Endpoint::Balances, ConsentStatus::Revoked)]),
    refusal!("J-25" Must, "A balance under a suspended consent is refused",
        "S1:L183-209", LAST_STATUS,
        &[While(Endpoint::Balances, ConsentStatus::Suspended)]),
    refusal!("J-26" Must, "A balance under a consent that has expired is refused, though no event said so",
        "S1:L183-209", "Compare expiration_datetime with the clock at every request",
        &[While(Endpoint::Balances, ConsentStatus::Expired)]),
    refusal!("J-27" Must, "A balance under a consent without read_balances is refused",
        "S1:L183-209", "Check the permission of the consent for each endpoint",
        &[NotGranted(Endpoint::Balances)]),
    refusal!("J-28" Must, "A balance of an account that the customer did not choose is refused",
        "S1:L183-209", CHOSEN_ALONE,
        &[Spoilt(Endpoint::Balances, Mutation::AccountNotSelected)]),
    refusal!("J-29" Must, "A balance of another customer's account is refused",
        "S1:L183-209", CHOSEN_ALONE,
        &[Spoilt(Endpoint::Balances, Mutation::AccountOfOtherCustomer)]),
    refusal!("J-30" Must, "A balance that another DC asks for under this DC's consent is refused",
        "S1:L183-209; X-04", "Take the DC from the consent, and its key set alone for x-signature and x-enc-kid",
        &[Spoilt(Endpoint::Balances, Mutation::DcOfAnotherConsent)]),
    refusal!("J-31" Must, "A balance of an account that does not exist is refused",
        "S1:L376-379", "Answer 404 or 403",
        &[Spoilt(Endpoint::Balances, Mutation::AccountUnknown)]),
    refusal!("J-32" Must, "A balance request without x-enc-kid is refused",
        "S1:L221; X-43", LOOK_UP_ENC_KID,
        &[Spoilt(Endpoint::Balances, Mutation::EncKidMissing)]),
    refusal!("J-33" Must, "A balance request with an unknown x-enc-kid is refused",
        "S1:L221; X-43", LOOK_UP_ENC_KID,
        &[Spoilt(Endpoint::Balances, Mutation::EncKidUnknown)]),
    refusal!("J-34" Should, "A balance request whose x-enc-kid is a signing key is refused",
        "S1:L221; RFC 7517 §4.2", LOOK_UP_ENC_KID,
        &[Spoilt(Endpoint::Balances, Mutation::EncKidOfSigningKey)]),
    refusal!("J-35" Must, "A balance request whose x-enc-kid is another DC's is refused",
        "S1:L221; X-43", LOOK_UP_ENC_KID,
        &[Spoilt(Endpoint::Balances, Mutation::EncKidOfOtherDc)]),
    refusal!("J-36" Should, "HEAD and OPTIONS on balances carry no data", "RFC 9110 §9.3.2, §9.3.7",
        "Route GET alone", &[Spoilt(Endpoint::Balances, Mutation::MethodHead), Spoilt(Endpoint::Balances, Mutation::MethodOptions)], no_data),
    refusal!("J-37" Should, "A balance request whose x-signature alone is broken is refused",
        "X-04", VERIFY_EACH,
        &[Spoilt(Endpoint::Balances, Mutation::XSignatureFlipped)]),
    refusal!("J-38" Should, "A balance request whose x-fapi-signature alone is broken is refused",
        "X-04", VERIFY_EACH,
        &[Spoilt(Endpoint::Balances, Mutation::FapiSignatureFlipped)]),
    row!("J-39" Should, "A balance is refused within a second of the event that tells of the revocation", "S1:L183-209; X-52",
        "Take the event before you answer it, not in a queue behind", "no balance was asked for within a second of a revocation", at_once),
];

fn answered(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for exchange in facts.at(Endpoint::Balances) {
        match &exchange.outcome {
            Outcome::Failed(failure) => ruling.unanswered(exchange.id, "200", failure),
            Outcome::Answered { status, message } => {
                let body: String = message.text().chars().take(120).collect();
                ruling.judge(exchange.id, *status == 200, "200", format!("{status} {body}"));
            }
        }
    }
}

fn quirk(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let usual = facts.settings.profile.quirk_url;
    let spoilt = facts.sent_with(Endpoint::Balances, Mutation::UrlDoubledScheme);
    for exchange in spoilt.chain(facts.at(Endpoint::Balances).filter(|_| usual)) {
        let ok = exchange.status().is_some_and(|status| status < 500);
        ruling.judge(exchange.id, ok, "200 or a 4xx", came(exchange));
    }
}

/// By signature and encryption there is data in nothing but a JWS.
fn no_data(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for mutation in [Mutation::MethodHead, Mutation::MethodOptions] {
        for exchange in facts.sent_with(Endpoint::Balances, mutation) {
            let Some(response) = exchange.response() else { continue };
            let text = response.text();
            let data = ofp_jose::CompactJws::parse(text.trim()).is_ok() || text.contains("balance");
            ruling.judge(exchange.id, !data, "no data", came(exchange));
        }
    }
}

/// From the DP's answer to the event on.
fn at_once(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for event in facts.events("consent_status_updated", "revoked") {
        let Ok(took) = jiff::SignedDuration::try_from(event.took) else { continue };
        let told = event.at + took;
        for exchange in facts.all_at(Endpoint::Balances) {
            let since = exchange.at.duration_since(told);
            let soon = exchange.consent == event.consent
                && !since.is_negative()
                && since <= jiff::SignedDuration::from_secs(1);
            if soon && event.succeeded() {
                let refusal = refused(exchange, None, &facts.settings.paynet_callback);
                let actual = refusal.as_ref().err().cloned().unwrap_or_default();
                ruling.judge(exchange.id, refusal.is_ok(), "a refusal", actual);
            }
        }
    }
}
