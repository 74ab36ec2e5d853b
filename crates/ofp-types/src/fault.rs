//! The names of the reference DP's deliberate faults, and what must come of each.

use crate::named::named;

macro_rules! faults {
    ($($(#[doc = $what:literal])+ $variant:ident $name:literal $primary:literal [$($also:literal $why:literal),*],)+) => {
        named! {
            /// One thing that the reference DP does wrong on purpose, to prove that a check notices.
            DpFault { $($(#[doc = $what])+ $variant $name,)+ }
        }

        impl DpFault {
            /// The requirement that must turn red; none for faults that break everything.
            #[must_use]
            pub fn primary(self) -> Option<&'static str> {
                let id = match self { $(Self::$variant => $primary),+ };
                (!id.is_empty()).then_some(id)
            }

            /// Requirements that may turn red with it, each with the reason.
            #[must_use]
            pub fn also(self) -> &'static [(&'static str, &'static str)] {
                match self { $(Self::$variant => &[$(($also, $why)),*]),+ }
            }
        }
    };
}

faults! {
    /// One byte of the balance response's signature is flipped.
    BalanceSignatureFlipped "balance-signature-flipped" "K-04" [],
    /// The balance response has expired a minute ago.
    BalanceExpired "balance-expired" "K-05" [],
    /// The balance is sent as plain JSON inside the signature, not as a JWE.
    BalanceNotEncrypted "balance-not-encrypted" "K-09" ["J-33" "without encryption no key is looked up", "J-35" "without encryption no key is looked up", "J-34" "without encryption no key is looked up"],
    /// The balance's JWS is wrapped in JSON, as PayNet's reference shows it: tolerated, and warned of.
    BalanceInJson "balance-in-json" "K-01" [],
    /// The balance of another account is sent.
    BalanceOfOtherAccount "balance-of-other-account" "K-16" ["K-21" "another account has another balance"],
    /// `x-fapi-interaction-id` is not echoed.
    NoInteractionIdEcho "no-interaction-id-echo" "C-03" ["K-22" "no webhook echoes it", "L-08" "no webhook echoes it"],
    /// The body of Update Consent is altered after it was signed.
    UpdateConsentBodyAltered "update-consent-body-altered" "G-05" [],
    /// Update Consent says `Authorised`.
    UpdateConsentBritishSpelling "update-consent-british-spelling" "G-23" [],
    /// Update Consent carries every account of the customer, whatever they selected.
    UpdateConsentAllAccounts "update-consent-all-accounts" "E-06" ["O-07" "nobody ticked the others"],
    /// Update Consent is never sent, and success is shown all the same.
    UpdateConsentSkipped "update-consent-skipped" "G-01" [],
    /// A rejection has no `status_reason`.
    RejectionWithoutReason "rejection-without-reason" "G-12" [],
    /// The id_token carries the NRIC in clear.
    IdTokenClearNric "id-token-clear-nric" "H-09" ["G-11" "the id_token is part of the body"],
    /// The client assertion is addressed to the token endpoint instead of the issuer.
    AssertionAudienceTokenEndpoint "assertion-audience-token-endpoint" "F-03" [],
    /// A wrong password is let in.
    AnyPassword "any-password" "E-02" [],
    /// An event without a signature is accepted.
    EventUnsigned "event-unsigned-accepted" "C-05" [],
    /// An event with an empty signature is accepted.
    EventSignatureEmptyAccepted "event-empty-signature-accepted" "C-06" [],
    /// Of the signature of an event as many segments are read as are needed.
    EventSegmentsIgnored "event-extra-segments-ignored" "C-06" [],
    /// Of the signature of an event kid and alg are looked at, and nothing else.
    EventUnverified "event-signature-not-verified" "C-07" ["C-08" "a signature that is not verified may be any", "C-12" "a signature that is not verified may be any", "C-37" "a signature that is not verified may be any"],
    /// An event under an unknown kid is verified with the first key there is.
    EventUnknownKidAccepted "event-unknown-kid-accepted" "C-09" [],
    /// An event signed by the DC is accepted.
    EventSignedByDcAccepted "event-signed-by-dc-accepted" "C-10" [],
    /// An event signed with the DP's own key is accepted.
    EventOwnKeyAccepted "event-own-key-accepted" "C-11" [],
    /// An event with alg none is accepted.
    EventAlgNoneAccepted "event-alg-none-accepted" "C-13" [],
    /// An event with alg HS256 is accepted.
    EventHs256Accepted "event-hs256-accepted" "C-14" [],
    /// An event with alg RS256 is accepted.
    EventRs256Accepted "event-rs256-accepted" "C-15" [],
    /// An event signed with an encryption key is accepted.
    EventEncKeyAccepted "event-enc-key-accepted" "C-16" [],
    /// An unknown crit extension of an event is ignored.
    EventCritIgnored "event-crit-ignored" "C-18" [],
    /// The signature of an event is verified over the body as it was parsed and written again.
    EventReserialised "event-body-reserialised" "C-08" [],
    /// An event ten minutes old is accepted.
    EventOldAccepted "event-old-accepted" "C-19" [],
    /// An event from the future is accepted.
    EventFutureAccepted "event-future-accepted" "C-20" [],
    /// An event that cannot be read is answered 200.
    EventMalformedAccepted "event-malformed-accepted" "C-23" ["C-24" "what cannot be read is taken all the same", "C-25" "what cannot be read is taken all the same"],
    /// An event about another DP is accepted.
    EventOfAnotherDp "event-of-another-dp-accepted" "C-29" [],
    /// A link without a signature is accepted.
    LinkUnsigned "link-unsigned-accepted" "D-04" [],
    /// A link with an empty signature is accepted.
    LinkSignatureEmptyAccepted "link-empty-signature-accepted" "D-04" [],
    /// Of the signature of a link kid and alg are looked at, and nothing else.
    LinkUnverified "link-signature-not-verified" "D-07" ["D-05" "a payload that is not verified may be any", "D-06" "a payload that is not verified may be any"],
    /// A link under an unknown kid is verified with the first key there is.
    LinkUnknownKidAccepted "link-unknown-kid-accepted" "D-08" [],
    /// A link signed by the DC is accepted.
    LinkSignedByDcAccepted "link-signed-by-dc-accepted" "D-08" [],
    /// A link signed with the DP's own key is accepted.
    LinkOwnKeyAccepted "link-own-key-accepted" "D-08" [],
    /// A link with alg none is accepted.
    LinkAlgNoneAccepted "link-alg-none-accepted" "D-09" [],
    /// A link with alg HS256 is accepted.
    LinkHs256Accepted "link-hs256-accepted" "D-09" [],
    /// A link with alg RS256 is accepted.
    LinkRs256Accepted "link-rs256-accepted" "D-09" [],
    /// The signature of a link may be over another consent.
    LinkSignatureOfAnyConsent "link-signature-of-any-consent" "D-05" ["D-06" "a changed consent_id is another consent too"],
    /// A link for an unknown consent leads to the login page.
    LinkOfUnknownConsent "link-of-unknown-consent" "D-03" [],
    /// Any redirect_uri is accepted.
    RedirectUriUnchecked "redirect-uri-unchecked" "D-10" ["D-11" "any redirect_uri will do", "D-12" "any redirect_uri will do"],
    /// A redirect_uri is accepted that begins like a registered one.
    RedirectUriByPrefix "redirect-uri-by-prefix" "D-11" [],
    /// A registered redirect_uri may have any query, however long.
    RedirectUriTooLong "redirect-uri-too-long-accepted" "D-12" [],
    /// Of a parameter that is there twice, the first counts.
    LinkParameterTwice "link-parameter-twice-accepted" "D-13" [],
    /// A link works after the consent was authorized.
    LinkAfterAuthorized "link-after-authorized" "D-14" [],
    /// A link works after the consent was rejected or revoked.
    LinkAfterTheEnd "link-after-the-end" "D-15" [],
    /// A link works after the consent failed.
    LinkAfterFailure "link-after-failure" "D-16" [],
    /// A request for data without a signature is accepted.
    RequestUnsigned "request-unsigned-accepted" "J-02" [],
    /// Of the signature of a request for data kid and alg are looked at, and nothing else.
    RequestUnverified "request-signature-not-verified" "J-03" ["J-04" "any key will do under the right kid", "J-37" "neither signature is verified", "J-38" "neither signature is verified", "L-05" "one verifier serves both"],
    /// A request for data under an unknown kid is verified with the first key there is.
    RequestUnknownKidAccepted "request-unknown-kid-accepted" "J-05" [],
    /// A request for data signed with the DP's own key is accepted.
    RequestOwnKeyAccepted "request-own-key-accepted" "J-04" [],
    /// A request for data with alg none is accepted.
    RequestAlgNoneAccepted "request-alg-none-accepted" "J-06" [],
    /// A request for data with alg HS256 is accepted.
    RequestHs256Accepted "request-hs256-accepted" "J-06" [],
    /// A request for data with alg RS256 is accepted.
    RequestRs256Accepted "request-rs256-accepted" "J-06" [],
    /// Of two signatures PayNet's alone is verified.
    RequestOneSignatureEnough "request-one-signature-enough" "J-37" [],
    /// Of two signatures the DC's alone is verified.
    RequestDcSignatureEnough "request-dc-signature-enough" "J-38" [],
    /// Exp of a request for data is not looked at.
    RequestExpUnchecked "request-exp-unchecked" "J-07" ["J-10" "what is not looked at may be missing", "J-19" "what is not looked at may be text"],
    /// Nbf of a request for data is not looked at.
    RequestNbfUnchecked "request-nbf-unchecked" "J-08" [],
    /// Iat of a request for data is not looked at.
    RequestIatUnchecked "request-iat-unchecked" "J-09" [],
    /// A request for data may go without exp.
    RequestExpOptional "request-exp-optional" "J-10" [],
    /// Exp of a request for data may be text.
    RequestExpAsText "request-exp-as-text" "J-19" [],
    /// Aud of a request for data is not looked at.
    RequestAudUnchecked "request-aud-unchecked" "J-11" [],
    /// Iss of a request for data is not looked at.
    RequestIssUnchecked "request-iss-unchecked" "J-12" [],
    /// Of url only the endpoint is compared, not the account.
    RequestUrlByEndpoint "request-url-by-endpoint" "J-14" [],
    /// Of url only the account is compared, not the endpoint.
    RequestUrlByAccount "request-url-by-account" "J-15" [],
    /// Qpm of a request for data is not looked at.
    RequestQpmUnchecked "request-qpm-unchecked" "J-16" [],
    /// Data of a revoked consent is served.
    DataWhenRevoked "data-when-revoked" "J-24" ["J-39" "it is served at once and later", "N-02" "a withdrawal is a revocation", "N-06" "what is superseded is revoked"],
    /// Data of a suspended consent is served.
    DataWhenSuspended "data-when-suspended" "J-25" [],
    /// The permissions of a consent are not looked at.
    PermissionsUnchecked "permissions-unchecked" "J-27" [],
    /// Every account of the customer is served, whatever they selected.
    AnyAccountOfCustomer "any-account-of-customer" "J-28" [],
    /// Every account of the bank is served.
    AnyAccount "any-account" "J-29" ["J-28" "any account will do"],
    /// Without x-enc-kid the DC's first key is used.
    EncKidOptional "enc-kid-optional" "J-32" [],
    /// Under an unknown x-enc-kid the DC's first key is used.
    EncKidUnknownFirst "enc-kid-unknown-first-key" "J-33" ["J-35" "another DC's kid is unknown too", "J-34" "a signing key is no encryption key"],
    /// A signing key is used for encryption.
    EncWithSigningKey "enc-with-signing-key" "J-34" [],
    /// Any certificate of the right CA may call.
    CertificateUnchecked "client-certificate-unchecked" "A-07" [],
    /// Refusals are pages of HTML.
    RefusalsInHtml "refusals-in-html" "O-01" ["O-04" "there is no code", "O-14" "there is no code", "O-11" "there is no code", "B-06" "a page for an unknown path is HTML too"],
    /// A request without consent_id is answered 500.
    MissingParameterAsServerError "missing-parameter-as-server-error" "O-02" ["J-20" "500 is no refusal", "L-07" "500 is no refusal", "O-15" "500 is not called for"],
    /// Refusals carry a stack trace.
    StackTraces "stack-traces" "O-03" [],
    /// Every refusal says invalid_request.
    OneCodeForAll "one-code-for-all" "O-04" ["O-11" "a blocked account has no code of its own"],
    /// Refusals say codes that nobody knows.
    CodesOfItsOwn "codes-of-its-own" "O-14" ["O-04" "no code is one of PayNet's", "O-11" "no code is one of PayNet's"],
    /// Every refusal is 418.
    RefusalsAsTeapot "refusals-as-teapot" "O-15" ["A-07" "418 is not how a certificate is refused", "B-06" "418 is not 404", "C-32" "418 is not 415", "O-11" "418 is not 403", "O-13" "418 is not 503"],
    /// Every balance response has the same jti.
    BalanceJtiStatic "balance-jti-static" "K-06" [],
    /// The balance response names a kid that is not registered.
    BalanceKidUnknown "balance-kid-unknown" "K-03" ["K-04" "no key is known by that kid"],
    /// A line end follows the balance response.
    BalanceWithNewline "balance-with-newline" "K-02" ["K-06" "what is no JWS has no jti", "K-09" "what is no JWS has no JWE"],
    /// The balance response is addressed to somebody else.
    BalanceAudOfAnother "balance-aud-of-another" "K-07" [],
    /// The balance response has another issuer.
    BalanceIssOfAnother "balance-iss-of-another" "K-08" [],
    /// The balance response is good for a day.
    BalanceLivesTooLong "balance-lives-too-long" "K-28" [],
    /// The balance is encrypted with the DP's own key.
    BalanceForOwnKey "balance-for-own-key" "K-12" [],
    /// The plaintext has no data object around the balance.
    BalanceWithoutData "balance-without-data" "K-15" ["K-16" "it is looked for within data", "K-17" "it is looked for within data", "K-19" "it is looked for within data", "K-21" "it is looked for within data"],
    /// The balance is in USD.
    BalanceInDollars "balance-in-dollars" "K-17" [],
    /// Amounts are numbers.
    BalanceAmountsAsNumbers "balance-amounts-as-numbers" "K-29" [],
    /// Credit_debit_indicator is CR or DR.
    BalanceIndicatorSpelt "balance-indicator-spelt" "K-18" [],
    /// The balance stands in a header, in clear.
    BalanceInHeader "balance-in-header" "K-24" [],
    /// The balance may be cached.
    BalanceCacheable "balance-cacheable" "K-25" [],
    /// Update Consent has no id_token.
    UpdateWithoutIdToken "update-without-id-token" "G-07" [],
    /// Update Consent has no user_identity.
    UpdateWithoutIdentity "update-without-identity" "G-08" ["G-24" "there is nothing to look at", "H-08" "there is nothing to compare"],
    /// The accounts of Update Consent have no names.
    UpdateAccountsUnnamed "update-accounts-unnamed" "G-09" [],
    /// The body of Update Consent names another consent than the path.
    UpdateOfAnotherConsent "update-of-another-consent" "G-14" ["I-07" "PayNet takes the decision for the consent of the path"],
    /// Update Consent is sent as text/plain.
    UpdateAsText "update-as-text" "G-03" [],
    /// The interaction id of Update Consent is no UUID.
    UpdateInteractionId "update-interaction-id-malformed" "G-04" ["O-10" "it is no UUID"],
    /// Update Consent says approved.
    UpdateStatusApproved "update-status-approved" "G-06" ["G-22" "no approval is understood"],
    /// Hashed_id_number of Update Consent is the number itself.
    UpdateClearNric "update-clear-nric" "G-11" ["G-24" "a number in clear is no hash", "H-08" "the id_token has the hash", "G-22" "the number in clear is no customer's hash", "G-06" "so the customer whom it names cannot approve"],
    /// The id_token has another issuer.
    IdTokenIssOfAnother "id-token-iss-of-another" "H-03" [],
    /// The id_token is for somebody else.
    IdTokenAudOfAnother "id-token-aud-of-another" "H-04" [],
    /// The id_token has expired.
    IdTokenExpired "id-token-expired" "H-05" [],
    /// The id_token has another hashed_id_number than user_identity.
    IdTokenOtherHash "id-token-other-hash" "H-08" [],
    /// The id_token has alg none.
    IdTokenUnsigned "id-token-unsigned" "H-01" [],
    /// The client assertion is good for an hour.
    AssertionLivesTooLong "assertion-lives-too-long" "F-04" [],
    /// Every client assertion has the same jti.
    AssertionJtiStatic "assertion-jti-static" "F-05" [],
    /// The client assertion names a kid that is not registered.
    AssertionKidUnknown "assertion-kid-unknown" "F-02" [],
    /// The customer returns to another path than PayNet's callback.
    CallbackElsewhere "callback-elsewhere" "I-01" ["I-07" "the customer never reaches PayNet", "I-08" "the customer never reaches PayNet"],
    /// The customer's id number stands in the URL of the return.
    CallbackWithNric "callback-with-nric" "I-06" [],
    /// After a rejection the return says no error.
    RejectionWithoutError "rejection-without-error" "I-04" [],
    /// Authorize answers 200 with a page instead of 303.
    LinkAnswered200 "link-answered-200" "D-01" ["D-17" "no link leads on", "D-22" "no link leads on"],
    /// The Location of authorize is http.
    LinkToPlainHttp "link-to-plain-http" "D-02" [],
    /// Authorize answers 307.
    LinkAnswered307 "link-answered-307" "D-21" ["D-01" "307 is not 303", "D-17" "307 is not 303", "D-22" "307 is not 303"],
    /// The Location of authorize carries PayNet's signature.
    LocationWithSignature "location-with-signature" "D-24" [],
    /// Events of type consent_updated are refused.
    UpdatedEventRefused "updated-event-refused" "C-38" [],
    /// Events that tell of suspended are refused.
    SuspendedEventRefused "suspended-event-refused" "C-40" ["J-25" "the DP does not know that it is suspended", "L-06" "the DP does not know that it is suspended"],
    /// Userinfo has no sub.
    UserinfoWithoutSub "userinfo-without-sub" "L-01" ["L-02" "there is no sub"],
    /// Userinfo has another sub than the id_token.
    UserinfoOtherSub "userinfo-other-sub" "L-02" [],
    /// Userinfo has another hash than Update Consent.
    UserinfoOtherHash "userinfo-other-hash" "L-03" [],
    /// Userinfo is served whatever the status of the consent.
    UserinfoOfAnyConsent "userinfo-of-any-consent" "L-06" [],
    /// Health answers 503.
    HealthDown "health-down" "B-01" ["B-02" "20 times down"],
    /// Webhooks ask for client certificates of another CA than PayNet's.
    WebhooksOtherCa "webhooks-trust-another-ca" "A-01" [],
    /// The certificate of the webhooks is for another host.
    WebhooksOtherName "webhooks-certificate-of-another-host" "A-10" [],
    /// Webhooks speak TLS 1.1 as well.
    TlsOld "webhooks-speak-tls-1-1" "A-03" ["A-16" "what speaks TLS 1.1 has its suites", "A-04" "some of them are anonymous"],
    /// Webhooks accept suites without encryption.
    TlsWeakSuites "webhooks-accept-null-suites" "A-04" [],
    /// Webhooks accept CBC suites with SHA-1.
    TlsCbcSha1 "webhooks-accept-cbc-sha1" "A-16" [],
    /// Webhooks answer plain HTTP on the port of TLS.
    PlainHttpToo "webhooks-answer-plain-http" "A-12" [],
    /// Webhooks ask for no client certificate on events.
    ClientCertificateOptional "client-certificate-optional" "A-05" ["A-11" "one listener serves both"],
    /// Webhooks ask for no client certificate on userinfo and data.
    DataWithoutCertificate "data-without-client-certificate" "A-13" [],
    /// A client certificate is accepted from any CA, if it has PayNet's name.
    ClientCertificateOfAnyCa "client-certificate-of-any-ca" "A-06" ["A-14" "a certificate may vouch for itself"],
    /// A client certificate that vouches for itself is accepted, if it has PayNet's name.
    ClientCertificateSelfSigned "client-certificate-self-signed-accepted" "A-14" [],
    /// Nobody looks whether a client certificate has expired.
    ClientCertificateExpired "client-certificate-expired-accepted" "A-08" [],
    /// Nobody looks whether a client certificate is valid yet.
    ClientCertificateEarly "client-certificate-not-yet-valid-accepted" "A-09" [],
    /// Authorize asks for no client certificate.
    AuthorizeWithoutCertificate "authorize-without-client-certificate" "A-11" [],
    /// PayNet's next client certificate is not known.
    OneCertificateAlone "one-client-certificate-alone" "A-15" [],
    /// A path that climbs is answered 500.
    ClimbingPathAsServerError "climbing-path-as-server-error" "B-08" [],
    /// Whatever has no route is answered 200.
    EverythingRouted "everything-is-routed" "B-06" ["B-03" "there is no other verb", "B-04" "there is no other verb", "B-05" "there is no other verb", "B-08" "there is no other path"],
    /// Other verbs are answered as 404.
    WrongVerbNotFound "wrong-verb-not-found" "B-05" ["B-03" "one router serves all", "B-04" "one router serves all"],
    /// Of several requests for health at once some are answered 503.
    HealthOneAtATime "health-one-at-a-time" "B-02" ["B-01" "some are answered 503"],
    /// A new consent is answered 203.
    CreatedAnswered203 "created-event-answered-203" "C-01" ["C-04" "a consent that is told of again is one that is created"],
    /// A consent that is told of again is refused.
    RedeliveryRefused "redelivery-refused" "C-04" ["C-01" "a second event of the consent is refused", "C-36" "a second event of the consent is refused", "C-33" "what follows is a second event", "G-22" "the event that names the customer is a second one"],
    /// The same event again is refused as invalid_request.
    SameAgainRefused "same-event-again-refused" "C-36" ["O-04" "the code is not that of a claim"],
    /// A key of anybody in the ecosystem may have signed, under PayNet's kid.
    EventAnyKeyOfAll "event-signed-by-anybody-known" "C-12" [],
    /// An event without consent_id is answered 200.
    EventConsentIdOptional "event-consent-id-optional" "C-24" [],
    /// A signature that is one bit off is good enough.
    EventNearlySigned "event-signature-one-bit-off" "C-37" [],
    /// The event that tells of the decision taken here is refused.
    EchoRefused "authorized-event-refused" "C-39" [],
    /// The key in the header of an event verifies it.
    EventEmbeddedKey "event-embedded-key-trusted" "C-17" [],
    /// The key of an event is fetched from where its header says, though not trusted.
    EventJkuFetched "event-jku-fetched" "C-17" [],
    /// An event that is a second ahead is refused.
    NoClockSkew "no-clock-skew" "C-21" ["O-09" "30 seconds are more than none"],
    /// The jti of an event is not looked at.
    JtiUnchecked "event-jti-unchecked" "C-22" [],
    /// An event with an unknown field is refused.
    UnknownFieldRefused "unknown-field-refused" "C-26" [],
    /// An event whose accounts are not in data is refused.
    AccountsElsewhereRefused "accounts-elsewhere-refused" "C-27" [],
    /// An event that tells of a revocation is refused.
    RevokedEventRefused "revoked-event-refused" "C-30" ["J-24" "the DP does not know that it is revoked", "L-06" "the DP does not know that it is revoked", "N-06" "the DP does not know that it is revoked"],
    /// The last event to arrive counts, however old it is.
    OldNewsTaken "old-news-taken" "C-31" ["J-01" "the consent is suspended for the DP"],
    /// The Content-Type of an event is not looked at.
    ContentTypeUnchecked "event-content-type-unchecked" "C-32" [],
    /// A large event is answered 500.
    LargeEventAsServerError "large-event-as-server-error" "C-33" ["O-02" "500 is no refusal", "O-15" "500 is not called for"],
    /// An event without an interaction id is answered 500.
    InteractionIdNeeded "missing-interaction-id-as-server-error" "C-34" [],
    /// The interaction id is decoded and put into the answer.
    InteractionIdInjected "interaction-id-injected" "C-35" [],
    /// A link is about the consent in its signature, whatever its consent_id.
    LinkConsentFromSignature "link-consent-id-from-signature" "D-06" ["D-05" "the signature may be over another consent"],
    /// A link with an unknown parameter is refused.
    UnknownParameterRefused "unknown-parameter-refused" "D-17" [],
    /// Pages may be read by scripts of any origin.
    CorsForAll "pages-for-every-origin" "D-20" [],
    /// The Universal Link's path is unknown.
    NoUniversalLink "no-universal-link" "D-22" [],
    /// The right password leads to the review, with every account chosen.
    SelectionSkipped "selection-skipped" "E-01" [],
    /// The messages for a wrong name and a wrong password differ.
    NamesEnumerable "names-enumerable" "E-03" [],
    /// The account page lists another customer's account as well.
    AccountsOfOthersListed "accounts-of-others-listed" "E-04" [],
    /// A customer may go on without an account.
    NothingChosen "nothing-chosen-accepted" "E-05" [],
    /// Any account of the bank may be in the form.
    AccountForgeable "account-in-form-unchecked" "E-07" ["E-08" "the review shows what was put into the form"],
    /// After an approval the customer is back at the accounts.
    ApprovalLeadsNowhere "approval-leads-nowhere" "E-09" [],
    /// After a rejection the customer is back at the review.
    RejectionLeadsNowhere "rejection-leads-nowhere" "E-10" [],
    /// The review page shows without a login.
    ReviewWithoutLogin "review-without-login" "E-11" [],
    /// Form tokens are not looked at.
    FormTokenUnchecked "form-token-unchecked" "E-12" [],
    /// A second press of approve is told to PayNet as a rejection.
    SecondPressRejects "second-press-rejects" "E-13" ["D-18" "a second browser is a second press", "G-06" "the second says rejected"],
    /// What an event says is written into pages as it is.
    MarkupUnescaped "markup-unescaped" "E-15" [],
    /// The token request has no client_id.
    TokenWithoutClientId "token-without-client-id" "F-01" [],
    /// The access token stands in the body of Update Consent as well.
    TokenInBody "token-in-body" "F-07" [],
    /// A refused token is used again.
    RefusedTokenKept "refused-token-kept" "F-10" [],
    /// The browser is sent back before PayNet is told.
    ReturnBeforeUpdate "return-before-update" "G-02" ["I-07" "PayNet knows of no decision yet", "G-01" "the scenario may end before the update comes", "G-15" "success was shown before", "G-16" "success was shown before", "G-17" "success was shown before", "F-11" "success was shown before"],
    /// Success is shown whatever PayNet answers.
    SuccessAlwaysShown "success-always-shown" "G-15" ["F-11" "success is shown", "G-16" "success is shown", "G-17" "success is shown"],
    /// A repeated Update Consent carries the same signature.
    RetrySignatureKept "retry-signature-kept" "G-18" [],
    /// A wrong password is told to PayNet as a rejection.
    WrongPasswordRejects "wrong-password-rejects" "G-19" ["E-02" "PayNet hears of it"],
    /// The login is told to PayNet as an approval of every account.
    LoginIsApproval "login-is-approval" "G-20" ["E-06" "nobody has chosen yet", "G-12" "PayNet heard of an approval first", "G-19" "the right password is an approval", "G-22" "nobody looks whom the event names", "O-07" "nobody ticked the others"],
    /// Nobody looks whom the event names.
    IdentityUnchecked "identity-unchecked" "G-22" [],
    /// The query of the return is not encoded.
    ReturnUnencoded "return-unencoded" "I-02" [],
    /// The return after a rejection says success.
    RejectionSaysSuccess "rejection-says-success" "I-05" [],
    /// The return after an approval names another consent.
    ReturnOfAnother "return-names-another-consent" "I-07" [],
    /// After a rejection the customer returns to another path than PayNet's callback.
    RejectionElsewhere "rejection-returns-elsewhere" "I-08" ["I-01" "it is another path"],
    /// A balance is answered with 201.
    BalanceAnswered201 "balance-answered-201" "J-01" [],
    /// A request for data without consent_id is about the last consent.
    ConsentIdOptional "consent-id-optional" "J-20" [],
    /// A request about an unknown consent is about the last one.
    UnknownConsentServed "unknown-consent-served" "J-21" [],
    /// Data flows before anybody has approved.
    DataBeforeApproval "data-before-approval" "J-22" [],
    /// Data flows after the customer has rejected.
    DataAfterRejection "data-after-rejection" "J-23" [],
    /// The end of a consent comes by event alone.
    ExpiryUnchecked "expiry-unchecked" "J-26" [],
    /// The DC is taken from the request, not from the consent.
    DcOfRequest "dc-taken-from-request" "J-30" [],
    /// The jti of a request for data is not looked at.
    RequestReplayed "request-replay-accepted" "J-13" [],
    /// NumericDates must be whole.
    WholeDatesOnly "whole-dates-only" "J-17" [],
    /// A request with the sandbox's url is answered 500.
    QuirkAsServerError "sandbox-url-as-server-error" "J-18" [],
    /// Under an unknown account_id the first account is served.
    UnknownAccountServed "unknown-account-served" "J-31" [],
    /// An encryption key of any DC will do.
    EncKidOfAnyDc "enc-kid-of-any-dc" "J-35" [],
    /// OPTIONS on balances tells of the balance.
    OptionsWithData "options-with-data" "J-36" [],
    /// Events of a revocation take effect a second later.
    RevocationLate "revocation-late" "J-39" ["J-24" "so soon after it the balance is served", "L-06" "so soon after it userinfo is served", "N-06" "so soon after it the balance is served"],
    /// The content is encrypted with A128GCM.
    BalanceA128 "balance-a128gcm" "K-10" ["K-12" "the DC decrypts A256GCM alone"],
    /// The balance is encrypted with RSA-OAEP and SHA-1, the content with A128CBC-HS256.
    BalanceOaepSha1 "balance-rsa-oaep-sha1" "K-11" ["K-10" "the algorithms are others", "K-12" "the DC decrypts RSA-OAEP-256 alone"],
    /// The balance is encrypted to another DC.
    BalanceForOtherDc "balance-for-other-dc" "K-13" ["K-12" "the DC has another key"],
    /// The same ciphertext is sent again.
    BalanceCiphertextReused "balance-ciphertext-reused" "K-14" ["M-04" "what was encrypted before has the old key"],
    /// The tenth balance of a consent takes more than five seconds.
    BalanceSlow "balance-slow" "K-23" ["J-01" "the platform waits no longer"],
    /// The signature of userinfo is not looked at.
    UserinfoUnverified "userinfo-signature-not-verified" "L-05" [],
    /// Userinfo without consent_id is about the last consent.
    UserinfoConsentIdOptional "userinfo-consent-id-optional" "L-07" [],
    /// PayNet's keys are fetched once and for all.
    KeysKeptForever "keys-kept-forever" "M-01" [],
    /// A restart loses the consents that PayNet told of.
    RestartForgetsConsents "restart-forgets-consents" "O-08" [],
    /// Of PayNet's key set the first key alone is used.
    FirstKeyAlone "first-key-alone" "M-02" [],
    /// Keys that PayNet has withdrawn are kept.
    WithdrawnKeysKept "withdrawn-keys-kept" "M-03" [],
    /// The DC's first encryption key is used for ever.
    DcKeysKeptForever "dc-keys-kept-forever" "M-04" ["J-01" "x-enc-kid is unknown"],
    /// PayNet's keys are fetched for every message.
    KeysNeverKept "keys-never-kept" "M-05" ["M-06" "every message is a fetch"],
    /// Every unknown kid is a fetch.
    EveryKidFetched "every-unknown-kid-fetched" "M-06" [],
    /// A key set with an unknown kind of key is refused as a whole.
    UnknownKindsRefused "unknown-key-kinds-refused" "M-07" ["M-06" "it looks at the set for every message", "M-01" "no event is accepted then"],
    /// A withdrawal at the bank is forgotten.
    WithdrawalForgotten "withdrawal-forgotten" "N-02" ["J-24" "the event is forgotten too", "J-39" "the event is forgotten too"],
    /// A withdrawal counts though PayNet refused it.
    WithdrawalUntold "withdrawal-counts-untold" "N-03" ["J-01" "the consent is over for the DP"],
    /// What was chosen stands in one place for all customers.
    ChoiceShared "choice-shared" "O-07" ["E-06" "it is another customer's choice", "J-01" "it may be an account without a balance", "O-05" "it may be an account without a balance", "O-06" "it may be an account without a balance"],
    /// A closed account is said to be blocked.
    ClosedSaidBlocked "closed-said-blocked" "O-12" [],
    /// A blocked account is said to be closed.
    BlockedSaidClosed "blocked-said-closed" "O-11" [],
    /// While the core system is down, the answer is 500.
    CoreDownAsServerError "core-down-as-server-error" "O-13" [],
    /// The browser comes back without state (profile oidc-dp).
    StateNotReturned "state-not-returned" "P-01" [],
    /// The token endpoint gives no access token (profile oidc-dp).
    NoAccessToken "no-access-token" "P-02" [],
    /// The id_token has a nonce of the DP's own (profile oidc-dp).
    NonceNotCopied "nonce-not-copied" "P-03" [],
    /// A code is taken as often as it comes (profile oidc-dp).
    CodeTakenAgain "code-taken-again" "P-04" [],
    /// The token endpoint gives tokens to whoever has a code (profile oidc-dp).
    ClientAssertionUnchecked "client-assertion-unchecked" "P-05" [],
    /// Update Consent has an id_token all the same (profile oidc-dp).
    UpdateWithIdToken "update-with-id-token" "P-06" [],
    /// Webhooks answer 200 with a page of HTML.
    Nonsense "nonsense" "" [],
    /// Webhooks never answer.
    Silent "silent" "" [],
    /// Webhooks close the connection in the middle of the answer.
    Reset "reset" "" [],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_and_few_follow() {
        for fault in DpFault::ALL.iter().copied() {
            assert_eq!(DpFault::by_name(fault.name()), Some(fault));
            assert!(fault.also().len() <= 6, "{}", fault.name());
            assert!(fault.what().ends_with('.'), "{}", fault.name());
        }
        assert_eq!(DpFault::by_name("nonsense "), None);
    }
}
