//! Names, numbers and types of our `.proto` files against those of BuildKit's
//! own Go packages, which `golden/go/main.go` prints.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto};

/// The facts of our files, in the lines of the golden file.
fn ours() -> BTreeSet<String> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/proto");
    let files = protox::compile(["gateway.proto"], [directory]).unwrap();
    let mut lines = BTreeSet::new();
    for file in files.file {
        let package = file.package();
        if package == "google.protobuf" {
            continue;
        }
        for message in &file.message_type {
            add_message(&mut lines, package, message);
        }
        for of in &file.enum_type {
            add_enum(&mut lines, package, of);
        }
        for service in &file.service {
            for method in &service.method {
                lines.insert(format!(
                    "{package}.{}.{} {} {} {} {}",
                    service.name(),
                    method.name(),
                    bare(method.input_type()),
                    method.client_streaming(),
                    bare(method.output_type()),
                    method.server_streaming()
                ));
            }
        }
    }
    lines
}

fn add_message(lines: &mut BTreeSet<String>, scope: &str, message: &DescriptorProto) {
    let name = format!("{scope}.{}", message.name());
    lines.insert(format!("message {name}"));
    for field in &message.field {
        let kind = kind(message, field);
        lines.insert(format!("{name}.{} {} {kind}", field.name(), field.number()));
    }
    for of in &message.enum_type {
        add_enum(lines, &name, of);
    }
    for nested in &message.nested_type {
        if !is_map_entry(nested) {
            add_message(lines, &name, nested);
        }
    }
}

fn add_enum(lines: &mut BTreeSet<String>, scope: &str, of: &EnumDescriptorProto) {
    for value in &of.value {
        let (name, number) = (value.name(), value.number());
        lines.insert(format!("{scope}.{}.{name} {number}", of.name()));
    }
}

fn kind(message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    let base = match field.r#type() {
        Type::Message | Type::Enum => bare(field.type_name()).to_owned(),
        scalar => scalar
            .as_str_name()
            .trim_start_matches("TYPE_")
            .to_lowercase(),
    };
    let entry = message.nested_type.iter().find(|nested| {
        let name = format!(".{}", nested.name());
        is_map_entry(nested) && base.ends_with(&name)
    });
    if let Some(entry) = entry {
        let (key, value) = (&entry.field[0], &entry.field[1]);
        return format!("map<{}, {}>", kind(entry, key), kind(entry, value));
    }
    let repeated = match field.label() {
        Label::Repeated => "repeated ",
        _ => "",
    };
    let oneof = field.oneof_index.map_or(String::new(), |index| {
        format!(" in {}", message.oneof_decl[index as usize].name())
    });
    format!("{repeated}{base}{oneof}")
}

fn is_map_entry(message: &DescriptorProto) -> bool {
    message
        .options
        .as_ref()
        .is_some_and(|options| options.map_entry())
}

fn bare(name: &str) -> &str {
    name.trim_start_matches('.')
}

#[test]
fn the_protocol_is_that_of_buildkit() {
    let golden = include_str!("golden/wire-v0.32.2.txt").lines();
    let theirs: BTreeSet<String> = golden
        .filter(|line| !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    let ours = ours();
    let missing: Vec<_> = theirs.difference(&ours).collect();
    let wrong: Vec<_> = ours.difference(&theirs).collect();
    assert!(
        missing.is_empty() && wrong.is_empty(),
        "missing {missing:#?}\nwrong {wrong:#?}"
    );
}
