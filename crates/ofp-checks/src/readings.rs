//! The readings taken where PayNet's own pages disagree or say nothing, a sentence each, by the numbers
//! that the sources of requirements name (`spec/ofp.md` section 2 and 10).

const READINGS: &[(&str, &str)] = &[
    (
        "X-02",
        "Update Consent is a PATCH, as both tables and the sample say; POST, as one page says, is taken with a warning",
    ),
    (
        "X-04",
        "PayNet and the DC may both sign account calls, and a DP may verify either; what is spoilt is spoilt in both",
    ),
    (
        "X-05",
        "application/jwt and application/jose both pass; JSON around the JWS is taken with a warning",
    ),
    ("X-06", "An event has its accounts in data; a DP must also find them in account_access"),
    (
        "X-07",
        "The account number is account_number; account_reference, as one sample has it, is understood",
    ),
    (
        "X-08",
        "The status is authorized, lower case and with z; other spellings mean the same, with a warning",
    ),
    (
        "X-09",
        "A message with a body has a detached signature over its bytes; one without has claims; the link has the bare consent_id",
    ),
    (
        "X-12",
        "PayNet calls authorize with its certificate and hands Location to the browser; a browser has no such certificate",
    ),
    ("X-14", "Update Consent needs a Bearer token, though the sample shows none"),
    (
        "X-16",
        "The audience of a client assertion is the issuer, as FAPI 2.0 has it, and not the token endpoint",
    ),
    ("X-17", "kid is the SHA-256 thumbprint of the certificate, base64url, 43 characters"),
    ("X-18", "PS256 and nothing else"),
    (
        "X-20",
        "An answer is issued by the DP for the DC; the sample, which mirrors the request, is taken for a mistake of the sandbox",
    ),
    ("X-21", "jti is fresh for every message; it may be the interaction id"),
    ("X-22", "A NumericDate may have a fraction (RFC 7519 §2); text is none"),
    (
        "X-23",
        "A request lives five minutes at most, an assertion ten, an answer sixty; iat is at most five minutes old",
    ),
    (
        "X-24",
        "url names PayNet's host, so that a DP compares the path alone; the sandbox's doubled scheme must do no harm",
    ),
    (
        "X-25",
        "Everything in qpm is in the query; the query has consent_id as well, which PayNet adds",
    ),
    ("X-26", "The JWE holds JSON, whatever cty says; a nested JWT by the DP passes too"),
    (
        "X-28",
        "The hash is SHA-256 in padded base64, 44 characters; what exactly is hashed is not published, so digits alone unless the profile says otherwise",
    ),
    (
        "X-32",
        "Two events come: one when the DC asks, and one that echoes the DP's own Update Consent",
    ),
    ("X-37", "Everything is synchronous, and balances, authorize and userinfo have five seconds"),
    ("X-40", "user_identity needs id_type and hashed_id_number; the masked forms are optional"),
    ("X-41", "The id_token is for the DC, or for PayNet, which verifies it"),
    ("X-43", "x-enc-kid is the DC's, or PayNet adds the one that the DC registered"),
    (
        "X-45",
        "The account of an answer is the account of the path; the samples that differ are taken for noise",
    ),
    ("X-47", "After a decision there may be a page with a way back, or a redirect at once"),
    (
        "X-49",
        "The way back carries consent_id, and an error where there is one; what redirect_uri had in its query stays",
    ),
    ("X-50", "A customer has five minutes to decide; then the consent has failed"),
    (
        "X-51",
        "The signature on a link covers neither redirect_uri nor a date: a DP keeps a list of callbacks, and takes a link once",
    ),
    (
        "X-52",
        "An event is answered with 200, may come again, late or out of order, and is sent after the answer that it follows from",
    ),
    (
        "X-53",
        "PayNet's signature on userinfo has claims, unless the profile says that it is detached",
    ),
    ("X-54", "Any 2xx says that the DP is up"),
    ("X-58", "Ten seconds ahead must be accepted, more than a minute must not"),
    ("X-59", "200 requests a minute, and then 429 with Retry-After"),
];

/// The readings that a source names, each with its number.
pub(crate) fn of(source: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    READINGS.iter().copied().filter(move |(number, _)| source.contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn every_number_that_a_source_names_is_told() {
        for requirement in catalogue() {
            let numbers = requirement.source.matches("X-").count();
            assert_eq!(of(requirement.source).count(), numbers, "{}", requirement.source);
        }
        for (number, reading) in READINGS {
            let used = catalogue().any(|requirement| requirement.source.contains(number));
            assert!(used && !reading.ends_with('.'), "{number}");
        }
    }
}
