//! Names of the outside, resolved as the machine itself would (files, VPN, split DNS and all).

use super::accept::adopt;
use crate::error::RelayError;
use crate::net::address::{MACHINE, MACHINE_NAME};
use hickory_proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::A;
use hickory_proto::rr::{RData, Record, RecordType};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Lookups at one time: each occupies a thread while the machine's resolver waits.
const MOST: usize = 64;
const SECONDS_TO_LIVE: u32 = 30;
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn serve_udp(socket: std::net::UdpSocket, shutdown: CancellationToken) -> Result<(), RelayError> {
    let failed = |source| RelayError::Socket { name: "DNS over UDP", source };
    socket.set_nonblocking(true).map_err(failed)?;
    let socket = Arc::new(UdpSocket::from_std(socket).map_err(failed)?);
    let room = Arc::new(Semaphore::new(MOST));
    let mut buffer = vec![0; 4096];
    loop {
        let received = tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            received = socket.recv_from(&mut buffer) => received,
        };
        let Ok((length, client)) = received else { continue };
        // A full house drops the query: DNS clients ask again.
        let Ok(place) = room.clone().try_acquire_owned() else { continue };
        let (query, socket) = (buffer[..length].to_vec(), socket.clone());
        tokio::spawn(async move {
            if let Some(reply) = answer(&query).await {
                let _ = socket.send_to(&reply, client).await;
            }
            drop(place);
        });
    }
}

pub(super) async fn serve_tcp(listener: std::net::TcpListener, shutdown: CancellationToken) -> Result<(), RelayError> {
    let listener = adopt(listener).map_err(|source| RelayError::Socket { name: "DNS over TCP", source })?;
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        tokio::spawn(tokio::time::timeout(PATIENCE, converse(stream)));
    }
}

async fn converse(mut stream: TcpStream) -> std::io::Result<()> {
    loop {
        let length = stream.read_u16().await?;
        let mut query = vec![0; usize::from(length)];
        stream.read_exact(&mut query).await?;
        let Some(reply) = answer(&query).await else { return Ok(()) };
        stream.write_u16(u16::try_from(reply.len()).unwrap_or(u16::MAX)).await?;
        stream.write_all(&reply).await?;
    }
}

/// The reply to one query; `None` for what is no query.
async fn answer(bytes: &[u8]) -> Option<Vec<u8>> {
    let query = Message::from_vec(bytes).ok()?;
    if query.metadata.message_type != MessageType::Query {
        return None;
    }
    let mut reply = Message::response(query.metadata.id, query.metadata.op_code);
    reply.metadata.recursion_desired = query.metadata.recursion_desired;
    reply.metadata.recursion_available = true;
    reply.add_queries(query.queries.iter().cloned());
    let asked = query.queries.first();
    reply.metadata.response_code = match asked {
        Some(question) if query.metadata.op_code == OpCode::Query => match question.query_type() {
            RecordType::A => match resolve(&question.name().to_ascii()).await {
                Ok(addresses) => {
                    let name = question.name();
                    reply.add_answers(
                        addresses
                            .into_iter()
                            .map(|a| Record::from_rdata(name.clone(), SECONDS_TO_LIVE, RData::A(A(a)))),
                    );
                    ResponseCode::NoError
                }
                Err(code) => code,
            },
            // The yard speaks IPv4: an empty answer sends programs to the A record at once.
            RecordType::AAAA => ResponseCode::NoError,
            // The machine's resolver interface knows addresses only.
            _ => ResponseCode::NotImp,
        },
        Some(_) => ResponseCode::NotImp,
        None => ResponseCode::FormErr,
    };
    reply.to_vec().ok()
}

/// The IPv4 addresses that the machine knows a name by.
pub(super) async fn resolve(name: &str) -> Result<Vec<Ipv4Addr>, ResponseCode> {
    let name = name.trim_end_matches('.');
    if name.eq_ignore_ascii_case(MACHINE_NAME) {
        return Ok(vec![MACHINE]);
    }
    match tokio::time::timeout(PATIENCE, tokio::net::lookup_host((name, 0))).await {
        Ok(Ok(found)) => {
            let mut addresses: Vec<Ipv4Addr> = Vec::new();
            for address in found {
                if let IpAddr::V4(v4) = address.ip()
                    && !addresses.contains(&v4)
                {
                    addresses.push(v4);
                }
            }
            Ok(addresses)
        }
        // getaddrinfo's EAI_AGAIN has no kind of its own; its text does not depend on the locale here.
        Ok(Err(error)) if error.to_string().contains("Temporary failure") => Err(ResponseCode::ServFail),
        Ok(Err(_)) => Err(ResponseCode::NXDomain),
        Err(_) => Err(ResponseCode::ServFail),
    }
}
