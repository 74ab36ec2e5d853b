//! What a run amounts to.

/// All required checks passed.
pub const PASSED: u8 = 0;
/// A conformance failure, a failed expectation, or a snapshot that drifted.
pub const FAILED: u8 = 1;
/// Bad usage, configuration or scenario.
pub const CONFIG: u8 = 2;
/// A report could not be written.
pub const REPORT: u8 = 3;
/// The target could not be reached or tested.
pub const UNTESTED: u8 = 4;
/// Nothing was selected, or nothing of it could be played under the profile.
pub const NOTHING: u8 = 5;
/// A bug in this tool.
pub const BUG: u8 = 101;
/// Interrupted.
pub const INTERRUPTED: u8 = 130;

/// The order in which codes win over one another.
const ORDER: [u8; 6] = [BUG, CONFIG, FAILED, UNTESTED, REPORT, NOTHING];

/// The code that wins.
#[must_use]
pub fn worst(codes: &[u8]) -> u8 {
    ORDER.into_iter().find(|code| codes.contains(code)).unwrap_or(PASSED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_applies_wins() {
        assert_eq!(worst(&[]), PASSED);
        assert_eq!(worst(&[UNTESTED, FAILED, REPORT]), FAILED);
        assert_eq!(worst(&[FAILED, CONFIG]), CONFIG);
        assert_eq!(worst(&[REPORT, UNTESTED]), UNTESTED);
        assert_eq!(worst(&[BUG, CONFIG]), BUG);
    }
}
