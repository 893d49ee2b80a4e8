//! Lists: selectors, pages of one consistent state, forms.

use super::{Call, Done, Place, answer};
use crate::failure::{Failure, Outcome};
use crate::store::Object;
use crate::watch::{Selection, WatchForm};
use crate::{Revision, present};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use emberyard_object::selector::{FieldSelector, LabelSelector};
use emberyard_object::table;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// What a continue token holds: the revision of the whole list and the last object shown.
#[derive(Serialize, Deserialize)]
struct Token {
    rv: u64,
    namespace: String,
    name: String,
}

impl Token {
    fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    fn decode(text: &str) -> Outcome<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        bytes
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .ok_or_else(|| Failure::bad_request("continue key is not valid"))
    }
}

/// One page of a list.
struct Page {
    objects: Vec<Arc<Object>>,
    revision: Revision,
    next: Option<String>,
    remaining: Option<usize>,
}

impl Call<'_> {
    /// Which objects a list, watch or delete of many means.
    pub(super) fn selection(&self, at: &Place) -> Outcome<Selection> {
        let bad = |e: emberyard_object::selector::SelectorError| Failure::bad_request(e.to_string());
        let labels = LabelSelector::parse(self.query.get("labelSelector").unwrap_or("")).map_err(bad)?;
        let fields = FieldSelector::parse(self.query.get("fieldSelector").unwrap_or("")).map_err(bad)?;
        if let Some(field) = fields.unsupported(&at.kind) {
            return Err(Failure::bad_request(format!(
                "Unable to find \"{}\" that match label selector \"{}\", field selector \"{}\": field label not \
                 supported: {field}",
                at.gvr(),
                self.query.get("labelSelector").unwrap_or(""),
                self.query.get("fieldSelector").unwrap_or("")
            )));
        }
        let (kind, resource) = (Arc::clone(&at.kind), Arc::clone(&at.resource));
        Ok(Selection { kind, resource, namespace: at.path.namespace.clone(), labels, fields })
    }

    /// A `resourceVersion` parameter; `None` if absent.
    pub(super) fn asked_revision(&self) -> Outcome<Option<u64>> {
        let Some(text) = self.query.get("resourceVersion") else { return Ok(None) };
        let bad = || Failure::bad_request(format!("resourceVersion: Invalid value: \"{text}\": not a number"));
        text.parse().map(Some).map_err(|_| bad())
    }

    pub(super) fn list(&mut self, at: &Place) -> Outcome<Done> {
        let selection = self.selection(at)?;
        let page = self.page_of(&selection)?;
        let mut metadata = json!({"resourceVersion": page.revision.to_string()});
        if let Some(next) = &page.next {
            metadata["continue"] = json!(next);
        }
        if let Some(remaining) = page.remaining {
            metadata["remainingItemCount"] = json!(remaining);
        }
        Ok(Done::Body(200, self.list_body(at, &page.objects, &metadata), answer::JSON))
    }

    /// The list of `objects` in the form asked for.
    pub(super) fn list_body(&self, at: &Place, objects: &[Arc<Object>], metadata: &Value) -> Bytes {
        let values = || objects.iter().map(|object| present::as_kind(&at.kind, &object.value));
        match at.form {
            WatchForm::Whole => whole_list(at, objects, metadata),
            WatchForm::Partial => {
                let items: Vec<Value> = values().map(|value| present::partial(&value)).collect();
                let list = json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
                    "metadata": metadata, "items": items});
                Bytes::from(list.to_string())
            }
            WatchForm::Table(include) => {
                let values: Vec<_> = values().collect();
                let rows: Vec<&Value> = values.iter().map(|value| &**value).collect();
                let mut table = table::render(&at.kind, &rows, include, true, self.now);
                table["metadata"] = metadata.clone();
                Bytes::from(table.to_string())
            }
        }
    }

    fn page_of(&self, selection: &Selection) -> Outcome<Page> {
        let limit =
            self.query.number("limit")?.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0);
        let store = &self.server.store;
        let current = store.revision();
        let asked = self.asked_revision()?;
        let token = self.query.get("continue").map(Token::decode).transpose()?;
        if let Some(asked) = asked.filter(|asked| *asked > current.0) {
            return Err(Failure::from_the_future(asked, current.0));
        }
        let exact = match (&token, asked) {
            (Some(token), _) if token.rv == 0 => current,
            (Some(token), _) => Revision(token.rv),
            (None, Some(asked)) if asked > 0 && self.wants_exactly(limit) => Revision(asked),
            _ => current,
        };
        let after = token.as_ref().map(|token| (token.namespace.as_str(), token.name.as_str()));
        let mut objects: Vec<Arc<Object>> = if exact == current {
            selection.all(store).cloned().collect()
        } else {
            let past = store.collection(&selection.resource).map(|collection| collection.at(exact));
            match past {
                Some(None) => return Err(forgotten(token.as_ref())),
                None => Vec::new(),
                Some(Some(past)) => past.into_values().filter(|object| selection.picks(object)).collect(),
            }
        };
        if let Some(after) = after {
            objects.retain(|object| (&*object.key.namespace, &*object.key.name) > after);
        }
        let total = objects.len();
        let mut page = Page { objects, revision: exact, next: None, remaining: None };
        if let Some(limit) = limit.filter(|limit| *limit < total) {
            page.objects.truncate(limit);
            page.remaining = selection.is_plain().then_some(total - limit);
            page.next = page.objects.last().map(|last| {
                let (namespace, name) = (last.key.namespace.to_string(), last.key.name.to_string());
                Token { rv: exact.0, namespace, name }.encode()
            });
        }
        Ok(page)
    }

    /// Whether the asked revision is meant exactly (rule of `resourceVersionMatch`'s table).
    fn wants_exactly(&self, limit: Option<usize>) -> bool {
        match self.query.get("resourceVersionMatch") {
            Some("Exact") => true,
            Some(_) => false,
            None => limit.is_some(),
        }
    }
}

/// A list made of the objects' own JSON.
fn whole_list(at: &Place, objects: &[Arc<Object>], metadata: &Value) -> Bytes {
    let size: usize = objects.iter().map(|object| object.json.len() + 1).sum();
    let mut body = Vec::with_capacity(size + 200);
    let head = format!(
        "{{\"kind\":{},\"apiVersion\":{},\"metadata\":{metadata},\"items\":[",
        json!(at.kind.list_kind),
        json!(at.kind.gvk.api_version())
    );
    body.extend_from_slice(head.as_bytes());
    for (index, object) in objects.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        if present::is_stored_form(&at.kind, &object.value) {
            body.extend_from_slice(&object.json);
        } else {
            body.extend_from_slice(present::as_kind(&at.kind, &object.value).to_string().as_bytes());
        }
    }
    body.extend_from_slice(b"]}");
    Bytes::from(body)
}

fn forgotten(token: Option<&Token>) -> Failure {
    match token {
        Some(Token { namespace, name, .. }) => {
            let fresh = Token { rv: 0, namespace: namespace.clone(), name: name.clone() };
            Failure::continue_expired(&fresh.encode())
        }
        None => Failure::expired("The provided resource version is too old"),
    }
}
