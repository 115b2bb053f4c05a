//! The page with the results: between two marks, a section per repository. A run
//! replaces the sections of the repositories that it compared and leaves the others,
//! because nobody has the hours for all of them at once.

use std::fs;

use anyhow::{Context as _, Result};

use crate::root;

const PAGE: &str = "docs/performance.md";
const PICTURE: &str = "docs/performance.svg";
const BEGIN: &str = "<!-- compare: begin -->";
const END: &str = "<!-- compare: end -->";
/// Starts the first line of a section.
const HEADING: &str = "### ";

/// What a run found out about one repository.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) title: String,
    /// Markdown, without headings.
    pub(super) body: String,
}

impl Section {
    pub(super) fn markdown(&self) -> String {
        format!("{HEADING}{}\n\n{}\n", self.title, self.body.trim())
    }
}

/// Writes the sections into the page, and the picture beside it.
///
/// # Errors
///
/// The page cannot be read or written, or has no marks.
pub(super) fn write(sections: &[Section], picture: Option<&str>) -> Result<()> {
    let path = root().join(PAGE);
    let page = fs::read_to_string(&path)?;
    let new = with(&page, sections)
        .with_context(|| format!("{PAGE} has no `{BEGIN}` and `{END}` to write between"))?;
    fs::write(&path, new)?;
    if let Some(picture) = picture {
        fs::write(root().join(PICTURE), picture)?;
    }
    Ok(())
}

/// How a run was asked for, for whoever wants to repeat it. No path of this machine.
pub(super) fn command(words: &[String]) -> String {
    let mut text = "cargo xtask bench compare".to_owned();
    let mut before = "";
    for word in words {
        if word != "--write" {
            let word = if before == "--repository" {
                "PATH"
            } else {
                word
            };
            text.push(' ');
            text.push_str(word);
        }
        before = word;
    }
    text
}

/// The page with these sections in the place of those with the same titles.
fn with(page: &str, sections: &[Section]) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (region, after) = rest.split_once(END)?;
    let mut all = parse(region);
    for section in sections {
        match all.iter_mut().find(|old| old.title == section.title) {
            Some(old) => old.clone_from(section),
            None => all.push(section.clone()),
        }
    }
    let all: Vec<String> = all.iter().map(Section::markdown).collect();
    Some(format!(
        "{before}{BEGIN}\n\n{}\n{END}{after}",
        all.join("\n")
    ))
}

fn parse(region: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in region.lines() {
        if let Some(title) = line.strip_prefix(HEADING) {
            sections.push(Section {
                title: title.to_owned(),
                body: String::new(),
            });
        } else if let Some(section) = sections.last_mut() {
            section.body.push_str(line);
            section.body.push('\n');
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn section(title: &str, body: &str) -> Section {
        Section {
            title: title.to_owned(),
            body: body.to_owned(),
        }
    }

    #[test]
    fn a_section_is_replaced_and_all_else_stays() {
        let page = format!("a\n{BEGIN}\n\n### 4\n\nx\n\n### 12\n\ny\n\n{END}\nb\n");
        let new = with(&page, &[section("4", "z\n"), section("40", "w")]).unwrap();
        assert_eq!(
            new,
            format!("a\n{BEGIN}\n\n### 4\n\nz\n\n### 12\n\ny\n\n### 40\n\nw\n\n{END}\nb\n")
        );
        assert_eq!(with(&new, &[section("40", "w")]), Some(new.clone()));
        assert_eq!(with("a", &[]), None);
    }

    #[test]
    fn the_page_of_this_repository_is_as_a_run_writes_it() {
        let page = fs::read_to_string(root().join(PAGE)).unwrap();
        assert_eq!(with(&page, &[]), Some(page));
    }

    #[test]
    fn a_command_names_no_path() {
        let words = ["--repository", "/home/me/mine", "--rounds", "3", "--write"];
        let words: Vec<String> = words.map(str::to_owned).to_vec();
        assert_eq!(
            command(&words),
            "cargo xtask bench compare --repository PATH --rounds 3"
        );
    }
}
