//! Where everybody answers.

use std::net::TcpListener;

use ofp_net::{NetError, bind, local_port};
use ofp_paynet::Listeners;
use ofp_scenario::Listen;
use ofp_types::Origin;

use super::{WorldError, WorldOptions};
use crate::target::Target;

/// How many ports a world takes, one after the other, beside the control surface.
const PORTS: u16 = 7;

/// A listener on the loopback interface, with what it is called there.
pub(super) type Socket = (TcpListener, Origin);

/// Everybody's listeners. The order is that of the ports, counted from the base.
pub(super) struct Sockets {
    pub(super) paynet: Listeners,
    pub(super) dc: Socket,
    pub(super) dc_webhooks: Socket,
    /// The reference DP's pages and webhooks, where the DP is ours.
    pub(super) dp: Option<(Socket, Socket)>,
}

/// Everybody's base URLs.
#[derive(Debug, Clone)]
pub struct Origins {
    /// PayNet's public AS, which is also the issuer.
    pub paynet_as: Origin,
    /// PayNet's AS behind mutual TLS.
    pub paynet_as_mtls: Origin,
    /// PayNet's RS behind mutual TLS.
    pub paynet_rs: Origin,
    /// The DC's page.
    pub dc: Origin,
    /// The DC's webhook behind mutual TLS.
    pub dc_webhooks: Origin,
    /// The DP's issuer: where the reference DP's pages are.
    pub dp: Origin,
    /// The DP's webhooks D1 to D3 behind mutual TLS.
    pub dp_webhooks: Origin,
    /// Its webhooks D4 to D7, which may be elsewhere.
    pub dp_rs_webhooks: Origin,
}

impl Sockets {
    /// Those that the options ask for.
    pub(super) fn of(options: &WorldOptions) -> Result<Self, WorldError> {
        match &options.target {
            Some(target) => Self::for_target(target.listen()),
            None => Self::open(options.port_base),
        }
    }

    /// Free ports, or those that follow `base`.
    fn open(base: Option<u16>) -> Result<Self, WorldError> {
        let mut next = base;
        let mut listen = || {
            let listener = bind("127.0.0.1", next.unwrap_or(0))?;
            next = next.map(|port| port.saturating_add(1));
            let port = local_port(&listener)?;
            Ok::<_, WorldError>((listener, Origin::parse(&format!("https://localhost:{port}"))?))
        };
        Ok(Self {
            paynet: Listeners { as_public: listen()?, as_mtls: listen()?, rs: listen()? },
            dc: listen()?,
            dc_webhooks: listen()?,
            dp: Some((listen()?, listen()?)),
        })
    }

    /// Where a DP that is not ours expects everybody.
    fn for_target(listen: &Listen) -> Result<Self, WorldError> {
        let open = |port: u16| {
            let listener = bind(&listen.bind, port)?;
            let port = local_port(&listener)?;
            let origin = Origin::parse(&format!("https://{}:{port}", listen.host))?;
            Ok::<_, WorldError>((listener, origin))
        };
        Ok(Self {
            paynet: Listeners {
                as_public: open(listen.authorization)?,
                as_mtls: open(listen.authorization_mtls)?,
                rs: open(listen.resource)?,
            },
            dc: open(listen.dc)?,
            // only PayNet calls it
            dc_webhooks: open(0)?,
            dp: None,
        })
    }

    /// Everybody's base URLs; those of a DP that is not ours are as its target file says.
    pub(super) fn origins(&self, target: Option<&Target>) -> Result<Origins, WorldError> {
        let (dp, as_webhooks, rs_webhooks) = match (&self.dp, target) {
            (Some((pages, webhooks)), _) => {
                (pages.1.clone(), webhooks.1.clone(), webhooks.1.clone())
            }
            (None, Some(target)) => {
                (target.issuer.clone(), target.as_webhooks.clone(), target.rs_webhooks.clone())
            }
            (None, None) => return Err(WorldError::NoDp),
        };
        Ok(Origins {
            paynet_as: self.paynet.as_public.1.clone(),
            paynet_as_mtls: self.paynet.as_mtls.1.clone(),
            paynet_rs: self.paynet.rs.1.clone(),
            dc: self.dc.1.clone(),
            dc_webhooks: self.dc_webhooks.1.clone(),
            dp,
            dp_webhooks: as_webhooks,
            dp_rs_webhooks: rs_webhooks,
        })
    }
}

/// A listener for the control surface: after the others, or on a free port.
pub(super) fn control_socket(base: Option<u16>) -> Result<TcpListener, NetError> {
    bind("127.0.0.1", base.map_or(0, |base| base.saturating_add(PORTS)))
}

impl Origins {
    /// Each with its name in snapshots.
    pub(super) fn named(&self) -> [(&'static str, &Origin); 7] {
        [
            ("paynet-as", &self.paynet_as),
            ("paynet-as-mtls", &self.paynet_as_mtls),
            ("paynet-rs", &self.paynet_rs),
            ("dc", &self.dc),
            ("dc-webhooks", &self.dc_webhooks),
            ("dp", &self.dp),
            ("dp-webhooks", &self.dp_webhooks),
        ]
    }
}
