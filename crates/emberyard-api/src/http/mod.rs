//! HTTP/1.1, HTTP/2 and WebSocket in front of the engine.

mod accept;
mod body;
mod connect;
mod credentials;
mod dial;
mod inbound;
mod limits;
mod outbound;
mod service;
mod socket;
mod stream;
mod tls;
mod tunnel;

pub use accept::listen;
pub use dial::Dialer;
pub use limits::Limits;
pub use service::Gate;
pub use stream::Live;
pub use tls::server_config;
