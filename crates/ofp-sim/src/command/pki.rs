//! `ofp-sim pki`.

use std::fmt::Write as _;

use ofp_net::SystemClock;
use ofp_pki::{Action, Credential, Leaf, OpenOptions, Party, Pki, Purpose, describe};
use ofp_runner::exit;
use ofp_types::Clock as _;

use super::print;
use crate::{
    args::{PkiAction, PkiArgs},
    failure::Failure,
};

pub(super) fn pki(action: &PkiAction) -> Result<u8, Failure> {
    let (args, renew) = match action {
        PkiAction::Init(args) | PkiAction::Show(args) => (args, false),
        PkiAction::Renew(args) => (args, true),
    };
    if matches!(action, PkiAction::Show(_)) && !args.pki.join("ca.pem").exists() {
        let folder = args.pki.display();
        print(&format!(
            "there are no certificates in {folder}: make them with `ofp-sim pki init`\n"
        ))?;
        return Ok(exit::CONFIG);
    }
    let (pki, actions) = open(args, renew)?;
    let mut text = String::new();
    for leaf in Leaf::all() {
        let action = actions.get(&leaf.stem()).copied().unwrap_or(Action::Reused);
        row(&mut text, &leaf, credential(&pki, leaf), action);
    }
    let folder = args.pki.display();
    let _ = writeln!(text, "\nCA: {folder}/ca.pem ({})", describe(pki.ca.subject_name()));
    print(&text)?;
    Ok(exit::PASSED)
}

fn open(
    args: &PkiArgs,
    renew: bool,
) -> Result<(Pki, std::collections::BTreeMap<String, Action>), Failure> {
    let mut options = OpenOptions::at(SystemClock.now());
    options.names.clone_from(&args.name);
    options.renew = renew;
    Ok(Pki::open(&args.pki, &options)?)
}

fn row(text: &mut String, leaf: &Leaf, credential: &Credential, action: Action) {
    let word = match action {
        Action::Reused => "kept",
        Action::Created => "created",
        Action::Renewed => "renewed",
    };
    let until = credential.not_after().map(|t| t.to_string().chars().take(10).collect::<String>());
    let kid = credential.thumbprint().map(|kid| kid.to_string()).unwrap_or_default();
    let until = until.unwrap_or_default();
    let _ = writeln!(text, "{:<16}  {word:<7}  until {until}  {kid}", leaf.stem());
}

fn credential(pki: &Pki, leaf: Leaf) -> &Credential {
    let kit = pki.kit(leaf.party);
    match leaf.purpose {
        Purpose::TlsServer => &kit.server,
        Purpose::TlsClient => &kit.client,
        Purpose::Signing => &kit.signing,
        Purpose::Encryption if leaf.party == Party::Dc2 => &pki.dcs[1].encryption,
        Purpose::Encryption => &pki.dcs[0].encryption,
    }
}
