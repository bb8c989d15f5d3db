//! Whether the work goes on and the service keeps up.

use chrono::{DateTime, Utc};
use leptos::{either::Either, prelude::*};

use super::{
    measures::figure,
    terms::{Term, term},
};
use crate::{
    measured::Operation,
    pages::pipelines::{State, wording::interval},
    wording::{age, grouped},
    work::WorkShown,
};

/// The section. `now` is when the page was made.
pub(super) fn service(work: &WorkShown, operation: &Operation, uncounted: u64, now: DateTime<Utc>) -> AnyView {
    let jobs = work.pipelines.items.iter().map(|pipeline| {
        let last = match &pipeline.last_run {
            Some(run) => Either::Left(view! {
                <td><State state=run.state/></td>
                <td><a href=format!("/pipelines/{}", run.id) rel="external">{interval(run.start, run.end)}</a></td>
            }),
            None => Either::Right(view! { <td>"has not run"</td> <td>"–"</td> }),
        };
        let next = pipeline.next_run.map(|at| at.format("%-d %b, %H:%M UTC").to_string());
        view! {
            <tr>
                <th scope="row">{pipeline.name.clone()}</th>
                {last}
                <td>{next.unwrap_or_else(|| "when asked".to_owned())}</td>
            </tr>
        }
    });
    let waiting = match operation.outbox_since {
        Some(since) => format!("the oldest for {}", age((now - since).num_seconds().max(0) as u64)),
        None => "everything is where it belongs".to_owned(),
    };
    let counting = match uncounted {
        0 => "numbers are up to date".to_owned(),
        _ => "numbers above will still move".to_owned(),
    };
    let figures = [
        figure(term(Term::Outbox), grouped(operation.outbox_backlog), waiting),
        figure(
            term(Term::Records),
            grouped(operation.records_waiting),
            "what an audit reads is behind by these".to_owned(),
        ),
        figure(term(Term::Uncounted), grouped(uncounted), counting),
    ];
    view! {
        <section class="board__section" aria-labelledby="service-title" id="service" data-live="30">
            <header class="board__head">
                <h2 id="service-title">"Whether the work goes on"</h2>
                <p class="board__lead">"The pipelines’ last runs, and whether the service keeps up."</p>
            </header>
            <div class="table-scroll" tabindex="0" role="region" aria-label="Last runs">
                <table class="data-table">
                    <thead>
                        <tr>
                            <th scope="col">"Pipeline"</th>
                            <th scope="col">"Last run"</th>
                            <th scope="col">"Of the interval"</th>
                            <th scope="col">"Next"</th>
                        </tr>
                    </thead>
                    <tbody>{jobs.collect_view()}</tbody>
                </table>
            </div>
            <dl class="figures">{figures.collect_view()}</dl>
        </section>
    }
    .into_any()
}
