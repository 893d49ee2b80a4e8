//! What is no resource: discovery, OpenAPI, version, health, metrics.

use crate::authz::Attributes;
use crate::call::{Call, Done};
use crate::failure::{Failure, Outcome};
use crate::{Method, negotiate};
use bytes::Bytes;
use serde_json::{Value, json};
use std::fmt::Write as _;

const TEXT: &str = "text/plain; charset=utf-8";

impl Call<'_> {
    /// Answers a path that names no resource.
    pub(crate) fn page(&mut self) -> Outcome<Done> {
        let path = self.request.path.clone();
        let verb = self.request.method.as_str().to_lowercase();
        let wanted = Attributes { verb: &verb, path: Some(&path), ..Attributes::default() };
        self.server.authorizer.check(&self.server.store, &self.user, &wanted)?;
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        if self.request.method != Method::Get {
            return Err(Failure::method_not_allowed());
        }
        let catalog = &self.server.catalog;
        match parts.as_slice() {
            [""] => Ok(json_page(&json!({"paths": self.paths()}))),
            ["api"] => self.discovery(catalog.api_versions(), catalog.discovery_v2_core()),
            ["apis"] => self.discovery(catalog.api_group_list(), catalog.discovery_v2_groups()),
            ["api", version] => found(catalog.api_resource_list("", version)),
            ["apis", group] => found(catalog.api_group(group)),
            ["apis", group, version] => found(catalog.api_resource_list(group, version)),
            ["version"] => Ok(json_page(&self.version())),
            ["openapi", "v3"] => Ok(json_page(&catalog.openapi_v3_index())),
            ["openapi", "v3", rest @ ..] => self.openapi(&rest.join("/")),
            ["healthz" | "livez" | "readyz", rest @ ..] => Ok(self.health(parts[0], rest)),
            ["metrics"] => Ok(Done::Body(200, Bytes::from(self.metrics()), "text/plain; version=0.0.4; charset=utf-8")),
            _ => Err(Failure::no_such_path()),
        }
    }

    fn discovery(&self, legacy: Value, aggregated: Value) -> Outcome<Done> {
        Ok(match negotiate::aggregated_discovery(self.request.accept.as_deref())? {
            Some(content_type) => Done::Body(200, Bytes::from(aggregated.to_string()), content_type),
            None => json_page(&legacy),
        })
    }

    fn openapi(&mut self, path: &str) -> Outcome<Done> {
        let document = self.server.catalog.openapi_v3(path).ok_or_else(Failure::no_such_path)?;
        self.headers.push(("etag", format!("\"{}\"", document.hash)));
        Ok(Done::Body(200, Bytes::from(document.json()), "application/json"))
    }

    fn version(&self) -> Value {
        let version = &self.server.config.version;
        json!({"major": version.major, "minor": version.minor, "gitVersion": version.git_version, "gitCommit": "",
            "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "rustc",
            "platform": version.platform})
    }

    /// This server answers only while everything it consists of works.
    fn health(&self, which: &str, checks: &[&str]) -> Done {
        let verbose = self.request.query.iter().any(|(key, _)| key == "verbose");
        let text = match (verbose, checks) {
            (false, _) => "ok".to_owned(),
            (true, _) => format!("[+]ping ok\n[+]store ok\n{which} check passed\n"),
        };
        Done::Body(200, Bytes::from(text), TEXT)
    }

    fn metrics(&self) -> String {
        let mut text = String::from("# TYPE apiserver_storage_objects gauge\n");
        let mut kinds: Vec<String> = self.server.catalog.kinds().map(|kind| kind.stored_as.group_resource()).collect();
        kinds.dedup();
        for kind in kinds {
            let count = self.server.store.list(&kind, None).count();
            if count > 0 {
                let _ = writeln!(text, "apiserver_storage_objects{{resource=\"{kind}\"}} {count}");
            }
        }
        let revision = self.server.store.revision();
        let _ = writeln!(text, "# TYPE emberyard_store_revision counter\nemberyard_store_revision {revision}");
        text
    }

    fn paths(&self) -> Vec<String> {
        let mut paths: Vec<String> = self
            .server
            .catalog
            .kinds()
            .map(|kind| match kind.gvr.group.as_str() {
                "" => format!("/api/{}", kind.gvr.version),
                group => format!("/apis/{group}/{}", kind.gvr.version),
            })
            .chain(
                ["/api", "/apis", "/healthz", "/livez", "/metrics", "/openapi/v3", "/readyz", "/version"]
                    .map(str::to_owned),
            )
            .collect();
        paths.sort();
        paths.dedup();
        paths
    }
}

fn json_page(value: &Value) -> Done {
    Done::value(200, value)
}

fn found(value: Option<Value>) -> Outcome<Done> {
    value.map(|value| json_page(&value)).ok_or_else(Failure::no_such_path)
}
