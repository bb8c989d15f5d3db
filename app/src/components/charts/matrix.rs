//! The confusion matrix: what photos show, and what they were taken for.

use leptos::prelude::*;

use crate::wording::{count, share};

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub struct MatrixCell {
    /// Which share of the photos that show the row's class were given the column's, from 0 to 1; absent where the row has
    /// too few labels to say.
    pub share: Option<f64>,
    /// Labels in it.
    pub labels: u64,
    /// Where its photos are.
    pub href: String,
}

/// A table of what is shown (rows) by what was answered (columns).
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// The classes, in the order of rows and columns.
    pub classes: Vec<String>,
    /// Rows of cells; `None` where no label is.
    pub cells: Vec<Vec<Option<MatrixCell>>>,
    /// Names the table: an element's id.
    pub labelled_by: &'static str,
}

/// Steps of shade.
const SHADES: f64 = 5.0;

impl Matrix {
    /// The table. On a narrow page it scrolls in its own frame.
    pub fn view(&self) -> AnyView {
        let heads = self.classes.iter().map(|class| {
            view! { <th scope="col" class="matrix__column"><span>{class.clone()}</span></th> }
        });
        let rows = self.classes.iter().zip(&self.cells).enumerate().map(|(row, (class, cells))| {
            let cells = cells.iter().enumerate().map(|(column, cell)| {
                self.cell(cell.as_ref(), row == column, class, self.classes.get(column).map_or("", String::as_str))
            });
            view! { <tr><th scope="row" class="matrix__row">{class.clone()}</th>{cells.collect_view()}</tr> }
        });
        view! {
            <div class="table-scroll" tabindex="0" role="region" aria-labelledby=self.labelled_by>
                <table class="matrix">
                    <thead>
                        <tr>
                            <th scope="col" class="matrix__corner">"shown ↓ " <span>"answered →"</span></th>
                            {heads.collect_view()}
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
        }
        .into_any()
    }

    fn cell(&self, cell: Option<&MatrixCell>, is_right: bool, shown: &str, answered: &str) -> AnyView {
        let Some(cell) = cell else {
            return view! { <td class="matrix__cell matrix__cell--none"><span aria-label="no label">"·"</span></td> }
                .into_any();
        };
        let shade = (cell.share.unwrap_or_default().clamp(0.0, 1.0) * SHADES).ceil().max(1.0) as u8;
        let side = if is_right { "right" } else { "wrong" };
        let labels = count(cell.labels as usize, "label", "labels");
        let part = cell.share.map_or_else(|| "n too small".to_owned(), |part| format!("{} of its photos", share(part)));
        let words = format!("{shown} answered as {answered}: {part}, {labels}");
        let part = cell.share.map_or_else(|| "–".to_owned(), |part| format!("{:.0}%", part * 100.0));
        view! {
            <td class=format!("matrix__cell matrix__cell--{side} matrix__cell--{shade}")>
                <a href=cell.href.clone() rel="external" aria-label=words.clone() title=words>
                    <span class="matrix__share">{part}</span>
                    <span class="matrix__labels">{cell.labels}</span>
                </a>
            </td>
        }
        .into_any()
    }
}
