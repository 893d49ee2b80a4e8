//! The few pages of the gateway's own.

use crate::overview::{self, Overview};
use crate::proxy::{Answer, full};
use crate::routes::{NotebookId, Route};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, REFRESH};
use http::{Response, StatusCode};
use serde_json::json;
use std::fmt::Write as _;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:4rem auto;padding:0 1rem;color:#222}\
                     a{color:#b34700}li{margin:.4rem 0}small{color:#666}\
                     table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.1rem .8rem .1rem 0}";
/// Seconds after which the overview looks again by itself.
const OVERVIEW_REFRESH: &str = "3";

/// A page with a title and paragraphs of HTML.
fn page(status: StatusCode, title: &str, body: &str) -> Response<Answer> {
    let html = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style><h1>{title}</h1>{body}</html>"
    );
    answer(status, "text/html; charset=utf-8", html)
}

fn answer(status: StatusCode, kind: &'static str, text: String) -> Response<Answer> {
    let mut response = Response::new(full(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, http::HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, http::HeaderValue::from_static("no-store"));
    headers.insert("x-content-type-options", http::HeaderValue::from_static("nosniff"));
    headers.insert(
        "content-security-policy",
        http::HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'"),
    );
    response
}

/// The notebooks that this browser may see.
pub fn index(notebooks: &[(&NotebookId, &Route)]) -> Response<Answer> {
    let mut items = String::new();
    for (id, route) in notebooks {
        let (base, namespace, name) = (id.base_path(), escape(&id.namespace), escape(&id.name));
        let phase = escape(&route.phase);
        // Writing to a String can't fail.
        let _ = write!(
            items,
            "<li><a href=\"{base}lab\">{name}</a> <small>{namespace}, {phase}</small> · <a href=\"{base}spark/\">Spark UI</a>"
        );
    }
    let body = if items.is_empty() {
        "<p>This browser has opened no notebook here yet.<p>Open the link that <code>emberyard notebook url NAME</code> prints.".to_owned()
    } else {
        format!("<ul>{items}</ul>")
    };
    page(StatusCode::OK, "Notebooks", &body)
}

/// The same for machines.
pub fn status(notebooks: &[(&NotebookId, &Route)]) -> Response<Answer> {
    let list: Vec<_> = notebooks
        .iter()
        .map(|(id, route)| {
            json!({"namespace": id.namespace, "name": id.name, "phase": route.phase, "path": id.base_path()})
        })
        .collect();
    answer(StatusCode::OK, "application/json", json!({ "notebooks": list }).to_string())
}

/// The whole yard; the page looks again by itself.
pub fn overview(overview: &Overview) -> Response<Answer> {
    let mut response = page(StatusCode::OK, "The yard", &overview::page(overview));
    response.headers_mut().insert(REFRESH, http::HeaderValue::from_static(OVERVIEW_REFRESH));
    response
}

/// The same for machines.
pub fn overview_status(overview: &Overview) -> Response<Answer> {
    answer(StatusCode::OK, "application/json", serde_json::to_string(overview).unwrap_or_default())
}

/// The cluster did not tell what the overview needs.
pub fn overview_missing(why: &str) -> Response<Answer> {
    let mut response =
        page(StatusCode::BAD_GATEWAY, "The yard", &format!("<p>The cluster does not answer: {}", escape(why)));
    response.headers_mut().insert(REFRESH, http::HeaderValue::from_static(OVERVIEW_REFRESH));
    response
}

/// The overview's token was not shown.
pub fn overview_closed() -> Response<Answer> {
    page(
        StatusCode::FORBIDDEN,
        "Closed",
        "<p>Open this page by the link that <code>emberyard up</code> and <code>emberyard status</code> print.",
    )
}

/// The gateway lives.
pub fn health() -> Response<Answer> {
    answer(StatusCode::OK, "text/plain", "ok\n".to_owned())
}

/// No such thing here.
pub fn unknown(what: &str) -> Response<Answer> {
    page(StatusCode::NOT_FOUND, "Not here", &format!("<p>{}<p><a href=\"/\">Notebooks</a>", escape(what)))
}

/// It will be there soon; the page looks again by itself.
pub fn not_yet(id: &NotebookId) -> Response<Answer> {
    let text = format!("<p>The notebook {} does not answer yet. This page looks again by itself.", escape(&id.name));
    let mut response = page(StatusCode::SERVICE_UNAVAILABLE, "Starting", &text);
    response.headers_mut().insert(REFRESH, http::HeaderValue::from_static("2"));
    response
}

/// The token was not shown.
pub fn closed(id: &NotebookId) -> Response<Answer> {
    let text = format!(
        "<p>Open the notebook first, by the link that <code>emberyard notebook url {}</code> prints.",
        escape(&id.name)
    );
    page(StatusCode::FORBIDDEN, "Closed", &text)
}

/// The gateway was called by a name that is not its own.
pub fn misdirected() -> Response<Answer> {
    page(
        StatusCode::MISDIRECTED_REQUEST,
        "Another name",
        "<p>This gateway is not known by the name in the address. Use <code>127.0.0.1</code> or <code>localhost</code>.",
    )
}

/// Elsewhere.
pub fn redirect(to: &str) -> Response<Answer> {
    let mut response = answer(StatusCode::FOUND, "text/plain", String::new());
    if let Ok(location) = http::HeaderValue::from_str(to) {
        response.headers_mut().insert(http::header::LOCATION, location);
    }
    response
}

pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
