//! The operating system's randomness, through OpenSSL.

use ofp_types::Entropy;

/// OpenSSL's random generator, seeded by the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        // Only a machine without any source of entropy fails here; a predictable token would be
        // worse than stopping.
        openssl::rand::rand_bytes(bytes).expect("OpenSSL's random generator is seeded");
    }
}
