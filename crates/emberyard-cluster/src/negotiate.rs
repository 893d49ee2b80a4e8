//! In which form an answer is wanted.

use crate::failure::{Failure, Outcome};
use crate::query::Query;
use crate::watch::WatchForm;
use emberyard_object::table::IncludeObject;

/// What can be asked for, as 406 names it.
const SUPPORTED: &str = "application/json";

/// Forms of the answer to a request for objects. Always JSON.
pub(crate) fn objects(accept: Option<&str>, query: Query<'_>) -> Outcome<WatchForm> {
    for range in ranges(accept) {
        if !range.is_json() {
            continue;
        }
        match (range.param("as"), range.param("g"), range.param("v")) {
            (None, ..) => return Ok(WatchForm::Whole),
            (Some("Table"), Some("meta.k8s.io"), Some("v1")) => {
                return Ok(WatchForm::Table(IncludeObject::parse(query.get("includeObject"))));
            }
            (Some("PartialObjectMetadata" | "PartialObjectMetadataList"), Some("meta.k8s.io"), Some("v1")) => {
                return Ok(WatchForm::Partial);
            }
            _ => {}
        }
    }
    Err(Failure::not_acceptable(SUPPORTED))
}

/// Whether discovery is wanted aggregated; if so, the content type to answer with.
pub(crate) fn aggregated_discovery(accept: Option<&str>) -> Outcome<Option<&'static str>> {
    for range in ranges(accept) {
        if !range.is_json() {
            continue;
        }
        match (range.param("as"), range.param("g"), range.param("v")) {
            (None, ..) => return Ok(None),
            (Some("APIGroupDiscoveryList"), Some("apidiscovery.k8s.io"), Some("v2")) => {
                return Ok(Some("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"));
            }
            _ => {}
        }
    }
    Err(Failure::not_acceptable(SUPPORTED))
}

/// One part of an `Accept` header.
struct Range<'a> {
    media: &'a str,
    params: &'a str,
}

impl<'a> Range<'a> {
    fn is_json(&self) -> bool {
        matches!(self.media, "application/json" | "application/*" | "*/*")
    }

    fn param(&self, key: &str) -> Option<&'a str> {
        self.params
            .split(';')
            .filter_map(|pair| pair.split_once('='))
            .find(|(k, _)| k.trim() == key)
            .map(|(_, v)| v.trim())
    }
}

fn ranges(accept: Option<&str>) -> impl Iterator<Item = Range<'_>> {
    accept.filter(|text| !text.trim().is_empty()).unwrap_or("*/*").split(',').map(|part| {
        let (media, params) = part.split_once(';').unwrap_or((part, ""));
        Range { media: media.trim(), params }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picks_the_first_form_it_has() {
        let table = [
            (None, "Ok(Whole)"),
            (Some("application/json"), "Ok(Whole)"),
            (Some("application/vnd.kubernetes.protobuf, */*"), "Ok(Whole)"),
            (Some("application/json;as=Table;v=v1;g=meta.k8s.io,application/json"), "Ok(Table(Metadata))"),
            (Some("application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"), "Ok(Whole)"),
            (Some("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"), "Ok(Partial)"),
            (Some("application/json;stream=watch"), "Ok(Whole)"),
        ];
        for (accept, wanted) in table {
            assert_eq!(format!("{:?}", objects(accept, Query(&[]))), wanted, "{accept:?}");
        }
        assert_eq!(objects(Some("text/html"), Query(&[])).unwrap_err().code, 406);
    }
}
