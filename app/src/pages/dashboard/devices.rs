//! What the classifier on visitors' devices answers beside the server's.

use gourmetgram_api::{DeviceComparison, DeviceShare, Evaluation};
use leptos::prelude::*;

use super::{
    asked::photos_of,
    measures::figure,
    terms::{Term, term},
};
use crate::{
    explore::Field,
    wording::{grouped, photos, share},
};

/// The section.
pub(super) fn devices(evaluation: &Evaluation) -> AnyView {
    let devices = &evaluation.devices;
    let answered = devices.same_version.answered + devices.other_versions.answered;
    let part = (devices.photos > 0).then(|| answered as f64 / devices.photos as f64);
    let listed = photos_of(evaluation);
    let differing = |of: &DeviceShare, outcome: DeviceComparison| {
        let note = match of.share {
            None => "no such device answered".into_any(),
            Some(_) => {
                let href = listed.with(Field::Device, outcome.as_str()).list();
                let range = format!("{} to {}; ", share(of.lower), share(of.upper));
                let all = format!(" of {}", grouped(of.answered));
                view! { {range} <a href=href rel="external">{photos(of.disagreed)}</a> {all} }.into_any()
            }
        };
        (of.share.map_or_else(|| "–".to_owned(), share), note)
    };
    let (own, of_own) = differing(&devices.same_version, DeviceComparison::Disagrees);
    let (others, of_others) = differing(&devices.other_versions, DeviceComparison::OtherVersionDisagrees);
    let figures = [
        figure(
            term(Term::DeviceAnswers),
            part.map_or_else(|| "–".to_owned(), share),
            format!("{} of {}", grouped(answered), photos(devices.photos)),
        ),
        figure(term(Term::DeviceDisagreement), own, of_own),
        figure(term(Term::OtherVersions), others, of_others),
    ];
    view! {
        <section class="board__section" aria-labelledby="devices-title" id="devices" data-live="30">
            <header class="board__head">
                <h2 id="devices-title">"What visitors’ devices answer"</h2>
                <p class="board__lead">"The same classifier runs there; the server’s answer is the one that counts."</p>
            </header>
            <dl class="figures">{figures.collect_view()}</dl>
        </section>
    }
    .into_any()
}
