//! One request from its head to its answer.

use super::body::{self, Body};
use super::dial::Dialer;
use super::limits::Limits;
use super::{inbound, socket, stream};
use crate::engine::{Engine, Refusal};
use crate::token::TokenKey;
use emberyard_cluster::{Answer, Reply, Request, TokenToSign, TokenToVerify, User};
use http::Response;
use hyper::body::Incoming;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

/// What every connection shares.
pub struct Gate {
    /// The state machine.
    pub engine: Arc<Engine>,
    /// Signs and checks service-account tokens.
    pub tokens: TokenKey,
    /// Connects to kubelets, pods and services.
    pub dialer: Dialer,
    /// How much clients may hold.
    pub limits: Limits,
    /// Cancelled to end streams.
    pub shutdown: CancellationToken,
}

/// What is known of one connection's other end.
pub struct Peer {
    /// The user of its client certificate.
    pub user: Option<User>,
    /// Cancelled when the first request has come.
    pub first_request: CancellationToken,
    /// The connection's place; upgraded streams keep it by keeping the peer.
    _permit: OwnedSemaphorePermit,
}

impl Peer {
    pub(super) fn new(permit: OwnedSemaphorePermit) -> Self {
        Self { user: None, first_request: CancellationToken::new(), _permit: permit }
    }
}

impl Gate {
    /// Answers one request; what goes wrong is an answer, too.
    pub(super) async fn serve(&self, peer: Arc<Peer>, request: hyper::Request<Incoming>) -> Response<Body> {
        // In HTTP/1.1 hyper leaves the body of an answer to HEAD away; in HTTP/2 it would break the stream.
        let headless = request.method() == http::Method::HEAD && request.version() == http::Version::HTTP_2;
        let response = self.respond(peer, request).await;
        if headless { response.map(|_| body::full("")) } else { response }
    }

    async fn respond(&self, peer: Arc<Peer>, request: hyper::Request<Incoming>) -> Response<Body> {
        let (parts, incoming) = request.into_parts();
        let Some(method) = inbound::method(&parts.method) else {
            return body::status(
                405,
                "MethodNotAllowed",
                "the server does not allow this method on the requested resource",
            );
        };
        if let Some(document) = self.document(parts.uri.path()) {
            return body::response(200, "application/json", body::full(document.to_string()));
        }
        let user = match self.user(peer.user.as_ref(), &parts.headers) {
            Ok(user) => user,
            Err(why) => {
                tracing::debug!(path = parts.uri.path(), %why, "unauthorized");
                return body::status(401, "Unauthorized", &format!("Unauthorized: {why}"));
            }
        };
        let mut asked = inbound::head(&parts, user, method);
        if super::connect::keeps_body(&asked.path) {
            return self.reply(peer, asked, parts, Some(incoming)).await;
        }
        // The body of an upgrade is what comes after it, and not part of the request.
        if !super::tunnel::is_upgrade(&parts.headers) {
            match self.body(&parts, incoming).await {
                Ok(bytes) => asked.body = bytes,
                Err(refused) => return *refused,
            }
        }
        self.reply(peer, asked, parts, None).await
    }

    async fn reply(
        &self,
        peer: Arc<Peer>,
        asked: Request,
        parts: http::request::Parts,
        incoming: Option<Incoming>,
    ) -> Response<Body> {
        let (reply, ticket) = match self.engine.call(&asked) {
            Ok(reply) => reply,
            Err(refusal) => return refused(&refusal),
        };
        // Who only saw what is not durable yet must not act on it: this goes for watches' starts and tokens as well.
        if let Err(refusal) = self.engine.settle(ticket).await {
            return refused(&refusal);
        }
        match reply {
            Reply::Answer(answer) => body::answer(answer),
            Reply::Watch(watch) => {
                let live = stream::Live::new(self, &asked.path, *watch);
                if super::tunnel::is_websocket(&parts.headers) {
                    socket::start(live, peer, parts)
                } else {
                    stream::start(live)
                }
            }
            Reply::Connect(connect) => self.connect(*connect, peer, parts, incoming).await,
            Reply::Sign(sign) => self.sign(*sign),
            Reply::Verify(verify) => body::answer(self.verify(*verify)),
        }
    }

    fn sign(&self, sign: TokenToSign) -> Response<Body> {
        match self.tokens.sign(&sign.claims) {
            Ok(token) => body::answer(sign.answer(token)),
            Err(error) => body::status(500, "InternalError", &error.to_string()),
        }
    }

    pub(crate) fn verify(&self, verify: TokenToVerify) -> Answer {
        let claims = self.tokens.verify(&verify.token, self.engine.now());
        self.engine.review(verify, claims.as_ref().ok())
    }

    /// Documents about the token key, which is public.
    fn document(&self, path: &str) -> Option<Value> {
        match path {
            "/openid/v1/jwks" => Some(self.tokens.key_set()),
            "/.well-known/openid-configuration" => Some(TokenKey::discovery()),
            _ => None,
        }
    }
}

fn refused(refusal: &Refusal) -> Response<Body> {
    let mut response = body::status(refusal.status, refusal.reason, &refusal.message);
    response.headers_mut().insert(http::header::RETRY_AFTER, http::HeaderValue::from_static("1"));
    response
}
