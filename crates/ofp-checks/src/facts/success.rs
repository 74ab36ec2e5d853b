//! Whether a page tells its reader of success.

/// In English and Malay.
const SUCCESS: [&str; 9] = [
    "success",
    "are linked",
    "is linked",
    "been linked",
    "approved",
    "thank you",
    "berjaya",
    "diluluskan",
    "terima kasih",
];
const FAILURE: [&str; 17] = [
    "error",
    "fail",
    "unable",
    "could not",
    "couldn't",
    "cannot",
    "not linked",
    "unsuccessful",
    "sorry",
    "try again",
    "unavailable",
    "expired",
    "too late",
    "ralat",
    "gagal",
    "maaf",
    "tamat",
];

/// Whether a page says success, and no word of failure beside it.
pub(crate) fn told_of_success(text: &str) -> bool {
    let text = text.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    says(&SUCCESS) && !says(&FAILURE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn success_and_failure_are_told_apart() {
        for text in ["Your accounts are linked", "Approved. Thank you!", "Permohonan berjaya"] {
            assert!(told_of_success(text), "{text}");
        }
        for text in ["We could not complete your request", "Not approved: try again", "Maaf", ""] {
            assert!(!told_of_success(text), "{text}");
        }
    }
}
