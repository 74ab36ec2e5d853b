//! A curl line that repeats an exchange, with certificate paths.

use ofp_evidence::{ExchangeId, REFERENCE_DP, Role, cut};
use ofp_types::{Mutation, MutationPart};

use crate::{run::Run, shell::quoted};

/// Headers that curl writes itself, or that must not be shown.
const LEFT_OUT: [&str; 4] = ["host", "content-length", "cookie", "accept"];

/// A shell takes no longer line from a terminal, and no reader either.
const LONGEST: usize = 32_768;

/// So much of a value tells which it is.
const SHORT: usize = 24;

/// The line for people to read below a failure. It is whole where the DP is still there to be asked; the reference DP
/// went with the run.
pub(crate) fn line_below(run: &Run<'_>, id: ExchangeId) -> Option<String> {
    if run.summary.started.target != REFERENCE_DP {
        return line(run, id);
    }
    let short = written(run, id, &|value| cut(value, SHORT))?;
    Some(format!("{short}  # shortened: what it would ask went with the run"))
}

/// The line; nothing when there is no folder of certificates, or the certificate that the exchange travelled
/// with is in none.
pub(crate) fn line(run: &Run<'_>, id: ExchangeId) -> Option<String> {
    let line = written(run, id, &str::to_owned)?;
    Some(match line.len() {
        length if length > LONGEST => {
            format!("# {length} characters, too many to paste: the exchange is in --evidence FILE")
        }
        _ => line,
    })
}

fn written(run: &Run<'_>, id: ExchangeId, shown: &dyn Fn(&str) -> String) -> Option<String> {
    let folder = run.summary.pki_folder.as_deref()?;
    let exchange = run.exchange(id)?;
    let secrets = &run.summary.secrets;
    let mut parts = vec!["curl -sS -i".to_owned()];
    parts.push(format!("--cacert {}", quoted(&format!("{folder}/ca.pem"))));
    if let Some(party) = certificate(exchange.from, run.spoilt(id).map(|(mutation, _)| mutation))? {
        parts.push(format!("--cert {}", quoted(&format!("{folder}/{party}/client.pem"))));
        parts.push(format!("--key {}", quoted(&format!("{folder}/{party}/client-key.pem"))));
    }
    if exchange.method != "GET" {
        parts.push(format!("-X {}", exchange.method));
    }
    for (name, value) in &exchange.request.headers {
        if !LEFT_OUT.contains(&name.as_str()) {
            let value = secrets.shown_header(name, value);
            parts.push(format!("-H {}", quoted(&format!("{name}: {}", shown(&value)))));
        }
    }
    if !exchange.request.body.is_empty() {
        let body = secrets.shown_body(&exchange.request);
        parts.push(format!("--data-raw {}", quoted(&shown(&body))));
    }
    parts.push(quoted(&secrets.shown_url(&exchange.url)));
    Some(parts.join(" "))
}

/// Whose client certificate an exchange travels with, if with one; `None` for one that is in no folder.
fn certificate(from: Role, spoilt: Option<Mutation>) -> Option<Option<&'static str>> {
    match spoilt {
        Some(Mutation::NoClientCertificate) => Some(None),
        Some(Mutation::ClientCertificateOfDc) => Some(party(Role::Dc)),
        Some(Mutation::ClientCertificateOfDp) => Some(party(Role::Dp)),
        Some(mutation) if mutation.part() == MutationPart::Client => None,
        _ => Some(party(from)),
    }
}

fn party(from: Role) -> Option<&'static str> {
    match from {
        Role::PayNet => Some("paynet"),
        Role::Dc => Some("dc-1"),
        Role::Dp => Some("dp"),
        Role::Customer => None,
    }
}
