//! Deleting: preconditions, grace, finalizers.

use super::replace::is_finished;
use super::{Call, Done, Place};
use crate::admission::{self, Operation};
use crate::body::Body;
use crate::failure::{Failure, Outcome};
use crate::present;
use crate::store::Object;
use emberyard_object::view::{Meta, PodView, at as value_at, text};
use emberyard_object::{Gvk, Propagation};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Finalizer of an object whose dependents go first.
const FOREGROUND: &str = "foregroundDeletion";
/// Finalizer of an object whose dependents are to stay.
const ORPHAN: &str = "orphan";

/// `DeleteOptions`, read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    grace: Option<i64>,
    uid: Option<String>,
    pub(crate) revision: Option<String>,
    propagation: Option<Propagation>,
    pub(crate) dry_run: bool,
}

/// What a delete led to.
pub(crate) enum Gone {
    /// The object is no more.
    Now(Arc<Object>),
    /// It is marked and will go.
    Later(Arc<Object>),
}

impl Call<'_> {
    pub(super) fn delete(&mut self, at: &Place) -> Outcome<Done> {
        let options = self.delete_options()?;
        let live = self.live(at)?;
        match self.delete_object(at, &live, &options)? {
            Gone::Now(object) if !at.kind.delete_answers_object => {
                let mut details = json!({"name": at.name(), "kind": at.gvr().resource, "uid": object.meta().uid()});
                if !at.gvr().group.is_empty() {
                    details["group"] = json!(at.gvr().group);
                }
                Ok(Done::value(
                    200,
                    &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
                    "details": details}),
                ))
            }
            Gone::Now(object) | Gone::Later(object) => Ok(self.shown(at, 200, &object)),
        }
    }

    /// The options of a delete: the body, or query parameters where there is none.
    pub(crate) fn delete_options(&self) -> Outcome<Options> {
        let mut options = self.delete_options_without_body()?;
        if self.request.body.is_empty() {
            return Ok(options);
        }
        let hint = Gvk::core("DeleteOptions");
        let body = Body::read(self.request, self.server.config.body_limit, Some(&hint))?.value;
        options.read(&body)?;
        Ok(options)
    }

    /// The options that query parameters give.
    pub(crate) fn delete_options_without_body(&self) -> Outcome<Options> {
        Ok(Options {
            grace: self.query.number("gracePeriodSeconds")?,
            propagation: self.query.get("propagationPolicy").map(propagation).transpose()?,
            dry_run: self.query.dry_run()?,
            ..Options::default()
        })
    }

    /// Deletes one object, as far as grace and finalizers allow at once.
    pub(crate) fn delete_object(&mut self, at: &Place, live: &Arc<Object>, options: &Options) -> Outcome<Gone> {
        let old = present::as_kind(&at.kind, &live.value).into_owned();
        options.check(at, &live.key.name, &old)?;
        admission::validate(self, at, Operation::Delete, Some(&old), &old)?;
        let mut object = old.clone();
        set_finalizers(&mut object, options.propagation);
        self.mark(at, &mut object, options);
        if is_finished(&object) {
            return Ok(Gone::Now(self.remove(at, live, object, options.dry_run)));
        }
        if object == old {
            return Ok(Gone::Later(Arc::clone(live)));
        }
        let name = live.key.name.to_string();
        Ok(Gone::Later(self.put(at, &name, object, options.dry_run)))
    }

    /// Stamps the time at which the object is to be gone, or moves it nearer.
    fn mark(&self, at: &Place, object: &mut Value, options: &Options) {
        let grace = if *at.resource == *"pods" { pod_grace(object, options.grace) } else { 0 };
        let meta = Meta(object);
        if meta.is_deleting() && meta.deletion_grace_seconds().unwrap_or(0) <= grace {
            return;
        }
        let requested = meta.deletion_timestamp().zip(meta.deletion_grace_seconds()).map_or(self.now, |(gone, old)| {
            emberyard_model::Timestamp(gone.0.saturating_sub(old.saturating_mul(1_000_000)))
        });
        let when = requested.plus(Duration::from_secs(u64::try_from(grace).unwrap_or(0)));
        object["metadata"]["deletionTimestamp"] = json!(when.rfc3339());
        object["metadata"]["deletionGracePeriodSeconds"] = json!(grace);
        if at.kind.has_generation {
            object["metadata"]["generation"] = json!(Meta(object).generation() + 1);
        }
        if *at.resource == *"namespaces" {
            object["status"]["phase"] = json!("Terminating");
        }
    }
}

/// Seconds a pod gets: none if no node runs it or it has ended.
fn pod_grace(object: &Value, asked: Option<i64>) -> i64 {
    let pod = PodView(object);
    if pod.node_name().is_empty() || pod.is_finished() {
        return 0;
    }
    let own = value_at(object, &["spec", "terminationGracePeriodSeconds"]).and_then(Value::as_i64).unwrap_or(30);
    asked.unwrap_or(own).max(0)
}

/// Sets or clears the finalizers that stand for a propagation policy.
fn set_finalizers(object: &mut Value, propagation: Option<Propagation>) {
    let Some(propagation) = propagation else { return };
    let mut finalizers: Vec<String> =
        Meta(object).finalizers().filter(|f| !matches!(*f, FOREGROUND | ORPHAN)).map(str::to_owned).collect();
    match propagation {
        Propagation::Background => {}
        Propagation::Foreground => finalizers.push(FOREGROUND.to_owned()),
        Propagation::Orphan => finalizers.push(ORPHAN.to_owned()),
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        if finalizers.is_empty() {
            metadata.remove("finalizers");
        } else {
            metadata.insert("finalizers".to_owned(), json!(finalizers));
        }
    }
}

fn propagation(word: &str) -> Outcome<Propagation> {
    Ok(match word {
        "Background" => Propagation::Background,
        "Foreground" => Propagation::Foreground,
        "Orphan" => Propagation::Orphan,
        other => {
            return Err(Failure::bad_request(format!(
                "propagationPolicy: Unsupported value: \"{other}\": supported values: \"Foreground\", \"Background\", \
                 \"Orphan\""
            )));
        }
    })
}

impl Options {
    pub(crate) fn read(&mut self, body: &Value) -> Outcome<()> {
        self.grace = value_at(body, &["gracePeriodSeconds"]).and_then(Value::as_i64).or(self.grace);
        let word = text(body, &["propagationPolicy"]);
        if !word.is_empty() {
            self.propagation = Some(propagation(word)?);
        } else if let Some(orphan) = body.get("orphanDependents").and_then(Value::as_bool) {
            self.propagation = Some(if orphan { Propagation::Orphan } else { Propagation::Background });
        }
        let wanted = |key: &str| Some(text(body, &["preconditions", key]).to_owned()).filter(|text| !text.is_empty());
        self.uid = wanted("uid");
        self.revision = wanted("resourceVersion");
        match body.get("dryRun").and_then(Value::as_array).map_or(&[][..], Vec::as_slice) {
            [] => {}
            [all] if all == "All" => self.dry_run = true,
            _ => return Err(Failure::bad_request("dryRun: the only supported value is \"All\"")),
        }
        Ok(())
    }

    pub(crate) fn check(&self, at: &Place, name: &str, object: &Value) -> Outcome<()> {
        let meta = Meta(object);
        let table = [("UID", &self.uid, meta.uid()), ("ResourceVersion", &self.revision, meta.resource_version())];
        for (what, wanted, is) in table {
            if let Some(wanted) = wanted.as_ref().filter(|wanted| *wanted != is) {
                let why = format!("Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {is}");
                return Err(Failure::conflict(at.gvr(), name, why));
            }
        }
        Ok(())
    }
}
