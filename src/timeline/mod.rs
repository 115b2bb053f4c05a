//! A build as a picture: which step ran when, what came from the cache, what the end
//! waited for.
//!
//! In goes what `docker buildx build --progress rawjson` writes, out comes a chart:
//!
//! 1. `read`: lines → vertices with every stretch of time that was reported of them;
//! 2. `model`: vertices → steps, each executed, cached, failed or unfinished, with the
//!    service it belongs to (`names`) and the longest chain of inputs (`path`);
//! 3. `layout`: steps → rows, where what is small stands together;
//! 4. `svg`, `html`, `text`: rows → characters.
//!
//! The same bytes give the same chart.

mod html;
mod layout;
mod model;
mod names;
mod path;
mod read;
mod svg;
#[cfg(test)]
mod tests;
mod text;
mod time;

/// What a chart is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// A picture for browsers and documents.
    #[default]
    Svg,
    /// A page with the picture and the longest chain as a list.
    Html,
    /// Lines for a terminal.
    Text,
}

/// A chart, and what was not understood on the way.
#[derive(Debug)]
pub struct Drawing {
    /// The chart.
    pub text: String,
    /// How many lines were no reports of a build.
    pub skipped: usize,
}

/// Nothing in the input has a place on a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoProgress {
    /// How many lines were no reports of a build.
    pub skipped: usize,
}

/// Draws the build that `stream` reports. With `all`, every step has a row.
///
/// # Errors
///
/// Fails when no step started.
pub fn draw(stream: &[u8], format: Format, all: bool) -> Result<Drawing, NoProgress> {
    let stream = read::read(stream);
    let skipped = stream.skipped;
    let build = model::build(stream).ok_or(NoProgress { skipped })?;
    let chart = layout::lay_out(&build, all);
    let text = match format {
        Format::Svg => svg::draw(&chart),
        Format::Html => html::draw(&chart),
        Format::Text => text::draw(&chart),
    };
    Ok(Drawing { text, skipped })
}
