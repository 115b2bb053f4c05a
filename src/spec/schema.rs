//! The JSON Schema of the spec, for editors: made from the table of fields.
//!
//! It says what the reader takes, no more: values with rules of their own are checked by the plan.

use super::fields::{FIELDS, Field, Place, Type};
use super::names::RESERVED;
use serde_json::{Map, Value, json};

/// The text of `docs/spec.schema.json`.
pub fn json_schema() -> String {
    let mut text = format!("{:#}", sorted(schema()));
    text.push('\n');
    text
}

fn schema() -> Value {
    let mut top = object(Place::Top);
    top["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    top["properties"]["$schema"] = json!({ "type": "string" });
    top["title"] = json!("gofleet spec");
    top["description"] = json!("fleet.yaml: the Go services of a repository");
    // Without `discover` there are services, and each has its `main`.
    top["if"] = json!({ "required": ["discover"] });
    top["else"] = json!({
        "required": ["services"],
        "properties": { "services": {
            "minProperties": 1,
            "additionalProperties": { "type": ["string", "object"], "required": ["main"] },
        } },
    });
    top["$defs"] = json!({ "service": service(), "settings": object(Place::Defaults) });
    top
}

fn service() -> Value {
    json!({
        "anyOf": [
            { "type": "string", "description": "The directory of the `package main`." },
            { "type": "null", "description": "A discovered service without settings of its own." },
            object(Place::Service),
        ]
    })
}

/// The mapping at a place.
fn object(place: Place) -> Value {
    let properties: Map<String, Value> = FIELDS
        .iter()
        .filter(|f| f.places.contains(&place))
        .map(|f| (f.name.to_owned(), property(f)))
        .collect();
    json!({
        "type": "object",
        "properties": properties,
        "patternProperties": { "^x-": {} },
        "additionalProperties": false,
    })
}

fn property(field: &Field) -> Value {
    let string = json!({ "type": "string" });
    let strings = json!({ "type": "array", "items": string });
    let scalar = json!({ "type": ["string", "number", "boolean"] });
    let one_of = |forms: &[&Value]| json!({ "anyOf": forms });
    let mapping = |value: &Value| json!({ "type": "object", "additionalProperties": value });
    let mut schema = match field.ty {
        Type::Text => string.clone(),
        Type::Number => json!({ "type": ["string", "number"] }),
        Type::Flag => json!({ "type": "boolean" }),
        Type::Items | Type::Entries | Type::Command | Type::Flags => one_of(&[&string, &strings]),
        Type::Ports => {
            let port = json!({ "type": ["string", "number"] });
            json!({ "anyOf": [port, { "type": "array", "items": port }] })
        }
        Type::Variables => one_of(&[&mapping(&scalar), &strings]),
        Type::Labels => {
            let value = json!({ "type": ["string", "number", "boolean", "null"] });
            one_of(&[&mapping(&value), &strings])
        }
        Type::Paths => mapping(&string),
        Type::Attest => one_of(&[&json!({ "type": "boolean" }), &string, &strings]),
        Type::Services => json!({
            "type": "object",
            "propertyNames": {
                "pattern": "^[a-z0-9][a-z0-9_.-]{0,62}$",
                "not": { "enum": RESERVED },
            },
            "additionalProperties": { "$ref": "#/$defs/service" },
        }),
        Type::Defaults => json!({ "$ref": "#/$defs/settings" }),
    };
    schema["description"] = json!(field.doc);
    schema
}

/// The same value with keys in alphabetical order, whatever map type serde_json was built with.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> = map.into_iter().collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().map(|(k, v)| (k, sorted(v))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}
