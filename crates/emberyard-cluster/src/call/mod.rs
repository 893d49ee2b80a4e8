//! One request on its way through the server.

mod answer;
mod apply;
mod create;
mod delete;
mod delete_collection;
mod impersonate;
mod list;
mod name;
mod patch;
mod read;
mod replace;
mod watch;

pub(crate) use answer::{Done, plain};
pub(crate) use patch::changed;
pub(crate) use replace::Part;

use crate::authz::Attributes;
use crate::failure::{Failure, Outcome};
use crate::path::{ResourcePath, Route};
use crate::query::Query;
use crate::server::Parts;
use crate::store::Object;
use crate::watch::WatchForm;
use crate::{Entropy, Header, Method, Record, Request, User, negotiate};
use emberyard_model::Timestamp;
use emberyard_object::schema::FieldValidation;
use emberyard_object::selector::FieldSelector;
use emberyard_object::{Gvr, Kind};
use std::sync::Arc;

/// One request and everything it may touch.
pub(crate) struct Call<'a> {
    pub(crate) server: &'a mut Parts,
    pub(crate) request: &'a Request,
    /// Who asks, after impersonation.
    pub(crate) user: User,
    pub(crate) query: Query<'a>,
    pub(crate) now: Timestamp,
    pub(crate) entropy: &'a mut dyn Entropy,
    /// What was changed so far.
    pub(crate) records: Vec<Record>,
    /// Texts of `Warning` headers.
    pub(crate) warnings: Vec<String>,
    /// Other headers of the answer.
    pub(crate) headers: Vec<Header>,
}

/// What the path of a resource leads to.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) kind: Arc<Kind>,
    /// What its objects are stored as.
    pub(crate) resource: Arc<str>,
    pub(crate) path: ResourcePath,
    /// The authorized verb.
    pub(crate) verb: &'static str,
    pub(crate) form: WatchForm,
}

impl Place {
    /// Namespace as objects carry it: "" for the cluster's.
    pub(crate) fn namespace(&self) -> &str {
        self.path.namespace.as_deref().unwrap_or("")
    }

    pub(crate) fn name(&self) -> &str {
        self.path.name.as_deref().unwrap_or("")
    }

    pub(crate) fn gvr(&self) -> &Gvr {
        &self.kind.gvr
    }
}

impl<'a> Call<'a> {
    pub(crate) fn new(
        server: &'a mut Parts,
        request: &'a Request,
        now: Timestamp,
        entropy: &'a mut dyn Entropy,
    ) -> Self {
        let (user, query) = (request.user.clone(), Query(&request.query));
        Self {
            server,
            request,
            user,
            query,
            now,
            entropy,
            records: Vec::new(),
            warnings: Vec::new(),
            headers: Vec::new(),
        }
    }

    pub(crate) fn run(&mut self) -> Outcome<Done> {
        self.impersonate()?;
        match crate::path::route(&self.request.path).ok_or_else(Failure::no_such_path)? {
            Route::Other => self.page(),
            Route::Resource(path) => self.resource(path),
        }
    }

    fn resource(&mut self, path: ResourcePath) -> Outcome<Done> {
        let verb = self.verb(&path);
        let fields = FieldSelector::parse(self.query.get("fieldSelector").unwrap_or("")).unwrap_or_default();
        self.server.authorizer.check(
            &self.server.store,
            &self.user,
            &Attributes {
                verb,
                group: &path.group,
                resource: &path.resource,
                subresource: &path.subresource,
                namespace: path.namespace.as_deref(),
                name: path.name.as_deref().or_else(|| fields.exact("metadata.name")).unwrap_or(""),
                on_node: fields.exact("spec.nodeName").unwrap_or(""),
                path: None,
            },
        )?;
        let kind = self.server.catalog.find(&path.group, &path.version, &path.resource);
        let kind = Arc::clone(kind.ok_or_else(Failure::no_such_path)?);
        if path.namespace.is_some() && !kind.namespaced {
            return Err(Failure::no_such_path());
        }
        if kind.namespaced && path.namespace.is_none() {
            if path.name.is_some() {
                return Err(Failure::no_such_path());
            }
            if !matches!(verb, "list" | "watch") && kind.is_stored() {
                return Err(Failure::method_not_allowed());
            }
        }
        let resource = Arc::from(kind.stored_as.group_resource());
        let form = if path.subresource.is_empty() {
            negotiate::objects(self.request.accept.as_deref(), self.query)?
        } else {
            WatchForm::Whole
        };
        self.dispatch(&Place { kind, resource, path, verb, form })
    }

    /// The verb as RBAC names it.
    fn verb(&self, path: &ResourcePath) -> &'static str {
        if matches!(path.subresource.as_str(), "exec" | "attach" | "portforward") {
            return "create";
        }
        match self.request.method {
            Method::Get if path.name.is_some() => "get",
            Method::Get if self.query.is_on("watch") => "watch",
            Method::Get => "list",
            Method::Post => "create",
            Method::Put => "update",
            Method::Patch => "patch",
            Method::Delete if path.name.is_some() => "delete",
            Method::Delete => "deletecollection",
        }
    }

    fn dispatch(&mut self, at: &Place) -> Outcome<Done> {
        if !at.path.subresource.is_empty() {
            return self.subresource(at);
        }
        if !at.kind.is_stored() && at.verb == "create" && at.path.name.is_none() {
            return self.transient(at);
        }
        if !at.kind.has_verb(at.verb) {
            return Err(Failure::method_not_allowed());
        }
        match at.verb {
            "get" => self.get(at),
            "list" => self.list(at),
            "watch" => self.watch(at),
            "create" if at.path.name.is_none() => self.create(at),
            "update" if at.path.name.is_some() => self.update(at),
            "patch" if at.path.name.is_some() => self.patch(at),
            "delete" => self.delete(at),
            "deletecollection" => self.delete_collection(at),
            _ => Err(Failure::method_not_allowed()),
        }
    }

    /// The live object a path names.
    pub(crate) fn live(&self, at: &Place) -> Outcome<Arc<Object>> {
        let found = self.server.store.get(&at.resource, at.namespace(), at.name());
        found.cloned().ok_or_else(|| Failure::not_found(at.gvr(), at.name()))
    }

    /// How unknown fields are treated.
    pub(crate) fn field_validation(&self) -> Outcome<FieldValidation> {
        FieldValidation::parse(self.query.get("fieldValidation"))
            .ok_or_else(|| Failure::bad_request("fieldValidation: must be one of Strict, Warn, Ignore"))
    }

    /// Who is to own written fields.
    pub(crate) fn manager(&self) -> &'a str {
        let agent = || self.request.user_agent.as_deref().and_then(|agent| agent.split('/').next());
        self.query.get("fieldManager").or_else(agent).filter(|name| !name.is_empty()).unwrap_or("unknown")
    }
}
