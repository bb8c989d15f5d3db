//! Takes a page apart, as far as tests must know: its words, and which numbers stand under which name.

/// What is written, without markup.
pub fn words(html: &str) -> String {
    let mut words = String::new();
    for (place, part) in html.split('<').enumerate() {
        let text = if place == 0 { part } else { part.split_once('>').map_or("", |(_, text)| text) };
        words.push_str(text);
        words.push(' ');
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The elements of these names, in order: name, attributes and what is inside. None may lie in another of its name.
fn elements<'a>(html: &'a str, names: &[&'a str]) -> Vec<(&'a str, &'a str, &'a str)> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let Some(name) = names.iter().find(|name| {
            rest.strip_prefix(**name).is_some_and(|after| after.starts_with(' ') || after.starts_with('>'))
        }) else {
            continue;
        };
        let (tag, after) = rest.split_once('>').expect("a tag ends");
        let (inside, after) = after.split_once(&format!("</{name}>")).expect("an element ends");
        found.push((*name, &tag[name.len()..], inside));
        rest = after;
    }
    found
}

/// The rows of the table behind a chart, cell by cell.
pub fn table_behind(html: &str, chart: &str) -> Vec<Vec<String>> {
    let start = format!("id=\"{chart}-numbers\"");
    let (_, behind) = html.split_once(&start).expect("the chart has a table");
    let (_, _, table) = elements(behind, &["tbody"])[0];
    let rows = elements(table, &["tr"]);
    rows.iter()
        .map(|(_, _, row)| elements(row, &["th", "td"]).iter().map(|(_, _, cell)| words(cell)).collect())
        .collect()
}

fn is_explained(name: &str) -> bool {
    let mut links = name.split("<a ").skip(1).map(|link| link.split('>').next().unwrap_or_default());
    links.any(|link| link.contains("class=\"term\"") && link.contains("href=\"/dashboard/statistics#"))
}

/// Heads of columns that hold moments and stretches of time, which need no explanation.
const TIMES: [&str; 3] = ["When", "Of the interval", "Next"];

/// Every name of a number on a page, and whether it leads to what the number means.
pub fn named_numbers(html: &str) -> Vec<(String, bool)> {
    let mut found: Vec<(String, bool)> = Vec::new();
    let mut see = |name: &str, explained: bool| found.push((words(name), explained));
    // Figures, and facts beside the headline.
    for (_, _, name) in elements(html, &["dt"]) {
        see(name, is_explained(name));
    }
    for (_, attributes, name) in elements(html, &["p"]) {
        if attributes.contains("finding__what") {
            see(name, is_explained(name));
        }
    }
    // Drawings, bars and the matrix are explained by the heading above them, the headline by its own.
    for (part, level) in [
        ("class=\"chart__drawing\"", "h3"),
        ("class=\"funnel\"", "h3"),
        ("class=\"matrix\"", "h3"),
        ("class=\"headline__value", "h2"),
        ("class=\"verdict__word", "h2"),
    ] {
        let mut before = 0;
        while let Some(at) = html[before..].find(part) {
            let above = elements(&html[..before + at], &[level]);
            let (_, _, heading) = above.last().expect("a heading stands above it");
            see(heading, is_explained(heading));
            before += at + part.len();
        }
    }
    for (_, attributes, table) in elements(html, &["table"]) {
        if attributes.contains("class=\"matrix\"") {
            continue;
        }
        let part = |name| elements(table, &[name]).first().map_or("", |(_, _, inside)| *inside);
        let (head, body) = (part("thead"), part("tbody"));
        let heads = elements(head, &["th"]);
        for (_, _, row) in elements(body, &["tr"]) {
            let cells = elements(row, &["th", "td"]);
            let of_row = cells.iter().find(|(name, ..)| *name == "th").map_or("", |(_, _, inside)| *inside);
            for ((name, _, cell), (_, _, of_column)) in cells.iter().zip(&heads) {
                let has_number = words(cell).contains(|letter: char| letter.is_ascii_digit());
                if *name == "td" && has_number && !TIMES.contains(&words(of_column).as_str()) {
                    let name = format!("{} / {}", words(of_row), words(of_column));
                    see(&name, is_explained(of_column) || is_explained(of_row));
                }
            }
        }
    }
    found
}

#[test]
fn a_number_without_an_explanation_is_found() {
    let term = "<a class=\"term\" href=\"/dashboard/statistics#accuracy\" rel=\"external\">Accuracy</a>";
    let page = format!(
        "<dl><dt>{term}</dt><dd>1</dd><dt class=\"figure__name\">Mystery</dt><dd>2</dd></dl>\
         <table class=\"x\"><thead><tr><th>Class</th><th>{term}</th><th>Luck</th><th>When</th></tr></thead>\
         <tbody><tr><th scope=\"row\">Egg</th><td>3</td><td>4</td><td>5 May</td></tr></tbody></table>"
    );
    let found: Vec<(String, bool)> = named_numbers(&page);
    let found: Vec<(&str, bool)> = found.iter().map(|(name, explained)| (name.as_str(), *explained)).collect();
    assert_eq!(found, [("Accuracy", true), ("Mystery", false), ("Egg / Accuracy", true), ("Egg / Luck", false)]);
}
