//! Accepts, looks at host, path and token, and passes on.

use crate::access::{Door, Shown, cookie, shown, without_token};
use crate::config::GatewayConfig;
use crate::error::GatewayError;
use crate::overview::{self, Source};
use crate::proxy::{Answer, Onward, pass_on};
use crate::routes::{NotebookId, Route, Routes, Target, target};
use crate::{follow, host, page};
use emberyard_client::Client;
use http::header::{HOST, SET_COOKIE};
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

/// Connections at one time; more wait in the kernel's queue.
const CONNECTIONS: usize = 1024;
/// The overview's token is asked for again after this long.
const TOKEN_AGAIN: Duration = Duration::from_secs(1);
/// Callers of a gateway that has just started wait this long in the kernel's queue until it knows the notebooks.
const KNOWS_WITHIN: Duration = Duration::from_secs(10);
/// A browser that takes longer to send its headers is no browser.
const HEADERS_WITHIN: Duration = Duration::from_secs(20);

/// Serves until shutdown.
pub async fn serve(config: GatewayConfig) -> Result<(), GatewayError> {
    let GatewayConfig { listener, client, random, hosts, shutdown } = config;
    listener.set_nonblocking(true).map_err(GatewayError::Listener)?;
    let listener = TcpListener::from_std(listener).map_err(GatewayError::Listener)?;
    let (sender, routes) = watch::channel(Arc::new(Routes::new()));
    let follower = tokio::spawn(follow::follow(client.clone(), sender));
    let (teller, token) = watch::channel(None);
    let learner = tokio::spawn(learn_token(client.clone(), random, teller));
    let look: Source = Arc::new(move || {
        let client = client.clone();
        Box::pin(async move { overview::look(&client).await })
    });
    accept(listener, Gateway { routes, hosts, look, token }, shutdown).await;
    follower.abort();
    learner.abort();
    Ok(())
}

/// Until the overview has its token it stays closed.
async fn learn_token(client: Client, random: [u8; 24], teller: watch::Sender<Option<String>>) {
    loop {
        match overview::ensure_token(&client, &random).await {
            Ok(token) => return drop(teller.send(Some(token))),
            Err(error) => tracing::debug!(%error, "the overview has no token yet"),
        }
        tokio::time::sleep(TOKEN_AGAIN).await;
    }
}

/// The accepting half, over routes from anywhere.
async fn accept(listener: TcpListener, mut gateway: Gateway, shutdown: CancellationToken) {
    // Before, every notebook would be said not to exist, and its browser give its kernel up.
    tokio::select! {
        known = tokio::time::timeout(KNOWS_WITHIN, gateway.routes.changed()) => if known.is_err() {
            tracing::warn!("the cluster has not told yet where notebooks are");
        },
        () = shutdown.cancelled() => return,
    }
    let gateway = Arc::new(gateway);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, most likely: waiting is all that helps.
                tracing::warn!(%error, "gateway");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        drop(stream.set_nodelay(true));
        let (gateway, shutdown) = (gateway.clone(), shutdown.clone());
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let gateway = gateway.clone();
                async move { Ok::<_, Infallible>(gateway.answer(request, peer).await) }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADERS_WITHIN)
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            tokio::select! {
                ended = connection => if let Err(error) = ended { tracing::debug!(%error, %peer, "connection") },
                () = shutdown.cancelled() => {}
            }
            drop(place);
        });
    }
}

struct Gateway {
    routes: watch::Receiver<Arc<Routes>>,
    hosts: Vec<String>,
    /// Where the overview comes from.
    look: Source,
    /// The overview's token; none until it is known.
    token: watch::Receiver<Option<String>>,
}

impl Gateway {
    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<Answer> {
        let host = request.headers().get(HOST).and_then(|value| value.to_str().ok());
        if !host::is_ours(host, &self.hosts) {
            return page::misdirected();
        }
        let routes = self.routes.borrow().clone();
        match target(request.uri().path()) {
            Target::Index => page::index(&visible(&routes, &request)),
            Target::Status => page::status(&visible(&routes, &request)),
            Target::Overview | Target::OverviewStatus => self.overview(&request).await,
            Target::Health => page::health(),
            Target::Unknown => page::unknown("There is nothing at this address."),
            Target::AddSlash => {
                let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
                page::redirect(&format!("{}/{query}", request.uri().path()))
            }
            Target::Jupyter(id) => match routes.get(&id) {
                Some(route) => jupyter(request, &id, route, peer.ip()).await,
                None => page::unknown(&format!("There is no notebook {} in {}.", id.name, id.namespace)),
            },
            Target::SparkUi { notebook, path } => match routes.get(&notebook) {
                Some(route) => spark_ui(request, &notebook, route, &path, peer.ip()).await,
                None => page::closed(&notebook), // the same as without the token: no telling who exists
            },
        }
    }

    /// The page of the whole yard, for who has shown its token.
    async fn overview(&self, request: &Request<Incoming>) -> Response<Answer> {
        let token = self.token.borrow().clone();
        match shown(Door::Overview, token.as_deref(), request.uri().query(), request.headers()) {
            Shown::Nothing => return page::overview_closed(),
            Shown::Token => return without_token_in_address(request, Door::Overview, token.as_deref()),
            Shown::Cookie => {}
        }
        match (self.look)().await {
            Ok(seen) if request.uri().path() == overview::PATH => page::overview(&seen),
            Ok(seen) => page::overview_status(&seen),
            Err(why) => page::overview_missing(&why),
        }
    }
}

/// Gives the cookie and sends the browser to the same address without the token: it leaves the address bar, and stays
/// out of pages and logs.
fn without_token_in_address(request: &Request<Incoming>, door: Door<'_>, token: Option<&str>) -> Response<Answer> {
    let query = without_token(request.uri().query().unwrap_or_default());
    let mark = if query.is_empty() { "" } else { "?" };
    let mut response = page::redirect(&format!("{}{mark}{query}", request.uri().path()));
    give_cookie(&mut response, door, token);
    response
}

/// Jupyter asks for its token itself; who shows it here also gets the cookie for the Spark UI.
async fn jupyter(request: Request<Incoming>, id: &NotebookId, route: &Route, from: IpAddr) -> Response<Answer> {
    let door = Door::Notebook(id);
    let gives_cookie = shown(door, route.token.as_deref(), request.uri().query(), request.headers()) == Shown::Token;
    let Some(to) = route.jupyter() else { return page::not_yet(id) };
    let path_and_query = request.uri().path_and_query().map_or("/", |whole| whole.as_str()).to_owned();
    let onward = Onward { notebook: id, to, path_and_query, from };
    let Some(mut response) = pass_on(request, onward).await else { return page::not_yet(id) };
    if gives_cookie {
        give_cookie(&mut response, door, route.token.as_deref());
    }
    response
}

async fn spark_ui(
    request: Request<Incoming>,
    id: &NotebookId,
    route: &Route,
    path: &str,
    from: IpAddr,
) -> Response<Answer> {
    let query = request.uri().query();
    let door = Door::Notebook(id);
    match shown(door, route.token.as_deref(), query, request.headers()) {
        Shown::Nothing => return page::closed(id),
        Shown::Token => return without_token_in_address(&request, door, route.token.as_deref()),
        Shown::Cookie => {}
    }
    let Some(to) = route.door() else { return page::not_yet(id) };
    let path_and_query = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let onward = Onward { notebook: id, to, path_and_query, from };
    pass_on(request, onward).await.unwrap_or_else(|| page::not_yet(id))
}

/// The notebooks whose token this browser has shown.
fn visible<'a>(routes: &'a Routes, request: &Request<Incoming>) -> Vec<(&'a NotebookId, &'a Route)> {
    let may = |id: &NotebookId, route: &Route| {
        shown(Door::Notebook(id), route.token.as_deref(), None, request.headers()) == Shown::Cookie
    };
    routes.iter().filter(|(id, route)| may(id, route)).collect()
}

fn give_cookie(response: &mut Response<Answer>, door: Door<'_>, token: Option<&str>) {
    let value = token.and_then(|token| HeaderValue::from_str(&cookie(door, token)).ok());
    if let Some(value) = value {
        response.headers_mut().append(SET_COOKIE, value);
    }
}

#[cfg(test)]
#[path = "serve_tests.rs"]
mod tests;
