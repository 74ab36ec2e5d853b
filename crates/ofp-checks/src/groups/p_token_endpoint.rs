//! P: the DP as an OpenID provider of its own, an experimental reading (profile `oidc-dp`).

use super::row;
use crate::{Facts, Requirement, ruling::Ruling};

const NOT_PLAYED: &str = "this version does not play profile oidc-dp";

pub(super) const ROWS: &[Requirement] = &[
    row!("P-01" Must, "After an approval the redirect carries code and the given state", "P-dpC; RFC 6749 §4.1.2",
        "Append code and state to redirect_uri", NOT_PLAYED, only_in_oidc_dp),
    row!("P-02" Must, "The code is redeemed with private_key_jwt for an id_token and an access token", "P-dpC; OpenID Connect Core §3.1.3.3",
        "Answer 200 with id_token and access_token", NOT_PLAYED, only_in_oidc_dp),
    row!("P-03" Must, "The id_token carries the given nonce", "P-dpC; OpenID Connect Core §3.1.3.7",
        "Copy nonce from the authorization request", NOT_PLAYED, only_in_oidc_dp),
    row!("P-04" Must, "A code that is redeemed twice is refused with invalid_grant", "RFC 6749 §4.1.2",
        "Take a code once", NOT_PLAYED, only_in_oidc_dp),
    row!("P-05" Must, "A token request without a good client assertion is refused with invalid_client", "RFC 6749 §5.2",
        "Answer 401 invalid_client", NOT_PLAYED, only_in_oidc_dp),
    row!("P-06" Should, "Update Consent has no id_token", "P-dpC",
        "Send the id_token from the token endpoint alone", NOT_PLAYED, only_in_oidc_dp),
];

fn only_in_oidc_dp(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    if !facts.settings.profile.oidc_at_dp {
        ruling
            .not_applicable("it belongs to profile oidc-dp, in which the DP runs a token endpoint");
    }
}
