//! Text of each kind of op but exec.

use buildkit_proto::pb;

use crate::Platform;
use crate::text::{MAX_DEPTH, Names, Page, word};

/// The first line of an op, after its name.
pub(super) fn heading(op: &pb::Op) -> String {
    match &op.op {
        None => "nothing".to_owned(),
        Some(pb::op::Op::Exec(_)) => "exec".to_owned(),
        Some(pb::op::Op::Source(source)) => format!("source {}", word(&source.identifier)),
        Some(pb::op::Op::File(_)) => "file".to_owned(),
        Some(pb::op::Op::Build(_)) => "build".to_owned(),
        Some(pb::op::Op::Merge(_)) => "merge".to_owned(),
        Some(pb::op::Op::Diff(_)) => "diff".to_owned(),
        Some(pb::op::Op::Passthrough(op)) => format!("passthrough {}", word(&op.id)),
    }
}

impl Page {
    /// The lines of an op after the first one.
    pub(super) fn op(&mut self, op: &pb::Op, names: &Names, depth: usize) {
        for input in &op.inputs {
            self.line(format_args!("input {}", names.input(input)));
        }
        if let Some(platform) = &op.platform {
            self.platform(platform);
        }
        let filters = op.constraints.iter().flat_map(|found| &found.filter);
        for filter in filters {
            self.line(format_args!("filter {}", word(filter)));
        }
        match &op.op {
            None => {}
            Some(pb::op::Op::Exec(exec)) => self.exec(op, exec, names),
            Some(pb::op::Op::Source(source)) => self.attrs(&source.attrs),
            Some(pb::op::Op::File(file)) => self.file_op(op, file, names),
            Some(pb::op::Op::Build(build)) => self.build(op, build, names, depth),
            Some(pb::op::Op::Merge(merge)) => {
                for input in &merge.inputs {
                    let tree = names.numbered(op, input.input);
                    self.line(format_args!("tree {tree}"));
                }
            }
            Some(pb::op::Op::Diff(diff)) => {
                let lower = diff.lower.as_ref().map(|side| side.input);
                let upper = diff.upper.as_ref().map(|side| side.input);
                for (side, input) in [("lower", lower), ("upper", upper)] {
                    let tree = match input {
                        None => "none".to_owned(),
                        Some(-1) => "scratch".to_owned(),
                        Some(number) => names.numbered(op, number),
                    };
                    self.line(format_args!("{side} {tree}"));
                }
            }
            Some(pb::op::Op::Passthrough(passthrough)) => {
                for output in &passthrough.outputs {
                    let tree = names.numbered(op, *output);
                    self.line(format_args!("forward {tree}"));
                }
            }
        }
    }

    /// A platform; if it is not in its normal form, as it is.
    fn platform(&mut self, wire: &pb::Platform) {
        let platform = Platform::from(wire);
        match pb::Platform::from(&platform) == *wire {
            true => self.line(format_args!("platform {platform}")),
            false => self.line(format_args!(
                "platform os {} arch {} variant {} version {} features {:?}",
                word(&wire.os),
                word(&wire.architecture),
                word(&wire.variant),
                word(&wire.os_version),
                wire.os_features
            )),
        }
    }

    fn attrs<'a>(&mut self, attrs: impl IntoIterator<Item = (&'a String, &'a String)>) {
        for (name, value) in attrs {
            self.line(format_args!("attr {} {}", word(name), word(value)));
        }
    }

    fn build(&mut self, op: &pb::Op, build: &pb::BuildOp, names: &Names, depth: usize) {
        self.fact(
            build.builder != -1,
            format_args!("builder {}", build.builder),
        );
        for (name, input) in &build.inputs {
            let tree = names.numbered(op, input.input);
            self.line(format_args!("from {tree} {}", word(name)));
        }
        self.attrs(&build.attrs);
        match &build.def {
            None => {}
            Some(_) if depth == MAX_DEPTH => self.line("definition too deep"),
            Some(definition) => {
                self.line("definition");
                self.indent += 3;
                self.definition(definition, depth + 1);
                self.indent -= 3;
            }
        }
    }

    fn file_op(&mut self, op: &pb::Op, file: &pb::FileOp, names: &Names) {
        // An index is an input, the result of an action, or nothing.
        let tree = |index: i64| match index - op.inputs.len() as i64 {
            _ if index == -1 => "scratch".to_owned(),
            action if action >= 0 => format!("action {action}"),
            _ => names.numbered(op, index),
        };
        for (number, action) in file.actions.iter().enumerate() {
            let mut line = format!("action {number} on {}", tree(action.input));
            if action.output != -1 {
                line += &format!(" output {}", action.output);
            }
            self.line(line);
            self.indent += 3;
            let is_copy = matches!(action.action, Some(pb::file_action::Action::Copy(_)));
            let second = action.secondary_input;
            let other = !is_copy && second != -1;
            self.fact(other, format_args!("second input {}", tree(second)));
            self.action(action, &tree);
            self.indent -= 3;
        }
    }

    fn action(&mut self, action: &pb::FileAction, tree: &impl Fn(i64) -> String) {
        use pb::file_action::Action;

        match &action.action {
            None => self.line("nothing"),
            Some(Action::Copy(copy)) => {
                let from = tree(action.secondary_input);
                let (src, dest) = (word(&copy.src), word(&copy.dest));
                self.line(format_args!("copy {from} {src} to {dest}"));
                self.copy(copy);
                self.owner(&copy.owner, tree);
                self.timestamp(copy.timestamp);
            }
            Some(Action::Mkfile(file)) => {
                self.line(format_args!("mkfile {}", word(&file.path)));
                self.line(format_args!("mode {}", mode(file.mode)));
                self.line(format_args!("data {}", data(&file.data)));
                self.owner(&file.owner, tree);
                self.timestamp(file.timestamp);
            }
            Some(Action::Mkdir(dir)) => {
                self.line(format_args!("mkdir {}", word(&dir.path)));
                self.line(format_args!("mode {}", mode(dir.mode)));
                self.fact(dir.make_parents, "parents");
                self.owner(&dir.owner, tree);
                self.timestamp(dir.timestamp);
            }
            Some(Action::Rm(rm)) => {
                self.line(format_args!("rm {}", word(&rm.path)));
                self.fact(rm.allow_not_found, "allow-not-found");
                self.fact(rm.allow_wildcard, "allow-wildcard");
            }
            Some(Action::Symlink(link)) => {
                let (old, new) = (word(&link.oldpath), word(&link.newpath));
                self.line(format_args!("symlink {new} says {old}"));
                self.owner(&link.owner, tree);
                self.timestamp(link.timestamp);
            }
        }
    }

    fn copy(&mut self, copy: &pb::FileActionCopy) {
        let has_text = !copy.mode_str.is_empty();
        // With a text, the number is zero and means nothing.
        let has_mode = copy.mode != if has_text { 0 } else { -1 };
        self.fact(has_mode, format_args!("mode {}", mode(copy.mode)));
        self.fact(has_text, format_args!("mode {}", word(&copy.mode_str)));
        for (flag, name) in [
            (copy.follow_symlink, "follow-symlinks"),
            (copy.dir_copy_contents, "contents-only"),
            (copy.create_dest_path, "create-dest-path"),
            (copy.allow_wildcard, "allow-wildcard"),
            (copy.allow_empty_wildcard, "allow-empty-wildcard"),
            (copy.attempt_unpack_docker_compatibility, "unpack"),
            (copy.always_replace_existing_dest_paths, "always-replace"),
        ] {
            self.fact(flag, name);
        }
        for (name, patterns) in [
            ("include", &copy.include_patterns),
            ("exclude", &copy.exclude_patterns),
            ("require", &copy.required_paths),
        ] {
            for pattern in patterns {
                self.line(format_args!("{name} {}", word(pattern)));
            }
        }
    }

    fn owner(&mut self, owner: &Option<pb::ChownOpt>, tree: &impl Fn(i64) -> String) {
        let Some(owner) = owner else { return };
        for (kind, user) in [("user", &owner.user), ("group", &owner.group)] {
            match user.as_ref().map(|user| &user.user) {
                None => {}
                Some(None) => self.line(format_args!("{kind} nothing")),
                Some(Some(pb::user_opt::User::ById(id))) => self.line(format_args!("{kind} {id}")),
                Some(Some(pb::user_opt::User::ByName(named))) => {
                    let (name, tree) = (word(&named.name), tree(named.input));
                    self.line(format_args!("{kind} {name} of {tree}"));
                }
            }
        }
        let empty = owner.user.is_none() && owner.group.is_none();
        self.fact(empty, "owner nothing");
    }

    fn timestamp(&mut self, nanoseconds: i64) {
        self.fact(nanoseconds != -1, format_args!("timestamp {nanoseconds}ns"));
    }
}

/// Bits in octal; a negative number as it is.
fn mode(mode: i32) -> String {
    match mode {
        0.. => format!("{mode:04o}"),
        _ => mode.to_string(),
    }
}

/// The content of a file: short texts as they are, other things by size and
/// digest.
fn data(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.len() <= 1024 => format!("{text:?}"),
        _ => format!("{} bytes {}", bytes.len(), crate::Digest::of(bytes)),
    }
}
