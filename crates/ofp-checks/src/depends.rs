//! Which switches of the profile a requirement's verdict depends on.

use std::collections::BTreeSet;

use ofp_types::{Mutation, MutationPart, SignedCall, Switch};

use crate::{Requirement, Unserved};

impl Requirement {
    /// Of a profile's switches those that its verdict depends on: those that decide a reading which
    /// its sources cite, and those that give the messages which it wants spoilt their form.
    #[must_use]
    pub fn depends_on(&self, switches: &[Switch]) -> Vec<Switch> {
        let names = self.switch_names();
        let cited = |switch: &Switch| {
            let reading = switch.reading.filter(|reading| *reading != "X-09");
            reading.is_some_and(|reading| cites(self.source, reading))
        };
        let ours = |switch: &&Switch| cited(switch) || names.contains(switch.name);
        switches.iter().filter(ours).cloned().collect()
    }

    fn switch_names(&self) -> BTreeSet<&'static str> {
        let spoilt = self.refusals.iter().filter_map(|unserved| match unserved {
            Unserved::Spoilt(at, mutation) => Some((*at, *mutation)),
            _ => None,
        });
        let of_form = spoilt.chain(self.services.iter().copied());
        let mut names: BTreeSet<&'static str> = of_form
            .filter(|(_, mutation)| is_of_signature(*mutation))
            .filter_map(|(at, _)| at.signed_call())
            .flat_map(|call| forms(call).iter().copied())
            .collect();
        if self.id.starts_with('P') || self.id.starts_with('H') || self.id == "G-07" {
            names.insert("oidc_at_dp");
        }
        // one reading, two switches: messages with a body and requests without
        if cites(self.source, "X-09") {
            names.insert(if self.id.starts_with('J') { "sig_resource" } else { "sig_body" });
        }
        names
    }
}

fn is_of_signature(mutation: Mutation) -> bool {
    matches!(mutation.part(), MutationPart::Signature | MutationPart::Claims)
}

fn forms(call: SignedCall) -> &'static [&'static str] {
    match call {
        SignedCall::Event => &["sig_body"],
        SignedCall::Link => &[],
        SignedCall::Userinfo => &["sig_userinfo"],
        SignedCall::Data => &["sig_header", "sig_resource", "resource_signer"],
    }
}

/// Whether a source names a reading.
fn cites(source: &str, reading: &str) -> bool {
    source.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).any(|word| word == reading)
}

#[cfg(test)]
mod tests {
    use ofp_types::Profile;

    use crate::find;

    #[test]
    fn a_verdict_names_the_switches_that_it_depends_on() {
        for (id, switches) in [
            ("C-39", &[][..]),
            ("C-06", &["sig_body: detached"]),
            ("D-01", &["authorize_mode: relay"]),
            ("G-05", &["sig_body: detached"]),
            ("J-11", &["sig_header: both", "sig_resource: claims", "resource_signer: both"]),
            ("P-01", &["oidc_at_dp: false"]),
        ] {
            let on = find(id).unwrap().depends_on(&Profile::default().switches());
            let on: Vec<String> = on.iter().map(ToString::to_string).collect();
            assert_eq!(on, switches, "{id}");
        }
    }
}
