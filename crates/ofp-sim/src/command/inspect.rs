//! `ofp-sim inspect`: a token from a log, layer by layer, each rule of the profile ticked or crossed.

use std::{fmt::Write as _, io::Read as _};

use colored::Colorize as _;
use jiff::Timestamp;
use ofp_jose::{CompactJwe, CompactJws, DecryptionKey, JwkSet, KeySet};
use ofp_net::SystemClock;
use ofp_pki::{OpenOptions, Party, Pki};
use ofp_report::tame;
use ofp_runner::{LONGEST_TEXT, exit, read_given};
use ofp_types::{Clock as _, Profile, SigBody};
use serde_json::Value;

use super::{doctor, print, run};
use crate::{args::InspectArgs, environment::Environment, failure::Failure};

/// What is inside what is inside, and so on.
const DEEPEST: usize = 4;
/// What a signed message is, by its claims, and what its kind must have.
struct Kind {
    name: &'static str,
    /// Claims without which it is none.
    needs: &'static [&'static str],
    /// Its longest life in seconds.
    life: f64,
    /// When its life begins.
    from: &'static str,
}

impl Kind {
    fn of(claims: &Value) -> Self {
        let has = |name: &str| !claims[name].is_null();
        if has("url") {
            let needs = &["iss", "aud", "jti", "url", "qpm"];
            return Self {
                name: "the signature of a request (S1)",
                needs,
                life: 300.0,
                from: "iat",
            };
        }
        if has("response_type") {
            let needs = &["iss", "aud", "client_id", "redirect_uri", "code_challenge"];
            return Self { name: "a request object (RFC 9101)", needs, life: 3600.0, from: "nbf" };
        }
        if has("iss") && claims["iss"] == claims["sub"] {
            let needs = &["iss", "sub", "aud", "jti"];
            return Self { name: "a client assertion (RFC 7523)", needs, life: 600.0, from: "iat" };
        }
        if has("data") {
            let needs = &["iss", "aud", "jti", "data"];
            return Self { name: "an answer with data (S1)", needs, life: 3600.0, from: "iat" };
        }
        if has("sub") {
            let needs = &["iss", "sub", "aud"];
            return Self {
                name: "an id_token (OpenID Connect Core 2)",
                needs,
                life: 3600.0,
                from: "iat",
            };
        }
        Self { name: "claims", needs: &["iss"], life: 3600.0, from: "iat" }
    }
}

pub(super) fn inspect(args: &InspectArgs, environment: &Environment) -> Result<u8, Failure> {
    let text = read(&args.token)?;
    let token = found(&text).ok_or_else(|| {
        let start: String = text.trim().chars().take(40).collect();
        let expected = "three parts (JWS) or five (JWE) of base64url, separated by dots";
        Failure::NoToken(format!(
            "there is no compact token in `{}`: expected {expected}",
            tame(&start)
        ))
    })?;
    let profile = args.profile.as_deref().map(run::profile).transpose()?;
    let keys = Keys::open(args, profile.clone(), environment)?;
    let body = args.body.as_deref().map(|path| {
        read_given(path, LONGEST_TEXT)
            .map_err(|e| Failure::File { path: path.to_owned(), reason: e.to_string() })
    });
    let mut sheet = Sheet {
        text: String::new(),
        crossed: 0,
        keys,
        profile: profile.unwrap_or_default(),
        body: body.transpose()?,
        now: SystemClock.now(),
    };
    sheet.layer(token, 0);
    let verdict = match sheet.crossed {
        0 => "every rule holds that can be seen from here".green().to_string(),
        1 => "1 rule is broken".red().bold().to_string(),
        many => format!("{many} rules are broken").red().bold().to_string(),
    };
    print(&format!("{}\n{verdict}\n", sheet.text))?;
    Ok(if sheet.crossed == 0 { exit::PASSED } else { exit::FAILED })
}

fn read(token: &str) -> Result<String, Failure> {
    if token != "-" {
        return Ok(token.to_owned());
    }
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(LONGEST_TEXT + 1).read_to_end(&mut bytes);
    let read = read.map_err(|e| Failure::NoToken(format!("cannot read standard input: {e}")))?;
    if read as u64 > LONGEST_TEXT {
        let why = format!(
            "standard input is longer than {LONGEST_TEXT} bytes: give the token's line alone"
        );
        return Err(Failure::NoToken(why));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The first token in a line of a log.
fn found(text: &str) -> Option<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let words = || text.split(|c| !is_part(c)).map(|word| word.trim_matches('.'));
    let dots = |word: &&str| matches!(word.matches('.').count(), 2 | 4);
    let is_token = |word: &&str| word.starts_with("eyJ") && dots(word);
    // `a..c` is detached: its dots are not to be trimmed away
    let detached = text.split(|c| !is_part(c)).find(|word| word.starts_with("eyJ") && dots(word));
    detached
        .or_else(|| words().find(is_token))
        .or_else(|| words().find(|word| dots(word) && word.len() > 40))
}

/// The keys at hand.
struct Keys {
    /// Whose, and what they are.
    signing: Vec<(String, KeySet)>,
    decryption: Vec<(String, DecryptionKey)>,
}

impl Keys {
    fn open(
        args: &InspectArgs,
        profile: Option<Profile>,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let (target, pki) = match &args.target {
            Some(file) => {
                let (target, pki) = doctor::target(file, &args.pki, profile, environment)?;
                (Some(target), pki)
            }
            None => (None, Pki::open(&args.pki, &OpenOptions::at(SystemClock.now()))?.0),
        };
        let mut signing = Vec::new();
        for (party, name) in [
            (Party::PayNet, "PayNet"),
            (Party::Dc1, "the DC"),
            (Party::Dc2, "the other DC"),
            (Party::Dp, "the reference DP"),
        ] {
            signing.push(named(name, &pki.jwks(party)?));
        }
        if let Some(target) = &target {
            signing.push(named(target.name(), target.jwks()));
        }
        let key = |dc: usize, name: &str| {
            let key = pki.dcs[dc].encryption.decryption_key();
            key.map(|key| (name.to_owned(), key)).map_err(|e| Failure::World(e.into()))
        };
        Ok(Self { signing, decryption: vec![key(0, "the DC")?, key(1, "the other DC")?] })
    }
}

fn named(name: &str, jwks: &JwkSet) -> (String, KeySet) {
    (name.to_owned(), KeySet::of_jwks(name, jwks).0)
}

/// What is written down.
struct Sheet {
    text: String,
    crossed: usize,
    keys: Keys,
    profile: Profile,
    body: Option<Vec<u8>>,
    now: Timestamp,
}

impl Sheet {
    fn line(&mut self, text: &str) {
        self.text.push_str(&tame(text));
        self.text.push('\n');
    }

    fn title(&mut self, depth: usize, text: &str) {
        if depth > 0 {
            self.text.push('\n');
        }
        let _ = writeln!(self.text, "{}", tame(text).bold());
    }

    fn json(&mut self, name: &str, value: &Value) {
        let pretty = serde_json::to_string_pretty(value).unwrap_or_default();
        for (at, line) in pretty.lines().enumerate() {
            let label = if at == 0 { name } else { "" };
            self.line(&format!("    {label:<8}  {line}"));
        }
    }

    /// A rule that holds, or does not: expected beside actual.
    fn rule(&mut self, name: &str, expected: &str, actual: &str, holds: bool) {
        let mark = if holds { "✓".green() } else { "✗".red().bold() };
        self.crossed += usize::from(!holds);
        let text = match holds {
            true => format!("{name:<10} {}", tame(actual)),
            false => format!("{name:<10} expected {}, came {}", tame(expected), tame(actual)),
        };
        let _ = writeln!(self.text, "  {mark} {text}");
    }

    /// What cannot be seen from here.
    fn unseen(&mut self, name: &str, why: &str) {
        let _ = writeln!(self.text, "  - {name:<10} {}", tame(why));
    }

    fn layer(&mut self, token: &str, depth: usize) {
        if depth >= DEEPEST {
            return self.unseen("inside", "nested more deeply than this tool looks");
        }
        match token.matches('.').count() {
            2 => self.jws(token, depth),
            _ => self.jwe(token, depth),
        }
    }

    fn jws(&mut self, token: &str, depth: usize) {
        let jws = match CompactJws::parse(token) {
            Ok(jws) => jws,
            Err(e) => {
                self.title(depth, &format!("JWS, {} characters", token.len()));
                return self.rule("form", "a compact JWS (RFC 7515 §7.1)", &e.to_string(), false);
            }
        };
        let form = if jws.is_detached() { "detached" } else { "attached" };
        self.title(depth, &format!("JWS, {form}, {} characters", token.len()));
        self.json("header", &Value::Object(jws.header.clone()));
        let alg = jws.alg().unwrap_or("missing").to_owned();
        let allowed = self.profile.sig_algs.join(" or ");
        self.rule("alg", &allowed, &alg, self.profile.sig_algs.contains(&alg));
        for name in
            ["crit", "jku", "jwk", "x5u", "x5c"].into_iter().filter(|n| jws.header.contains_key(*n))
        {
            let unencoded = name == "crit" && jws.header.get("b64").is_some();
            self.rule(name, "no such header", "present", unencoded && jws.is_detached());
        }
        self.signer(&jws);
        if jws.is_detached() {
            return;
        }
        match serde_json::from_slice::<Value>(&jws.payload) {
            Ok(claims @ Value::Object(_)) => {
                self.json("claims", &claims);
                self.claims(&claims);
                for name in ["data", "body"] {
                    let inner = claims[name]
                        .as_str()
                        .filter(|text| matches!(text.matches('.').count(), 2 | 4));
                    if let Some(inner) = inner {
                        self.layer(inner, depth + 1);
                    }
                }
            }
            _ => {
                let payload = String::from_utf8_lossy(&jws.payload).into_owned();
                match found(&payload) {
                    Some(inner) => self.layer(inner, depth + 1),
                    None => self.line(&format!("    payload   {payload}")),
                }
            }
        }
    }

    /// Whose key it is, and whether the signature is good.
    fn signer(&mut self, jws: &CompactJws<'_>) {
        let kid = jws.kid().unwrap_or("missing").to_owned();
        let is_theirs = |set: &KeySet| set.iter().any(|key| key.kid() == kid);
        let Some((owner, set)) = self.keys.signing.iter().find(|(_, set)| is_theirs(set)) else {
            let owners: Vec<&str> =
                self.keys.signing.iter().map(|(name, _)| name.as_str()).collect();
            let expected = format!("a kid of {}", owners.join(", "));
            self.rule("kid", &expected, &kid, false);
            let why = "no key at hand: give the folder of keys with --pki, or the DP with --target";
            return self.unseen("signature", why);
        };
        let verified = match (jws.is_detached(), &self.body) {
            (true, None) => None,
            (true, Some(body)) => Some(jws.verify_body(set, body, SigBody::Detached)),
            (false, _) => Some(jws.verify(set)),
        };
        let owner = owner.clone();
        let outcome = verified.map(|verified| verified.map(drop).map_err(|e| e.to_string()));
        self.rule("kid", "", &format!("{kid}, {owner}"), true);
        match outcome {
            None => {
                self.unseen(
                    "signature",
                    "detached: give the body that it is over with --body FILE",
                );
            }
            Some(Ok(())) => self.rule("signature", "", &format!("good, made by {owner}"), true),
            Some(Err(why)) => self.rule("signature", "a good one", &why, false),
        }
    }

    fn claims(&mut self, claims: &Value) {
        // what is beyond is no time that anybody meant
        let date = |name: &str| claims[name].as_f64().filter(|at| (0.0..1e12).contains(at));
        let kind = Kind::of(claims);
        self.line(&format!("    it is     {}", kind.name));
        for name in kind.needs {
            match &claims[*name] {
                Value::Null => self.rule(name, "it to be there", "nothing", false),
                Value::String(text) if text.len() > 80 => {
                    self.rule(name, "", &format!("{} characters", text.len()), true);
                }
                value => self.rule(name, "", &value.to_string(), true),
            }
        }
        for name in ["iat", "nbf", "exp"] {
            match (&claims[name], date(name)) {
                (Value::Null, _) if name != "exp" && name != kind.from => {}
                (Value::Null, _) => {
                    self.rule(name, "a NumericDate (RFC 7519 §2)", "nothing", false);
                }
                (value, None) => {
                    self.rule(name, "a NumericDate (RFC 7519 §2)", &value.to_string(), false);
                }
                (value, Some(_)) => {
                    let shown = format!("{value} ({})", self.ago(value));
                    self.rule(name, "", &shown, true);
                }
            }
        }
        if let (Some(from), Some(exp)) = (date(kind.from), date("exp")) {
            let (life, most) = (exp - from, kind.life);
            let holds = life > 0.0 && life <= most;
            self.rule(
                "life",
                &format!("more than nothing, at most {most} s"),
                &format!("{life} s"),
                holds,
            );
        }
    }

    /// How far a NumericDate is from now, which may be long after the log was written.
    fn ago(&self, value: &Value) -> String {
        let Some(at) = value.as_f64() else { return String::new() };
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit a double exactly")]
        let offset = at - self.now.as_second() as f64;
        match offset {
            ahead if ahead > 0.0 => format!("in {ahead:.0} s"),
            behind => format!("{:.0} s ago", -behind),
        }
    }

    fn jwe(&mut self, token: &str, depth: usize) {
        self.title(depth, &format!("JWE, {} characters", token.len()));
        let jwe = match CompactJwe::parse(token) {
            Ok(jwe) => jwe,
            Err(e) => {
                return self.rule("form", "a compact JWE (RFC 7516 §7.1)", &e.to_string(), false);
            }
        };
        self.json("header", &Value::Object(jwe.header.clone()));
        for (name, expected) in [("alg", "RSA-OAEP-256"), ("enc", "A256GCM")] {
            let actual = jwe.header_text(name).unwrap_or("missing").to_owned();
            self.rule(name, expected, &actual, actual == expected);
        }
        for name in ["zip", "crit"].into_iter().filter(|name| jwe.header.contains_key(*name)) {
            self.rule(name, "no such header", "present", false);
        }
        if let Err(e) = jwe.admit() {
            self.rule("form", "what the profile admits", &e.to_string(), false);
        }
        let kid = jwe.header_text("kid").unwrap_or("missing").to_owned();
        let at = self.keys.decryption.iter().position(|(_, key)| key.kid().as_str() == kid);
        let Some(at) = at else {
            let owners: Vec<String> = self
                .keys
                .decryption
                .iter()
                .map(|(name, key)| format!("{name} ({})", key.kid()))
                .collect();
            self.rule("kid", &format!("an encryption key of {}", owners.join(" or ")), &kid, false);
            return self.unseen("plaintext", "no key at hand: give the folder of keys with --pki");
        };
        let owner = self.keys.decryption[at].0.clone();
        self.rule("kid", "", &format!("{kid}, {owner}"), true);
        match self.keys.decryption[at].1.decrypt(&jwe) {
            Err(e) => self.rule("plaintext", "one that can be decrypted", &e.to_string(), false),
            Ok(plaintext) => {
                self.rule("plaintext", "", &format!("{} bytes", plaintext.len()), true);
                let text = String::from_utf8_lossy(&plaintext).into_owned();
                match (serde_json::from_str::<Value>(&text), found(&text)) {
                    (Ok(json), _) => self.json("says", &json),
                    (Err(_), Some(inner)) => self.layer(inner, depth + 1),
                    (Err(_), None) => self.line(&format!("    says      {text}")),
                }
            }
        }
    }
}
