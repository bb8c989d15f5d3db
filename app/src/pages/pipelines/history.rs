//! The runs there were, newest first.

use gourmetgram_api::Run;
use leptos::prelude::*;

use super::{
    State,
    wording::{cause_word, counted, duration, interval},
};
use crate::{wording::moment, work::WorkShown};

/// A table of runs; the next page is a link.
#[component]
pub(super) fn History(shown: WorkShown) -> impl IntoView {
    let moves = shown.is_moving().then_some("");
    let rows = shown.runs.items.iter().map(|run| row(run, shown.campaign_of(run).map(str::to_owned))).collect_view();
    view! {
        <div class="work__history">
            <h2 id="history-title">"Runs"</h2>
            <div class="table-scroll" tabindex="0" role="region" aria-labelledby="history-title" id="runs" data-live=moves>
                <table class="data-table">
                    <thead>
                        <tr>
                            <th scope="col">"Interval"</th>
                            <th scope="col">"Pipeline"</th>
                            <th scope="col">"Campaign"</th>
                            <th scope="col">"State"</th>
                            <th scope="col">"Result"</th>
                            <th scope="col" class="number">"Duration"</th>
                            <th scope="col" class="number">"Attempts"</th>
                            <th scope="col">"Started"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            {shown.runs.next_before.map(|before| view! {
                <p><a class="button" href=format!("/pipelines?before={before}") rel="external">"Older runs"</a></p>
            })}
        </div>
    }
}

fn row(run: &Run, campaign: Option<String>) -> impl IntoView + use<> {
    let took = run.started_at.zip(run.ended_at).map(|(from, to)| duration(to - from));
    let dry = run.dry_run.then(|| view! { <span class="work__note">" (dry run)"</span> });
    view! {
        <tr>
            <th scope="row"><a href=format!("/pipelines/{}", run.id) rel="external">{interval(run.start, run.end)}</a></th>
            <td>{run.pipeline.clone()} {dry}</td>
            <td>{campaign.unwrap_or_else(|| "–".to_owned())}</td>
            <td><State state=run.state/></td>
            <td>{counted(&run.counts)}</td>
            <td class="number">{took.unwrap_or_else(|| "–".to_owned())}</td>
            <td class="number">{run.attempts}</td>
            <td>{moment(run.created_at)} ", " {cause_word(run.cause)}</td>
        </tr>
    }
}
