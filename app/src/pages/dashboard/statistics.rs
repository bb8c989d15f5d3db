//! The page `/dashboard/statistics`: docs/statistics.md, so that what a number means is one click away from it.

use std::sync::LazyLock;

use leptos::prelude::*;
use leptos_meta::Title;
use pulldown_cmark::{Alignment, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

const TEXT: &str = include_str!("../../../../docs/statistics.md");

static PAGE: LazyLock<String> = LazyLock::new(|| {
    let mut page = String::with_capacity(2 * TEXT.len());
    html::push_html(&mut page, events().into_iter());
    page
});

/// The page.
#[component]
pub fn StatisticsPage() -> impl IntoView {
    view! {
        <Title text="What the numbers mean"/>
        <p class="board__back"><a href="/dashboard" rel="external">"Back to the dashboard"</a></p>
        <article class="prose" inner_html=PAGE.as_str()></article>
    }
}

/// The text as HTML's events: headings with addresses; tables that scroll where they are wide, and without styles in the
/// markup, which the page's policy does not allow; of links, those that lead somewhere from here.
fn events() -> Vec<Event<'static>> {
    let mut headings = headings().into_iter();
    let mut links = Vec::new();
    let mut pictures = 0_usize;
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let each = Parser::new_ext(TEXT, options).flat_map(|event| match event {
        Event::Start(Tag::Heading { level, .. }) => vec![Event::Start(Tag::Heading {
            level,
            id: headings.next().map(CowStr::from),
            classes: Vec::new(),
            attrs: Vec::new(),
        })],
        Event::Start(Tag::Table(columns)) => vec![
            Event::Html("<div class=\"table-scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table\">".into()),
            Event::Start(Tag::Table(vec![Alignment::None; columns.len()])),
        ],
        Event::End(TagEnd::Table) => vec![Event::End(TagEnd::Table), Event::Html("</div>".into())],
        Event::Start(Tag::Link { ref dest_url, .. }) => {
            let leads = dest_url.starts_with('#') || dest_url.starts_with("https://");
            links.push(leads);
            if leads { vec![event] } else { Vec::new() }
        }
        Event::End(TagEnd::Link) => match links.pop() {
            Some(true) => vec![event],
            _ => Vec::new(),
        },
        // Pictures are part of the repository, not of the product; what they show is said around them.
        Event::Start(Tag::Image { .. }) => {
            pictures += 1;
            Vec::new()
        }
        Event::End(TagEnd::Image) => {
            pictures -= 1;
            Vec::new()
        }
        _ if pictures > 0 => Vec::new(),
        Event::Html(_) | Event::InlineHtml(_) => Vec::new(),
        other => vec![other],
    });
    each.collect()
}

/// The addresses of all headings, in order, as GitHub makes them.
pub(super) fn headings() -> Vec<String> {
    let mut headings: Vec<String> = Vec::new();
    let mut open: Option<(HeadingLevel, String)> = None;
    for event in Parser::new_ext(TEXT, Options::ENABLE_TABLES) {
        match (event, &mut open) {
            (Event::Start(Tag::Heading { level, .. }), _) => open = Some((level, String::new())),
            (Event::Text(text) | Event::Code(text), Some((_, heading))) => heading.push_str(&text),
            (Event::End(TagEnd::Heading(_)), _) => {
                let slug = open.take().map(|(_, heading)| slug(&heading)).unwrap_or_default();
                let same = headings.iter().filter(|known| **known == slug).count();
                headings.push(if same == 0 { slug } else { format!("{slug}-{same}") });
            }
            _ => {}
        }
    }
    headings
}

fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_have_the_addresses_that_github_gives_them() {
        assert_eq!(slug("Two versions: McNemar's test"), "two-versions-mcnemars-test");
        assert!(headings().iter().any(|heading| heading == "drift"), "{:?}", headings());
    }

    #[test]
    fn the_text_carries_no_styles_and_no_links_that_lead_nowhere() {
        assert!(!PAGE.contains("style="), "the page's policy forbids styles in the markup");
        assert!(!PAGE.contains(".md\""), "the product has no such address");
        assert!(PAGE.contains("<h1 id=") && PAGE.contains("<table>"));
    }
}
