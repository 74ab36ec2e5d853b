//! A ClientHello written by hand, for what OpenSSL 3 can no longer offer.

use std::time::Duration;

use ofp_evidence::{Failure, Stage};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::reach::connect;

const TLS_1_1: u16 = 0x0302;
const TLS_1_2: u16 = 0x0303;
/// CBC suites with SHA-1.
const CBC_SHA1: &[u16] = &[0xc013, 0xc014, 0xc009, 0xc00a, 0x002f, 0x0035, 0x0033, 0x0039];
/// RC4, 3DES, NULL, EXPORT, anonymous.
const WEAK: &[u16] = &[
    0x0004, 0x0005, 0xc007, 0xc011, 0x000a, 0xc008, 0xc012, 0x0016, 0x0001, 0x0002, 0x003b, 0xc006,
    0xc010, 0x0003, 0x0006, 0x0008, 0x0014, 0x0018, 0x001b, 0x0034, 0x003a, 0x006c, 0x006d, 0xc015,
    0xc016, 0xc017, 0xc018, 0xc019,
];
/// The longest record (RFC 5246 §6.2.3).
const LONGEST_RECORD: usize = (1 << 14) + 2048;

/// What a ClientHello offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hello {
    /// TLS 1.1 at most.
    TooOld,
    /// TLS 1.2 with suites that are broken.
    WeakSuites,
    /// TLS 1.2 with CBC suites and SHA-1.
    CbcSha1Suites,
}

/// What a server chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerHello {
    pub(crate) version: String,
    pub(crate) cipher: String,
}

impl Hello {
    fn version(self) -> u16 {
        if self == Self::TooOld { TLS_1_1 } else { TLS_1_2 }
    }

    fn suites(self) -> Vec<u16> {
        match self {
            // TLS 1.1 has no better ones
            Self::TooOld => [CBC_SHA1, &[0x000a]].concat(),
            Self::WeakSuites => WEAK.to_vec(),
            Self::CbcSha1Suites => CBC_SHA1.to_vec(),
        }
    }

    /// Says hello, and what the server answers.
    pub(crate) async fn greet(
        self,
        host: &str,
        port: u16,
        random: [u8; 32],
        deadline: Duration,
    ) -> Result<ServerHello, Failure> {
        let talk = async {
            let mut tcp = connect(host, port)
                .await
                .map_err(|e| failed(Stage::Connect, format!("{host}:{port}: {e}")))?;
            let hello = client_hello(self.version(), &self.suites(), host, random);
            tcp.write_all(&hello).await.map_err(|e| failed(Stage::Send, e.to_string()))?;
            answer(&mut tcp).await
        };
        match tokio::time::timeout(deadline, talk).await {
            Ok(answer) => answer,
            Err(_) => Err(failed(Stage::Timeout, format!("nothing within {deadline:?}"))),
        }
    }
}

fn failed(stage: Stage, detail: String) -> Failure {
    Failure { stage, detail }
}

/// With a length of `width` bytes before it.
fn sized(width: usize, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    [&length[length.len() - width..], content].concat()
}

fn numbers(all: &[u16]) -> Vec<u8> {
    all.iter().flat_map(|number| number.to_be_bytes()).collect()
}

fn extension(number: u16, content: &[u8]) -> Vec<u8> {
    [number.to_be_bytes().to_vec(), sized(2, content)].concat()
}

/// RFC 5246 §7.4.1.2, in one record.
fn client_hello(version: u16, suites: &[u16], host: &str, random: [u8; 32]) -> Vec<u8> {
    // x25519, P-256, P-384; PKCS#1 and PSS with SHA-256, ECDSA, and SHA-1 for what is as old
    let (groups, schemes) = ([29, 23, 24], [0x0804, 0x0401, 0x0403, 0x0503, 0x0201, 0x0203]);
    let mut extensions = Vec::new();
    if host.parse::<std::net::IpAddr>().is_err() {
        let name = [vec![0], sized(2, host.as_bytes())].concat();
        extensions.extend(extension(0, &sized(2, &name)));
    }
    extensions.extend(extension(10, &sized(2, &numbers(&groups))));
    extensions.extend(extension(11, &[1, 0]));
    if version == TLS_1_2 {
        extensions.extend(extension(13, &sized(2, &numbers(&schemes))));
    }
    let body = [
        version.to_be_bytes().to_vec(),
        random.to_vec(),
        vec![0],
        sized(2, &numbers(suites)),
        vec![1, 0],
        sized(2, &extensions),
    ]
    .concat();
    let handshake = [vec![1], sized(3, &body)].concat();
    [vec![0x16, 3, 1], sized(2, &handshake)].concat()
}

/// A ServerHello, or how the server refuses: an alert, or the end of the connection.
async fn answer(tcp: &mut TcpStream) -> Result<ServerHello, Failure> {
    let closed =
        |e: std::io::Error| failed(Stage::Tls, format!("the server closed the connection ({e})"));
    let mut head = [0; 5];
    tcp.read_exact(&mut head).await.map_err(closed)?;
    let length = usize::from(u16::from_be_bytes([head[3], head[4]]));
    if length > LONGEST_RECORD {
        return Err(failed(Stage::Receive, "the answer is no TLS record".into()));
    }
    let mut record = vec![0; length];
    tcp.read_exact(&mut record).await.map_err(closed)?;
    match (head[0], record.as_slice()) {
        (0x15, [_, alert, ..]) => {
            Err(failed(Stage::Tls, format!("alert {alert} ({})", alert_name(*alert))))
        }
        (0x16, [2, ..]) => server_hello(&record)
            .ok_or_else(|| failed(Stage::Receive, "the ServerHello cannot be read".into())),
        _ => Err(failed(Stage::Receive, "the answer is no TLS record".into())),
    }
}

fn server_hello(handshake: &[u8]) -> Option<ServerHello> {
    let number =
        |at: usize| Some(u16::from_be_bytes([*handshake.get(at)?, *handshake.get(at + 1)?]));
    let session = usize::from(*handshake.get(38)?);
    let (version, suite) = (number(4)?, number(39 + session)?);
    let version = match version {
        0x0300 => "SSLv3".to_owned(),
        0x0301 => "TLSv1".to_owned(),
        TLS_1_1 => "TLSv1.1".to_owned(),
        TLS_1_2 => "TLSv1.2".to_owned(),
        other => format!("version {other:#06x}"),
    };
    Some(ServerHello { version, cipher: format!("suite {suite:#06x}") })
}

/// RFC 5246 §7.2.
fn alert_name(alert: u8) -> &'static str {
    match alert {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        40 => "handshake_failure",
        47 => "illegal_parameter",
        50 => "decode_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        109 => "missing_extension",
        112 => "unrecognized_name",
        _ => "another",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_hello_says_how_long_each_of_its_parts_is() {
        let hello = client_hello(TLS_1_1, &[0x002f], "localhost", [7; 32]);
        let length = |at: usize| usize::from(hello[at]) << 8 | usize::from(hello[at + 1]);
        assert_eq!(hello[..3], [0x16, 3, 1]);
        assert_eq!(length(3), hello.len() - 5);
        assert_eq!(hello[5], 1);
        assert_eq!(length(7), hello.len() - 9);
        assert_eq!(hello[9..11], [3, 2]);
        assert!(hello.windows(9).any(|bytes| bytes == b"localhost"));
    }

    #[test]
    fn a_server_hello_is_read_and_a_short_one_is_not() {
        let mut record = vec![2, 0, 0, 38, 3, 2];
        record.extend([9; 32]);
        record.extend([0, 0xc0, 0x13, 0]);
        let read = server_hello(&record).unwrap();
        assert_eq!((read.version.as_str(), read.cipher.as_str()), ("TLSv1.1", "suite 0xc013"));
        for cut in 0..record.len() - 1 {
            assert_eq!(server_hello(&record[..cut]), None, "{cut}");
        }
    }
}
