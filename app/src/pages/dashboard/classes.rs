//! Where it is wrong: by class, what is taken for what, and by slice.

use std::collections::BTreeMap;

use gourmetgram_api::{ENOUGH_LABELS, Evaluation, EvaluationWindow, SliceBy, Slices};
use leptos::{either::Either, prelude::*};

use super::{
    asked::{Asked, photos_of},
    form::{slice_word, window_word},
    measures::{cell, too_small},
    terms::{Term, named, term},
};
use crate::{
    components::charts::{Matrix, MatrixCell, Scale},
    explore::Field,
    wording::{grouped, share},
};

/// The section.
pub(super) fn classes(evaluation: &Evaluation) -> AnyView {
    view! {
        <section class="board__section" aria-labelledby="classes-title" id="classes" data-live="30">
            <header class="board__head">
                <h2 id="classes-title">"Where it is wrong"</h2>
                <p class="board__lead">"Class by class, weighted so that it speaks for all photos."</p>
            </header>
            {evaluation.slices.as_ref().map(|parts| slices(parts, &evaluation.model))}
            {per_class(evaluation)}
            {confusion(evaluation)}
        </section>
    }
    .into_any()
}

fn per_class(evaluation: &Evaluation) -> AnyView {
    let scale = Scale::SHARES;
    let photos = photos_of(evaluation);
    let rows = evaluation.per_class.iter().map(|class| {
        let href = photos.with(Field::Class, class.class.clone()).list();
        view! {
            <tr>
                <th scope="row"><a href=href rel="external">{class.class.clone()}</a></th>
                {cell(&class.precision, scale)}
                {cell(&class.recall, scale)}
                {cell(&class.f1, scale)}
                <td class="number">{grouped(class.labels)}</td>
                <td class="number">{grouped(class.answered)}</td>
            </tr>
        }
    });
    // It has no interval, so it rests on its weakest class.
    let fewest = evaluation.per_class.iter().map(|class| class.f1.labels).min();
    let macro_f1 = fewest.map(|fewest| {
        let said = match evaluation.confusion.macro_f1.filter(|_| evaluation.confusion.macro_f1_enough) {
            Some(value) => share(value).into_any(),
            None => view! { {too_small(fewest)} " in the class with the fewest labels" }.into_any(),
        };
        view! { <p class="board__note">{term(Term::MacroF1)} ": " {said}</p> }
    });
    view! {
        <div class="board__block">
            <h3 class="chart__title" id="per-class-title">"By class"</h3>
            <div class="table-scroll" tabindex="0" role="region" aria-labelledby="per-class-title">
                <table class="data-table data-table--dense classes">
                    <thead>
                        <tr>
                            <th scope="col">"Class"</th>
                            <th scope="col">{term(Term::Precision)}</th>
                            <th scope="col">{term(Term::Recall)}</th>
                            <th scope="col">{term(Term::F1)}</th>
                            <th scope="col" class="number">{term(Term::Labels)}</th>
                            <th scope="col" class="number">{named(Term::Photos, "Answered")}</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
            {macro_f1}
        </div>
    }
    .into_any()
}

fn confusion(evaluation: &Evaluation) -> AnyView {
    let number = evaluation.classes.len();
    let cells: BTreeMap<(u16, u16), _> =
        evaluation.confusion.cells.iter().map(|cell| ((cell.truth, cell.answer), cell)).collect();
    if cells.is_empty() {
        return view! {
            <div class="board__block">
                <h3 class="chart__title">{term(Term::Confusion)}</h3>
                <p class="board__note">"Without a label nobody knows what was taken for what."</p>
            </div>
        }
        .into_any();
    }
    let campaign = evaluation.campaign.as_ref().map_or("", |campaign| &campaign.name);
    let photos = photos_of(evaluation).with(Field::Campaign, campaign);
    let rows = (0..number as u16).map(|truth| {
        let row = || cells.range((truth, 0)..=(truth, u16::MAX)).map(|(_, cell)| cell);
        let photos_of_row: f64 = row().map(|cell| cell.photos).sum();
        let is_enough = row().map(|cell| cell.labels).sum::<u64>() >= ENOUGH_LABELS;
        let columns = (0..number as u16).map(|answer| {
            let cell = cells.get(&(truth, answer))?;
            let class = |index: u16| evaluation.classes.get(usize::from(index)).cloned();
            let own = photos.with(Field::Class, class(answer)?).with(Field::Label, class(truth)?);
            Some(MatrixCell {
                share: is_enough.then_some(cell.photos / photos_of_row),
                labels: cell.labels,
                href: own.list(),
            })
        });
        columns.collect()
    });
    let matrix = Matrix { classes: evaluation.classes.clone(), cells: rows.collect(), labelled_by: "confusion-title" };
    view! {
        <div class="board__block">
            <h3 class="chart__title" id="confusion-title">{term(Term::Confusion)}</h3>
            <p class="chart__text">
                "Of the photos that show a row’s class, how many were answered with a column’s; below it the labels it rests on. A cell opens its photos. Where a row has fewer than 30 labels, " {named(Term::TooSmall, "n is too small")} " for shares."
            </p>
            {matrix.view()}
        </div>
    }
    .into_any()
}

fn slices(slices: &Slices, model: &str) -> AnyView {
    let scale = Scale::SHARES;
    let rows = slices.items.iter().map(|slice| {
        let name = match slices.by {
            SliceBy::Source if slice.name.is_empty() => "real photos".to_owned(),
            SliceBy::Hour => format!("{} o’clock", slice.name),
            SliceBy::Tag if slice.name.is_empty() => "neither".to_owned(),
            _ => slice.name.clone(),
        };
        view! {
            <tr>
                <th scope="row">{name}</th>
                {cell(&slice.accuracy, scale)}
                <td class="number">{grouped(slice.accuracy.labels)}</td>
                <td class="number">{grouped(slice.photos)}</td>
            </tr>
        }
    });
    let body = if slices.too_many {
        let shorter = Asked::default().with("window", EvaluationWindow::Day.as_str()).with("model", model);
        let shorter = shorter.with("slice", slices.by.as_str()).address();
        Either::Left(view! {
            <p class="board__note">
                "Every photo is looked at for this, and this window has more than are looked at at once. Choose a shorter one: "
                <a href=shorter rel="external">{window_word(EvaluationWindow::Day)}</a>
            </p>
        })
    } else {
        Either::Right(view! {
            <div class="table-scroll" tabindex="0" role="region" aria-labelledby="slices-title">
                <table class="data-table data-table--dense classes">
                    <thead>
                        <tr>
                            <th scope="col">{slice_word(slices.by)}</th>
                            <th scope="col">{term(Term::Accuracy)}</th>
                            <th scope="col" class="number">{term(Term::Labels)}</th>
                            <th scope="col" class="number">{term(Term::Photos)}</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
        })
    };
    view! {
        <div class="board__block">
            <h3 class="chart__title" id="slices-title">{named(Term::Slices, "Taken apart")}</h3>
            {body}
        </div>
    }
    .into_any()
}
