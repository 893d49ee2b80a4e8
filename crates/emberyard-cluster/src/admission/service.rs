//! Services: addresses and ports they are given, and what may not change.

use super::service_ip as ip;
use crate::call::{Call, Place};
use crate::failure::Outcome;
use emberyard_object::schema::Cause;
use emberyard_object::view::{list, text};
use serde_json::{Value, json};

/// Fills in addresses and node ports, keeping what the live service has.
pub(super) fn prepare(call: &mut Call<'_>, place: &Place, old: Option<&Value>, object: &mut Value) -> Outcome<()> {
    if !object["spec"].is_object() {
        return Ok(());
    }
    if old.is_none() {
        object["status"] = json!({"loadBalancer": {}});
    }
    if text(object, &["spec", "type"]) == "ExternalName" {
        for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"] {
            if let Some(spec) = object["spec"].as_object_mut() {
                spec.remove(field);
            }
        }
        return Ok(());
    }
    let kept = old.map_or("", |old| text(old, &["spec", "clusterIP"]));
    if text(object, &["spec", "clusterIP"]).is_empty() {
        let listed = list(object, &["spec", "clusterIPs"]).first().and_then(Value::as_str).unwrap_or("");
        let address = match (listed, kept) {
            ("", "") => ip::allocate(call)?,
            ("", kept) => kept.to_owned(),
            (listed, _) => listed.to_owned(),
        };
        object["spec"]["clusterIP"] = json!(address);
    }
    let spec = &mut object["spec"];
    spec["clusterIPs"] = json!([spec["clusterIP"]]);
    for (field, value) in [("ipFamilies", json!(["IPv4"])), ("ipFamilyPolicy", json!("SingleStack"))] {
        if spec[field].is_null() {
            spec[field] = value;
        }
    }
    if spec["internalTrafficPolicy"].is_null() {
        spec["internalTrafficPolicy"] = json!("Cluster");
    }
    ip::node_ports(call, place, old, object);
    Ok(())
}

/// What a service must say, and what may not change.
pub(super) fn causes(call: &Call<'_>, place: &Place, old: Option<&Value>, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let type_ = text(object, &["spec", "type"]);
    let address = text(object, &["spec", "clusterIP"]);
    if list(object, &["spec", "ports"]).is_empty() && address != "None" && type_ != "ExternalName" {
        let (field, message) = ("spec.ports".to_owned(), "Required value".to_owned());
        causes.push(Cause { reason: "FieldValueRequired", field, message });
    }
    let before = old.map_or("", |old| text(old, &["spec", "clusterIP"]));
    if !before.is_empty() && before != address && type_ != "ExternalName" {
        let message = format!("Invalid value: [{}]: may not change once set", json!(address));
        let field = "spec.clusterIPs[0]".to_owned();
        causes.push(Cause { reason: "FieldValueInvalid", field, message });
    } else if before != address {
        causes.extend(ip::unusable(call, place, address));
    }
    causes
}
