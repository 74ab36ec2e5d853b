//! The simulated PayNet: Authorization Server (AS) and Resource Server (RS) of the Open Finance
//! Platform, as far as a test journey needs them.
//!
//! Three listeners: the public AS (discovery, JWK sets, authorize, callback), the AS behind mutual
//! TLS (PAR, token) and the RS behind mutual TLS (consents, balances). On the wire it answers as
//! the platform would; *why* it refused goes into the journal as the exchange's note.
//!
//! [`PayNet::start`] runs it. The handle that it returns is the control surface: read a consent,
//! wait for one, shift a consent's clock, make PayNet call the DP.
//!
//! Folders: `authorization_server` has an endpoint of the Authorization Server a file, `resource_server` one of the Resource
//! Server a file, `provider` the calls to Data Providers, `state` what the platform remembers.

mod about;
mod authorization_server;
mod bearer;
mod client_auth;
mod config;
mod control;
mod error;
mod faults;
mod keys;
mod openapi;
mod platform;
mod provider;
mod refusal;
mod resource_server;
mod serve;
mod state;

pub use config::{
    AuthMethod, Client, ConfigError, DcRegistration, DpRegistration, Listeners, PaynetConfig,
    ProviderType, Webhooks,
};
pub use control::{PayNet, Unsettled};
pub use error::PaynetError;
pub use faults::{ActiveFault, FaultId, FaultScope};
pub use openapi::{BearerScheme, platform_openapi};
pub use provider::ForwardError;
pub use serve::ListenerKind;
