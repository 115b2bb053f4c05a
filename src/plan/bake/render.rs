//! A bake file as text: HCL for people, JSON for `format=json`.

use super::{BakeFile, BakeTarget, Part, Value};
use serde_json::json;
use std::fmt::Write;

impl BakeFile {
    /// The file in HCL, the form that `docker buildx bake -f -` tries first.
    pub fn to_hcl(&self) -> String {
        let file = &self.file_name;
        let mut out = format!(
            "# The services of {file}, made by: docker buildx build -f {file} --call bake .\n\
             # Variables take their value from the environment.\n",
            file = file.replace(char::is_control, " ")
        );
        for (name, default) in &self.variables {
            let _ = write!(
                out,
                "\nvariable {} {{\n  default = {}\n}}\n",
                quoted(name),
                default.hcl()
            );
        }
        let names = list(self.targets.iter().map(|t| quoted(&t.name)));
        let _ = write!(out, "\ngroup \"default\" {{\n  targets = {names}\n}}\n");
        for target in &self.targets {
            target.write_hcl(&mut out);
        }
        out
    }

    /// The same file in JSON, whose strings are templates of HCL too.
    pub fn to_json(&self) -> String {
        let variables: serde_json::Map<_, _> = self
            .variables
            .iter()
            .map(|(name, default)| {
                let default = default.template();
                (name.clone(), json!({ "default": default }))
            })
            .collect();
        let names: Vec<&str> = self.targets.iter().map(|t| t.name.as_str()).collect();
        let targets: serde_json::Map<_, _> = self
            .targets
            .iter()
            .map(|t| (t.name.clone(), t.json()))
            .collect();
        let file = json!({
            "variable": variables,
            "group": { "default": { "targets": names } },
            "target": targets,
        });
        format!("{file:#}\n")
    }
}

impl BakeTarget {
    fn write_hcl(&self, out: &mut String) {
        let _ = writeln!(out, "\ntarget {} {{", quoted(&self.name));
        let mut field = |name: &str, value: String| {
            let _ = writeln!(out, "  {name:<10} = {value}");
        };
        field("context", self.context.hcl());
        field("dockerfile", self.dockerfile.hcl());
        field("target", Value::literal(&self.target).hcl());
        field("tags", list(self.tags.iter().map(Value::hcl)));
        if !self.platforms.is_empty() {
            field("platforms", list(self.platforms.iter().map(Value::hcl)));
        }
        if !self.attest.is_empty() {
            field("attest", list(self.attest.iter().map(Value::hcl)));
        }
        for (name, values) in [("secret", &self.secrets), ("ssh", &self.ssh)] {
            if !values.is_empty() {
                field(name, list(values.iter().map(Value::hcl)));
            }
        }
        if !self.args.is_empty() {
            let _ = writeln!(out, "  args = {{");
            for (name, value) in &self.args {
                let _ = writeln!(out, "    {name} = {}", value.hcl());
            }
            let _ = writeln!(out, "  }}");
        }
        out.push_str("}\n");
    }

    fn json(&self) -> serde_json::Value {
        let templates = |values: &[Value]| values.iter().map(Value::template).collect::<Vec<_>>();
        let mut target = json!({
            "context": self.context.template(),
            "dockerfile": self.dockerfile.template(),
            "target": Value::literal(&self.target).template(),
            "tags": templates(&self.tags),
        });
        if !self.platforms.is_empty() {
            target["platforms"] = json!(templates(&self.platforms));
        }
        if !self.attest.is_empty() {
            target["attest"] = json!(templates(&self.attest));
        }
        for (name, values) in [("secret", &self.secrets), ("ssh", &self.ssh)] {
            if !values.is_empty() {
                target[name] = json!(templates(values));
            }
        }
        if !self.args.is_empty() {
            let args: serde_json::Map<_, _> = self
                .args
                .iter()
                .map(|(name, value)| (name.clone(), json!(value.template())))
                .collect();
            target["args"] = args.into();
        }
        target
    }
}

impl Value {
    /// An HCL expression.
    fn hcl(&self) -> String {
        match &self.0[..] {
            [Part::Variable(name)] => name.clone(),
            [Part::IfSetOrNull(name)] => or_null(name),
            parts => {
                let mut out = String::from("\"");
                for part in parts {
                    match part {
                        Part::Literal(text) => escape(&mut out, text),
                        part => interpolate(&mut out, part),
                    }
                }
                out.push('"');
                out
            }
        }
    }

    /// A template: what stands between the quotes in JSON, before JSON's own escapes.
    fn template(&self) -> String {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(text) => out.push_str(&literal(text)),
                part => interpolate(&mut out, part),
            }
        }
        out
    }
}

fn interpolate(out: &mut String, part: &Part) {
    let _ = match part {
        Part::Literal(text) => write!(out, "{}", literal(text)),
        Part::Variable(name) => write!(out, "${{{name}}}"),
        Part::IfSet(name, set, unset) => {
            write!(out, "${{{name} != \"\" ? {} : {}}}", set.hcl(), unset.hcl())
        }
        Part::IfSetOrNull(name) => write!(out, "${{{}}}", or_null(name)),
        Part::Home => write!(out, "${{homedir()}}"),
    };
}

fn or_null(name: &str) -> String {
    format!("{name} != \"\" ? {name} : null")
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

fn quoted(text: &str) -> String {
    Value::literal(text).hcl()
}

/// Takes the meaning from what starts an expression in a template.
fn literal(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

/// Writes literal text as it stands in a quoted HCL string.
fn escape(out: &mut String, text: &str) {
    for c in literal(text).chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        let text = Value::literal("a \"b\" \\ ${x} %{y} $z\n");
        assert_eq!(text.hcl(), r#""a \"b\" \\ $${x} %%{y} $z\n""#);
        assert_eq!(text.template(), "a \"b\" \\ $${x} %%{y} $z\n");
        let tag = Value(vec![
            Part::IfSet(
                "REGISTRY".into(),
                Value(vec![
                    Part::Variable("REGISTRY".into()),
                    Part::Literal("/".into()),
                ]),
                Value(Vec::new()),
            ),
            Part::Literal("api:".into()),
            Part::Variable("TAG".into()),
        ]);
        assert_eq!(
            tag.hcl(),
            r#""${REGISTRY != "" ? "${REGISTRY}/" : ""}api:${TAG}""#
        );
        let or_null = Value(vec![Part::IfSetOrNull("A".into())]);
        assert_eq!(or_null.hcl(), "A != \"\" ? A : null");
        assert_eq!(or_null.template(), "${A != \"\" ? A : null}");
    }
}
