//! What follows from what: the consequence of a first failure is not a second one.

/// Requirements whose breach can follow from the breach of others.
const FOLLOWS: &[(&str, &[&str])] = &[
    // without a token there is no Update Consent
    ("G-01", &["F-01", "F-02", "F-03", "F-04", "F-05", "F-06"]),
    ("G-02", &["G-01", "F-01", "F-02", "F-03", "F-04", "F-05", "F-06"]),
    ("F-07", &["F-01", "F-02", "F-03", "F-04", "F-05", "F-06"]),
    // PayNet gives no code for a decision that it was not told of, or did not accept
    (
        "I-07",
        &[
            "F-01", "F-02", "F-03", "F-04", "F-05", "F-06", "F-07", "G-01", "G-03", "G-04", "G-05",
            "G-06", "G-07", "G-08", "G-09", "H-01", "H-03", "H-04", "H-05", "H-08", "P-01", "P-02",
            "P-03",
        ],
    ),
    (
        "I-08",
        &[
            "F-01", "F-02", "F-03", "F-04", "F-05", "F-06", "F-07", "G-01", "G-03", "G-04", "G-05",
            "G-12",
        ],
    ),
    // a consent that the DP was never told of cannot be authorized
    ("D-01", &["C-01"]),
];

/// Without a connection there is nothing at all.
const FIRST_OF_ALL: [&str; 2] = ["A-10", "A-01"];

/// The requirement whose failure explains that of `id`, if one does.
pub fn root_of(id: &str, explains: impl Fn(&str) -> bool) -> Option<&'static str> {
    let named = FOLLOWS.iter().find(|(follower, _)| *follower == id);
    let roots = named.into_iter().flat_map(|(_, roots)| roots.iter());
    let before = FIRST_OF_ALL.iter().take_while(|root| **root != id);
    before.chain(roots).copied().find(|root| explains(root))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::find;

    #[test]
    fn every_name_exists_and_nothing_follows_from_itself() {
        for (follower, roots) in FOLLOWS {
            assert!(find(follower).is_some(), "{follower}");
            for root in *roots {
                assert!(find(root).is_some() && root != follower, "{follower} {root}");
            }
        }
    }
}
