//! Takes out what the list shows, as a file.

use gourmetgram_api::{ExportFormat, FolderBy};
use leptos::prelude::*;

use crate::explore::Browse;

/// The ways, with their words.
const WAYS: [(&str, &str, ExportFormat, FolderBy); 5] = [
    ("CSV", "for spreadsheets", ExportFormat::Csv, FolderBy::Predicted),
    ("JSON lines", "with every probability", ExportFormat::Jsonl, FolderBy::Predicted),
    ("Parquet", "for pandas and DuckDB", ExportFormat::Parquet, FolderBy::Predicted),
    ("Photos", "in folders by the model’s answer", ExportFormat::Photos, FolderBy::Predicted),
    ("Labelled photos", "in folders by the annotators’ label", ExportFormat::Photos, FolderBy::Annotated),
];

/// A button that opens the ways. The links are plain ones: they work without scripts.
#[component]
pub(super) fn TakeOut(asked: Memo<Browse>) -> impl IntoView {
    let ways = WAYS.map(|(name, what, format, by)| {
        let address = move || asked.with(|asked| asked.export(format, by));
        view! {
            <li>
                <a class="takeout__way" href=address rel="external" download="">
                    <span class="takeout__name">{name}</span>
                    " "
                    <span class="takeout__what">{what}</span>
                </a>
            </li>
        }
    });
    view! {
        <details class="takeout">
            <summary class="button takeout__open">"Export"</summary>
            <ul class="takeout__ways">{ways.into_iter().collect_view()}</ul>
        </details>
    }
}
