//! Takes drawings apart, for tests.

use leptos::prelude::*;

/// A figure's markup, without the table behind it.
pub fn figure(figure: AnyView) -> String {
    figure.to_html().split("<details").next().unwrap_or_default().to_owned()
}

/// What is drawn in it, without its legend.
pub fn drawing(figure: &str) -> String {
    let at = figure.find("class=\"chart__drawing\"").unwrap();
    figure[at..].to_owned()
}

/// The tags of this class in a drawing.
pub fn tags<'a>(drawing: &'a str, class: &str) -> Vec<&'a str> {
    let class = format!("class=\"{class}\"");
    drawing.split('<').filter(|tag| tag.contains(&class)).map(|tag| tag.split('>').next().unwrap_or_default()).collect()
}

/// A tag has these attributes.
#[track_caller]
pub fn has(tag: &str, attributes: &[&str]) {
    for attribute in attributes {
        assert!(tag.contains(attribute), "{attribute} is missing in {tag}");
    }
}
