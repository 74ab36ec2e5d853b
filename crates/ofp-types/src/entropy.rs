//! Randomness is a parameter: whoever needs it is given an [`Entropy`].

use std::sync::Arc;

use uuid::Uuid;

use crate::hex;

/// A source of random bytes.
pub trait Entropy: Send + Sync {
    /// Fills `bytes`, every bit unpredictable to a peer.
    fn fill(&self, bytes: &mut [u8]);
}

impl<E: Entropy + ?Sized> Entropy for Arc<E> {
    fn fill(&self, bytes: &mut [u8]) {
        (**self).fill(bytes);
    }
}

/// A fresh random UUID (RFC 9562, version 4).
pub fn uuid_v4(entropy: &dyn Entropy) -> Uuid {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// A fresh opaque token of 256 bits, in hexadecimal (FAPI 2.0 SP §5.4.1 asks for at least 128).
pub fn token(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes);
    hex::encode(&bytes)
}
