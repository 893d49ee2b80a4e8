//! From a listening socket to a served connection.

use super::limits::{FAREWELL, FIRST_REQUEST, HANDSHAKE, IDLE, STREAMS};
use super::service::{Gate, Peer};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ServerConfig;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// First byte of every TLS connection: a handshake record.
const HANDSHAKE_RECORD: u8 = 0x16;
/// What someone gets who speaks plain HTTP to us.
const PLAIN: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: 59\r\n\r\n\
This port speaks TLS only: use https:// instead of http://\n";

/// Accepts connections until `shutdown`, then lets the open ones end.
pub async fn listen(
    listeners: Vec<std::net::TcpListener>,
    tls: Arc<ServerConfig>,
    gate: Arc<Gate>,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let connections = TaskTracker::new();
    let loops = TaskTracker::new();
    for listener in listeners {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        loops.spawn(accept(
            listener,
            TlsAcceptor::from(Arc::clone(&tls)),
            Arc::clone(&gate),
            connections.clone(),
            shutdown.clone(),
        ));
    }
    loops.close();
    loops.wait().await;
    connections.close();
    // Those that don't end by themselves end with the runtime.
    let _ = timeout(FAREWELL, connections.wait()).await;
    Ok(())
}

async fn accept(
    listener: TcpListener,
    tls: TlsAcceptor,
    gate: Arc<Gate>,
    connections: TaskTracker,
    shutdown: CancellationToken,
) {
    let ended = shutdown.clone();
    let accepting = async {
        while let Some(permit) = gate.limits.connection().await {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let (tls, gate, shutdown) = (tls.clone(), Arc::clone(&gate), shutdown.clone());
                    let peer = Peer::new(permit);
                    connections.spawn(async move {
                        if let Err(error) = connection(stream, tls, gate, peer, shutdown).await {
                            tracing::debug!(%error, "connection");
                        }
                    });
                }
                Err(error) => {
                    // Out of files or memory: others may end meanwhile.
                    tracing::warn!(%error, "accept");
                    sleep(Duration::from_millis(50)).await;
                }
            }
        }
    };
    tokio::select! { () = accepting => {}, () = ended.cancelled() => {} }
}

async fn connection(
    mut stream: TcpStream,
    tls: TlsAcceptor,
    gate: Arc<Gate>,
    mut peer: Peer,
    shutdown: CancellationToken,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    notice_the_dead(&stream)?;
    let begun = async {
        let mut first = [0];
        let seen = stream.peek(&mut first).await?;
        if seen == 1 && first[0] != HANDSHAKE_RECORD {
            stream.write_all(PLAIN).await?;
            stream.shutdown().await?;
            return Ok(None);
        }
        tls.accept(stream).await.map(Some)
    };
    let Some(stream) = timeout(HANDSHAKE, begun).await?? else { return Ok(()) };
    let (_, session) = stream.get_ref();
    peer.user =
        session.peer_certificates().and_then(|chain| chain.first()).and_then(super::credentials::certificate_user);
    let two = session.alpn_protocol() == Some(b"h2");
    let peer = Arc::new(peer);
    let first = peer.first_request.clone();
    let late = async {
        if timeout(FIRST_REQUEST, first.cancelled()).await.is_ok() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        served = serve(stream, two, gate, peer, shutdown) => served.map_err(io::Error::other),
        () = late => Ok(()),
    }
}

async fn serve(
    stream: TlsStream<TcpStream>,
    two: bool,
    gate: Arc<Gate>,
    peer: Arc<Peer>,
    shutdown: CancellationToken,
) -> hyper::Result<()> {
    let service = service_fn(move |request| {
        let (gate, peer) = (Arc::clone(&gate), Arc::clone(&peer));
        async move {
            peer.first_request.cancel();
            Ok::<_, std::convert::Infallible>(gate.serve(peer, request).await)
        }
    });
    let stream = TokioIo::new(stream);
    if two {
        let mut builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_send_buf_size(64 << 10)
            .max_header_list_size(64 << 10)
            .keep_alive_interval(Duration::from_secs(30))
            .keep_alive_timeout(Duration::from_secs(20));
        let mut served = pin!(builder.serve_connection(stream, service));
        tokio::select! { done = served.as_mut() => return done, () = shutdown.cancelled() => {} }
        served.as_mut().graceful_shutdown();
        served.await
    } else {
        let mut builder = hyper::server::conn::http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(IDLE).half_close(false).max_buf_size(64 << 10);
        let mut served = pin!(builder.serve_connection(stream, service).with_upgrades());
        tokio::select! { done = served.as_mut() => return done, () = shutdown.cancelled() => {} }
        served.as_mut().graceful_shutdown();
        served.await
    }
}

/// Has the kernel find out about peers that vanished without a word.
fn notice_the_dead(stream: &TcpStream) -> io::Result<()> {
    use rustix::net::sockopt;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, Duration::from_secs(30))?;
    sockopt::set_tcp_keepintvl(stream, Duration::from_secs(10))?;
    sockopt::set_tcp_keepcnt(stream, 3)?;
    sockopt::set_tcp_user_timeout(stream, 60_000)?;
    Ok(())
}
