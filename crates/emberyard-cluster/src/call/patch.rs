//! Changing objects in part.

use super::replace::Part;
use super::{Call, Done, Place};
use crate::body::{self, check_size};
use crate::failure::{Failure, Outcome};
use crate::present;
use emberyard_object::patch::{self, PatchError, apply::Manager};
use emberyard_object::{ContentKind, Kind};
use serde_json::Value;

const SUPPORTED: &str = "application/json-patch+json, application/merge-patch+json, \
                         application/strategic-merge-patch+json, application/apply-patch+yaml";

impl Call<'_> {
    pub(super) fn patch(&mut self, at: &Place) -> Outcome<Done> {
        self.patch_part(at, Part::Main)
    }

    /// PATCH of an object or its status.
    pub(crate) fn patch_part(&mut self, at: &Place, part: Part) -> Outcome<Done> {
        let form = self.patch_form(&at.kind)?;
        if form == ContentKind::ApplyPatch {
            return self.apply(at, part);
        }
        let patch = body::json_body(self.request)?.value;
        let dry_run = self.query.dry_run()?;
        let live = self.live(at)?;
        let old = present::as_kind(&at.kind, &live.value);
        let patched = changed(form, &at.kind, &old, &patch)?;
        let (wanted, warnings) = body::decode(&at.kind, patched, &[], self.field_validation()?)?;
        self.warnings.extend(warnings);
        let version = at.kind.gvk.api_version();
        let manager = Manager { name: self.manager(), subresource: &at.path.subresource, api_version: &version };
        let object = self.replace(at, &live, wanted, part, Some(manager), dry_run)?;
        Ok(self.shown(at, 200, &object))
    }

    /// Which kind of patch the request sends.
    pub(crate) fn patch_form(&self, kind: &Kind) -> Outcome<ContentKind> {
        check_size(self.request, self.server.config.body_limit)?;
        let form = ContentKind::parse(self.request.content_type.as_deref().unwrap_or(""));
        match form {
            Some(ContentKind::StrategicMergePatch) if kind.custom => Err(Failure::unsupported_media(
                "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
            )),
            Some(ContentKind::Json) | None => Err(Failure::unsupported_media(SUPPORTED)),
            Some(form) => Ok(form),
        }
    }
}

/// `old` with a patch applied.
pub(crate) fn changed(form: ContentKind, kind: &Kind, old: &Value, patch: &Value) -> Outcome<Value> {
    let refused = |error: PatchError| match error {
        PatchError::Malformed(text) => Failure::bad_request(text),
        PatchError::Unfit(text) => Failure::unprocessable(text),
    };
    match form {
        ContentKind::JsonPatch => patch::json(old, patch).map_err(refused),
        ContentKind::StrategicMergePatch => patch::strategic(kind, old, patch).map_err(refused),
        _ if !patch.is_object() => Err(Failure::bad_request("a merge patch is an object")),
        _ => Ok(patch::merge(old, patch)),
    }
}
