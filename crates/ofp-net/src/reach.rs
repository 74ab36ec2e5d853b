//! TCP connections by name.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
};

use tokio::net::TcpStream;

/// Connects to a host. `localhost` is the loopback interface without anybody being asked (RFC 6761 §6.3), addresses are
/// what they are; any other name is the system's to resolve.
///
/// # Errors
/// The system's, of the last address that was tried.
pub async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    if !is_localhost(host) {
        return TcpStream::connect((host, port)).await;
    }
    let loopback = [
        SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        SocketAddr::from((Ipv6Addr::LOCALHOST, port)),
    ];
    TcpStream::connect(&loopback[..]).await
}

fn is_localhost(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_and_what_is_under_it_is_nobody_elses() {
        for name in ["localhost", "LOCALHOST", "localhost.", "dp.localhost"] {
            assert!(is_localhost(name), "{name}");
        }
        for name in ["localhost.test", "notlocalhost", "127.0.0.1", ""] {
            assert!(!is_localhost(name), "{name}");
        }
    }
}
