//! Embedding keeps bytes, names and places; unsound definitions are refused.
#![allow(clippy::unwrap_used)]

use crate::*;
use buildkit_proto::pb;
use prost::Message;

/// A graph with a shared op, metadata and a location.
fn graph() -> Output {
    let file = SourceFile::new("Dockerfile", "FROM alpine\n");
    let image = Source::image("alpine")
        .name("base")
        .location(&SourceLocation::new(&file, [Range::lines(1, 1)]))
        .build();
    let exec = Exec::new(["x"])
        .mount(Mount::bind("/", &image).readonly())
        .mount(Mount::scratch("/a"))
        .mount(Mount::scratch("/b"))
        .build();
    Merge::new([image, exec.output("/b").unwrap()]).build()
}

#[test]
fn embedded_alone_it_is_the_same_definition() {
    let definition = graph().marshal();
    let embedded = Foreign::from_definition(&definition).unwrap();
    assert_eq!(embedded.marshal(), definition);
}

#[test]
fn inside_a_graph_all_ops_keep_their_bytes_and_facts() {
    let definition = graph().marshal();
    let embedded = Foreign::from_definition(&definition).unwrap();
    let own_file = SourceFile::new("fleet.yaml", "a: b\n");
    let outer = FileOp::on(&embedded)
        .mkfile(Mkfile::new("/f", "x"))
        .location(&SourceLocation::new(&own_file, [Range::lines(1, 1)]))
        .build()
        .marshal();
    let ops = definition.def.len() - 1;
    assert_eq!(outer.def[..ops], definition.def[..ops]);
    let source = outer.source.unwrap();
    let names: Vec<_> = source.infos.iter().map(|info| &info.filename).collect();
    assert_eq!(names, ["Dockerfile", "fleet.yaml"]);
    let image = Digest::of(&definition.def[0]);
    assert_eq!(
        outer.metadata[image.as_str()].description[CUSTOM_NAME],
        "base"
    );
    assert_eq!(
        source.locations[image.as_str()].locations[0].source_index,
        0
    );
}

#[test]
fn unknown_fields_and_other_encodings_are_kept() {
    // Fields 10 and 11 before the operation, the operation before them, and a
    // field that no op has.
    let operation = pb::op::Op::Source(pb::SourceOp {
        identifier: "local://x".into(),
        ..Default::default()
    });
    let op = pb::Op {
        platform: Some(pb::Platform::default()),
        op: Some(operation),
        ..Default::default()
    };
    let mut bytes = op.encode_to_vec();
    assert_ne!(bytes, encode_op(&op));
    bytes.extend([0xfa, 0x7f, 0x01, 0x2a]);
    let definition = of_ops([bytes.clone()]);
    let embedded = Foreign::from_definition(&definition).unwrap();
    assert_eq!(embedded.marshal().def[0], bytes);
    assert_eq!(embedded.digest(), &Digest::of(&bytes));
}

#[test]
fn order_and_repetition_of_ops_do_not_matter() {
    let definition = graph().marshal();
    let mut shuffled = definition.clone();
    let last = shuffled.def.len() - 1;
    shuffled.def[..last].reverse();
    shuffled.def.insert(0, definition.def[0].clone());
    let embedded = Foreign::from_definition(&shuffled).unwrap();
    assert_eq!(embedded.marshal(), definition);
}

#[test]
fn a_long_chain_is_no_trouble() {
    let mut output = Source::local("x").build();
    for _ in 0..10_000 {
        output = FileOp::on(&output).rm(Rm::new("/x")).build();
    }
    let definition = output.marshal();
    drop(output);
    let embedded = Foreign::from_definition(&definition).unwrap();
    assert_eq!(embedded.check(), Ok(()));
    assert_eq!(embedded.marshal().def.len(), 10_002);
}

/// Ops and a terminal that names the last of them.
fn of_ops(ops: impl IntoIterator<Item = Vec<u8>>) -> pb::Definition {
    let mut def: Vec<_> = ops.into_iter().collect();
    def.push(terminal(Digest::of(def.last().unwrap()), 0));
    pb::Definition {
        def,
        ..Default::default()
    }
}

fn terminal(digest: Digest, index: i64) -> Vec<u8> {
    let digest = digest.into();
    pb::Op {
        inputs: vec![pb::Input { digest, index }],
        ..Default::default()
    }
    .encode_to_vec()
}

#[test]
fn unsound_definitions() {
    let good = graph().marshal();
    let refuse = |change: &dyn Fn(&mut pb::Definition)| {
        let mut bad = good.clone();
        change(&mut bad);
        Foreign::from_definition(&bad).unwrap_err()
    };
    assert_eq!(refuse(&|bad| bad.def.clear()), Error::NoResult);
    // The last op is not a terminal.
    let error = refuse(&|bad| bad.def.truncate(1));
    assert_eq!(error, Error::NoResult);
    let error = refuse(&|bad| *bad.def.last_mut().unwrap() = Vec::new());
    assert_eq!(error, Error::NoResult);
    let error = refuse(&|bad| bad.def[1] = vec![0xff]);
    assert!(
        matches!(error, Error::Undecodable { number: 1, .. }),
        "{error}"
    );
    let digest = Digest::of(&good.def[0]);
    let error = refuse(&|bad| drop(bad.def.remove(0)));
    assert_eq!(error, Error::MissingOp { digest });
    let digest = Digest::of(&good.def[0]);
    let negative = |bad: &mut pb::Definition| {
        *bad.def.last_mut().unwrap() = terminal(digest.clone(), -1);
    };
    let error = refuse(&negative);
    assert!(
        matches!(error, Error::NegativeIndex { index: -1, .. }),
        "{error}"
    );
    for index in [-1, 1] {
        let error = refuse(&|bad: &mut pb::Definition| {
            let source = bad.source.as_mut().unwrap();
            for of_op in source.locations.values_mut() {
                of_op.locations[0].source_index = index;
            }
        });
        assert_eq!(error, Error::MissingFile { index });
    }
}
