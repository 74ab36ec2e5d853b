//! Who has which certificates.

/// A participant of the simulated platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Party {
    /// The platform.
    PayNet,
    /// The Data Consumer of the journeys.
    Dc1,
    /// Another Data Consumer: a stranger to the first one's consents.
    Dc2,
    /// The Data Provider.
    Dp,
}

impl Party {
    /// Every participant.
    pub const ALL: [Self; 4] = [Self::PayNet, Self::Dc1, Self::Dc2, Self::Dp];

    /// Its folder.
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Self::PayNet => "paynet",
            Self::Dc1 => "dc-1",
            Self::Dc2 => "dc-2",
            Self::Dp => "dp",
        }
    }

    /// The organization in its certificates.
    #[must_use]
    pub fn organization(self) -> &'static str {
        match self {
            Self::PayNet => "Simulated PayNet",
            Self::Dc1 => "Mock DC One",
            Self::Dc2 => "Mock DC Two",
            Self::Dp => "Reference DP",
        }
    }
}

/// What a leaf certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Purpose {
    /// To be called: ECDSA P-256, `serverAuth`.
    TlsServer,
    /// To call: ECDSA P-256, `clientAuth`.
    TlsClient,
    /// To sign messages: RSA-2048, JWK `use` `sig`. Its extended key usage is document signing
    /// (RFC 9336), because a certificate without any passes as a TLS client's.
    Signing,
    /// To receive encrypted data: RSA-2048, JWK `use` `enc`.
    Encryption,
}

impl Purpose {
    /// The stem of its files.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::TlsServer => "server",
            Self::TlsClient => "client",
            Self::Signing => "signing",
            Self::Encryption => "encryption",
        }
    }

    pub(crate) fn is_rsa(self) -> bool {
        matches!(self, Self::Signing | Self::Encryption)
    }
}

/// One leaf certificate of the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Leaf {
    /// Whose.
    pub party: Party,
    /// What for.
    pub purpose: Purpose,
}

impl Leaf {
    /// Every leaf: the RSA keys first, which take longest to make.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let of = |party, purpose| Self { party, purpose };
        let mut leaves = Vec::new();
        for purpose in
            [Purpose::Signing, Purpose::Encryption, Purpose::TlsServer, Purpose::TlsClient]
        {
            for party in Party::ALL {
                let is_dc = matches!(party, Party::Dc1 | Party::Dc2);
                if purpose != Purpose::Encryption || is_dc {
                    leaves.push(of(party, purpose));
                }
            }
        }
        leaves
    }

    /// Its file without an ending, such as `dp/signing`.
    #[must_use]
    pub fn stem(self) -> String {
        format!("{}/{}", self.party.folder(), self.purpose.file())
    }

    pub(crate) fn common_name(self) -> String {
        let role = match self.purpose {
            Purpose::TlsServer => "TLS server",
            Purpose::TlsClient => "TLS client",
            Purpose::Signing => "signing",
            Purpose::Encryption => "encryption",
        };
        format!("{} {role}", self.party.organization())
    }
}
