//! What is usually behind a breach that is not what it looks like: configuration, a framework's default,
//! something in between. Told by `explain`, before anybody rewrites code.

/// Requirements that the same innocent cause is behind, with the cause.
const CAUSES: &[(&[&str], &str)] = &[
    (
        &["A-01", "A-02", "B-01", "C-01"],
        "The listener trusts another CA than the one that issued PayNet's client certificate, or TLS ends at a load balancer that asks for none",
    ),
    (
        &["A-03", "A-04", "A-16"],
        "A load balancer or gateway in front has a TLS policy of its own; the application's settings never come to bear",
    ),
    (
        &["A-05", "A-06", "A-07", "A-08", "A-09", "A-13", "A-14"],
        "The proxy in front verifies certificates and passes the request on without telling whose it was; or the test environment has client certificates set to optional",
    ),
    (
        &["A-10"],
        "The certificate is for the public host name, and the target names localhost or an address",
    ),
    (&["A-11"], "One listener serves webhooks and pages, so that both have the same rule"),
    (&["A-12"], "The port answers a redirect to https; that is no 2xx and passes"),
    (&["A-15"], "PayNet's next certificate has not been registered at the DP yet"),
    (
        &["B-02", "O-06", "O-07", "K-23"],
        "The test environment has one small instance, or a debugger attached",
    ),
    (
        &["B-03", "B-04", "B-05", "B-06", "J-36"],
        "The framework's default error page, or a catch-all route of a single-page application",
    ),
    (&["B-07"], "A gateway with an allow-list of header names that is compared byte for byte"),
    (&["B-08"], "A web application firewall that answers in its own way; any 4xx passes"),
    (
        &["C-02", "C-03", "K-22", "L-08"],
        "A gateway drops or replaces headers that it does not know",
    ),
    (
        &["C-04", "C-36", "C-39"],
        "A unique constraint on consent_id or jti that surfaces as an error instead of as `seen already`",
    ),
    (
        &["C-05", "C-06", "C-07", "C-37", "J-02", "J-03", "L-05", "D-04", "D-07"],
        "Verification is switched off by a profile or a feature flag of the test environment",
    ),
    (
        &["C-08"],
        "The framework has parsed the body, and what is verified is what it writes again; with bodies that it would write the same the error hides",
    ),
    (
        &["C-09", "C-10", "C-11", "C-12", "J-04", "J-05", "D-08"],
        "Keys are looked up by kid in one store for everybody, without asking whose they are",
    ),
    (
        &["C-13", "C-14", "C-15", "J-06", "D-09"],
        "The JOSE library takes the algorithm from the header unless it is given a list",
    ),
    (&["C-16", "J-34"], "The key store forgets `use` when it imports a JWK set"),
    (&["C-17"], "The JOSE library resolves jwk, jku or x5u by default"),
    (&["C-18"], "The JOSE library ignores crit unless it is asked to check it"),
    (
        &["C-19", "C-20", "C-21", "J-07", "J-08", "J-09", "K-05", "H-05", "O-09"],
        "The clock of the machine or container is off: compare it with the Date header of an answer",
    ),
    (&["C-22", "J-13"], "The store of used jtis is local to each instance behind a load balancer"),
    (
        &["C-23", "C-24", "C-25", "C-32"],
        "The framework answers before the application does, in its own form",
    ),
    (
        &["C-26", "C-27", "D-17", "M-07"],
        "The JSON mapper or the router is set to fail on what it does not know",
    ),
    (
        &["C-28", "C-38", "C-40", "C-41"],
        "An enumeration in the generated client has not all the values",
    ),
    (&["C-29"], "Several DP ids are served by one installation, and the right one is not chosen"),
    (
        &["C-30", "J-24", "J-39"],
        "Events are put into a queue that nobody reads in the test environment",
    ),
    (&["C-31"], "updated_at is compared as text, or in another time zone"),
    (&["C-33"], "The limit of a gateway in front; 413 and a reset pass"),
    (&["C-34", "C-35"], "A gateway sets an interaction id of its own where it finds none"),
    (
        &["D-01", "D-02", "D-23"],
        "The path prefix of the deployment, or authorize mapped to the public listener",
    ),
    (
        &["D-03", "D-05", "D-06", "D-14", "D-15", "D-16"],
        "The consent is kept in a cache that outlives its status",
    ),
    (
        &["D-10", "D-11", "D-12"],
        "The callback of PayNet's production is configured, and that of this simulator is not",
    ),
    (&["D-18", "E-12", "E-13"], "The session lives in the browser, so that every tab has its own"),
    (
        &["D-19", "D-20", "K-25"],
        "Headers are set by the web server in front in production, and not here",
    ),
    (&["E-01", "E-02", "E-03"], "The test customer is locked, or a second factor is asked for"),
    (&["E-04", "E-06", "K-21"], "The test data of the target and of the bank differ"),
    (&["E-08"], "The page says it in other words: list them in the target"),
    (&["E-09", "E-10", "E-11"], "The pages need JavaScript: use the browser driver"),
    (
        &["F-01", "F-02", "F-03", "F-04", "F-05"],
        "The OAuth library is set up for another provider: its audience is the token endpoint, its method client_secret",
    ),
    (
        &["F-06", "F-08"],
        "The HTTP client for the token endpoint is another one than for the resource server",
    ),
    (
        &["F-10", "F-11", "G-15", "G-16", "G-17"],
        "A retry library hides the answer, or retries for minutes",
    ),
    (
        &["G-01", "G-02"],
        "Update Consent is sent by a job in the background; it must be answered before the browser goes back",
    ),
    (&["G-03", "G-05", "G-18"], "The HTTP client writes the body once more after it was signed"),
    (&["G-06", "G-23"], "The status comes from an enumeration with the bank's own spelling"),
    (
        &["G-07", "G-08", "G-09", "G-24", "H-08"],
        "The identity provider of the test environment lacks these claims",
    ),
    (&["G-11", "H-09", "I-06"], "A debug setting adds the customer's record"),
    (
        &["H-01", "H-02", "K-03", "K-04"],
        "The signing key of another environment: compare the kid with the registered certificate",
    ),
    (&["H-03", "H-04", "K-07", "K-08"], "The issuer or audience of another environment"),
    (
        &["I-01", "I-02", "I-07", "I-08"],
        "A proxy rewrites Location, or the framework's redirect encodes the URL again",
    ),
    (
        &["J-01"],
        "The account of the test data was closed or is of a kind without a balance, or the core system of the test environment is down",
    ),
    (
        &["J-10", "J-17", "J-19"],
        "The JOSE library's date handling: missing, fractional and textual dates each have a setting",
    ),
    (&["J-11", "J-12", "J-30"], "The dp_id or dc_id of another environment is configured"),
    (
        &["J-14", "J-15", "J-16", "J-18"],
        "url is compared with the address behind the gateway, which is another one",
    ),
    (&["J-20", "J-21", "L-07"], "A default consent for tests is still in place"),
    (
        &["J-22", "J-23", "J-25", "J-26", "L-06"],
        "The consent's status is cached for longer than a request",
    ),
    (
        &["J-27", "J-28", "J-29", "J-31"],
        "Authorization is checked in a gateway that is not part of the test environment",
    ),
    (
        &["J-32", "J-33", "J-35", "K-12", "K-13", "M-04"],
        "The DC's keys are pinned from a file of an earlier test",
    ),
    (&["K-01", "K-02"], "A response filter wraps or pretty-prints every answer"),
    (&["K-06", "K-14"], "An HTTP cache answers in the application's place"),
    (&["K-10", "K-11"], "The JOSE library's default algorithms: name both"),
    (
        &["K-16", "K-17", "K-18", "K-29"],
        "The mapping from the core system's record is for another product",
    ),
    (
        &["L-01", "L-02", "L-03"],
        "userinfo is served by the identity provider, which has another subject for the customer",
    ),
    (
        &["M-01", "M-02", "M-03", "M-05", "M-06"],
        "The key set is cached by an HTTP cache as well as by the library",
    ),
    (&["N-02", "N-03", "N-05", "N-06"], "Reads go to a replica that lags behind"),
    (
        &["O-01", "O-02", "O-03", "O-14", "O-15"],
        "A gateway replaces error bodies or statuses by its own",
    ),
    (&["O-04"], "The error handler maps every security exception to one code"),
    (&["O-05"], "A lock-out after failed attempts, meant for customers, has struck PayNet"),
    (
        &["O-11", "O-12", "O-13"],
        "The core system's error codes are not mapped in the test environment",
    ),
    (&["D-21"], "The framework's own helper for redirects keeps the method, which is 307 or 308"),
    (&["E-05", "E-07"], "The rule is in the page's script, and not on the server"),
    (&["F-07"], "A tracing or logging filter copies the token"),
    (
        &["G-04", "O-10"],
        "A tracing library's id, which is no UUID, is used for x-fapi-interaction-id",
    ),
    (
        &["G-12", "G-14", "I-05"],
        "The rejection goes through a shorter path of the code than the approval",
    ),
    (&["G-19", "G-20"], "A job for abandoned sessions reports them"),
    (&["K-09", "K-15", "K-24"], "Encryption is switched off by a profile of the test environment"),
];

/// What is usually behind a breach of `id` that is not what it looks like.
pub(crate) fn of(id: &str) -> Option<&'static str> {
    CAUSES.iter().find(|(ids, _)| ids.contains(&id)).map(|(_, cause)| *cause)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{catalogue, find};

    #[test]
    fn every_id_exists_and_stands_once() {
        let mut seen = BTreeSet::new();
        for (ids, cause) in CAUSES {
            assert!(!cause.ends_with('.'), "{cause}");
            for id in *ids {
                assert!(find(id).is_some() && seen.insert(id), "{id}");
            }
        }
        let musts =
            catalogue().filter(|r| r.level == ofp_evidence::Level::Must && !r.id.starts_with('P'));
        let without: Vec<&str> = musts.map(|r| r.id).filter(|id| of(id).is_none()).collect();
        assert!(without.len() <= 8, "{without:?}");
    }
}
