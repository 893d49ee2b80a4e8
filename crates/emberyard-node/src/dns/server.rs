//! DNS over UDP and TCP on the cluster's DNS address.

use super::zone::{Data, Found, Kind, LocalPods, look_up, look_up_own};
use crate::cluster::ClusterView;
use crate::net::address::{DNS_PORT, YARD};
use crate::tasks::Tasks;
use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::{A, CNAME, PTR, SRV};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, RwLock};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

const SECONDS_TO_LIVE: u32 = 5;
const PATIENCE: Duration = Duration::from_secs(10);
/// Without EDNS a client takes no more by UDP.
const PLAIN_UDP: u16 = 512;

#[derive(Clone)]
struct Names {
    cluster: ClusterView,
    pods: Arc<RwLock<LocalPods>>,
}

/// Binds and serves in the background.
pub(crate) async fn serve(
    address: Ipv4Addr,
    cluster: ClusterView,
    pods: Arc<RwLock<LocalPods>>,
    tasks: &Tasks,
) -> std::io::Result<()> {
    let udp = Arc::new(UdpSocket::bind((address, DNS_PORT)).await?);
    let tcp = TcpListener::bind((address, DNS_PORT)).await?;
    let names = Names { cluster, pods };
    let (for_tcp, spawner) = (names.clone(), tasks.clone());
    tasks.spawn(async move {
        let mut buffer = vec![0; 4096];
        loop {
            let Ok((length, client)) = udp.recv_from(&mut buffer).await else { continue };
            let (query, socket, names) = (buffer[..length].to_vec(), udp.clone(), names.clone());
            tokio::spawn(async move {
                if let Some(reply) = names.answer(&query, client.ip(), false).await {
                    let _ = socket.send_to(&reply, client).await;
                }
            });
        }
    });
    spawner.spawn(async move {
        loop {
            match tcp.accept().await {
                Ok((stream, client)) => {
                    let names = for_tcp.clone();
                    tokio::spawn(tokio::time::timeout(PATIENCE, names.converse(stream, client.ip())));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    });
    Ok(())
}

impl Names {
    async fn converse(self, mut stream: TcpStream, client: IpAddr) -> std::io::Result<()> {
        loop {
            let length = stream.read_u16().await?;
            let mut query = vec![0; usize::from(length)];
            stream.read_exact(&mut query).await?;
            let Some(reply) = self.answer(&query, client, true).await else { return Ok(()) };
            stream.write_u16(u16::try_from(reply.len()).unwrap_or(u16::MAX)).await?;
            stream.write_all(&reply).await?;
        }
    }

    /// The reply to one query; `None` for what is no query.
    async fn answer(&self, bytes: &[u8], client: IpAddr, tcp: bool) -> Option<Vec<u8>> {
        let query = Message::from_vec(bytes).ok()?;
        if query.metadata.message_type != MessageType::Query {
            return None;
        }
        let found = match query.queries.first() {
            Some(question) if query.metadata.op_code == OpCode::Query => self.find(question, client),
            _ => None,
        };
        if found == Some(Found::Foreign) {
            return match forward(bytes, tcp).await {
                Ok(reply) => Some(reply),
                Err(_) => reply(&query, ResponseCode::ServFail, Vec::new()).to_vec().ok(),
            };
        }
        let name = query.queries.first().map(|q| q.name().clone())?;
        let message = match found {
            None => reply(&query, ResponseCode::NotImp, Vec::new()),
            Some(Found::Nothing | Found::Foreign) => reply(&query, ResponseCode::NXDomain, Vec::new()),
            Some(Found::Records(records)) => {
                let records = records.into_iter().filter_map(|data| {
                    let data = match data {
                        Data::A(address) => RData::A(A(address)),
                        Data::Srv(port, host) => RData::SRV(SRV::new(0, 100, port, absolute(&host)?)),
                        Data::Ptr(host) => RData::PTR(PTR(absolute(&host)?)),
                        Data::Cname(host) => RData::CNAME(CNAME(absolute(&host)?)),
                    };
                    Some(Record::from_rdata(name.clone(), SECONDS_TO_LIVE, data))
                });
                reply(&query, ResponseCode::NoError, records.collect())
            }
        };
        let encoded = message.to_vec().ok()?;
        let room = query.edns.as_ref().map_or(PLAIN_UDP, |e| e.max_payload().max(PLAIN_UDP));
        if tcp || encoded.len() <= usize::from(room) { Some(encoded) } else { message.truncate().to_vec().ok() }
    }

    fn find(&self, question: &Query, client: IpAddr) -> Option<Found> {
        let kind = match question.query_type() {
            RecordType::A => Kind::A,
            RecordType::SRV => Kind::Srv,
            RecordType::PTR => Kind::Ptr,
            _ => Kind::Other,
        };
        let name = question.name().to_ascii().to_ascii_lowercase();
        let name = name.trim_end_matches('.');
        let pods = self.pods.read().ok()?;
        let cluster = self.cluster.borrow();
        let own = match client {
            IpAddr::V4(client) => look_up_own(&cluster, client, name, kind),
            IpAddr::V6(_) => None,
        };
        Some(own.unwrap_or_else(|| look_up(&cluster, &pods, name, kind)))
    }
}

fn absolute(name: &str) -> Option<Name> {
    Name::from_ascii(format!("{}.", name.trim_end_matches('.'))).ok()
}

fn reply(query: &Message, code: ResponseCode, records: Vec<Record>) -> Message {
    let mut reply = Message::response(query.metadata.id, query.metadata.op_code);
    reply.metadata.recursion_desired = query.metadata.recursion_desired;
    reply.metadata.recursion_available = true;
    reply.metadata.authoritative = true;
    reply.metadata.response_code = code;
    reply.add_queries(query.queries.iter().cloned());
    reply.add_answers(records);
    reply
}

/// Asks the yard's forwarder, by the way the client came.
async fn forward(query: &[u8], tcp: bool) -> std::io::Result<Vec<u8>> {
    let asked = async {
        if tcp {
            let mut stream = TcpStream::connect((YARD, DNS_PORT)).await?;
            stream.write_u16(u16::try_from(query.len()).unwrap_or(u16::MAX)).await?;
            stream.write_all(query).await?;
            let length = stream.read_u16().await?;
            let mut reply = vec![0; usize::from(length)];
            stream.read_exact(&mut reply).await?;
            Ok(reply)
        } else {
            let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
            socket.connect((YARD, DNS_PORT)).await?;
            socket.send(query).await?;
            let mut reply = vec![0; 4096];
            let length = socket.recv(&mut reply).await?;
            reply.truncate(length);
            Ok(reply)
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))?
}
